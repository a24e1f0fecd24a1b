"""Random fault schedules against the real engine in virtual time, each replayable by its number.

    python -m tests.acceptance.proof.schedules --count 10000 --seed 1
    python -m tests.acceptance.proof.schedules --seed 1 --only 4711

Prints the history of every schedule in which something is wrong.
"""

import argparse
import asyncio
import gc
import json
import sys
import tempfile
import time
from collections import Counter

from rich.console import Console
from rich.progress import Progress

from tests.acceptance.proof.judge import judge
from tests.acceptance.proof.plans import draw
from tests.acceptance.proof.running import quiet, show
from tests.acceptance.proof.virtual import Deadlock, memory_folder, virtual_time
from tests.acceptance.proof.world import World


def live_through(plan, *, blind=False):
    """Play one schedule; returns its world and what is wrong.

    `blind` is the contrast: platforms on which nothing that was sent can be found again.
    """
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder, virtual_time() as loop:
        world = World(plan, folder, loop, blind=blind)
        try:
            loop.run_until_complete(world.play())
            wrong = judge(world)
        except Deadlock as error:
            wrong = [*world.complaints, str(error)]
    return world, wrong


def tell(world, wrong, out=sys.stderr):
    """Print a history so that a person can follow it."""
    print(f"\nschedule {world.plan.name}: {'; '.join(wrong) or 'nothing is wrong'}", file=out)
    for at, life, who, what in world.history:
        print(f"  {at:9.3f}  {life}  {who:9} {what}", file=out)


def schedules(count, seed, progress=quiet, *, only=None, loud=False, blind=False):
    """Play schedules; returns the numbers for the table."""
    started, sums, broken = time.perf_counter(), Counter(), []
    for number in range(count) if only is None else (only,):
        world, wrong = live_through(draw(seed, number), blind=blind)
        sums.update(schedules=1, messages=len(world.plan.sayings), kills=sum(world.kills.values()),
                    moments=world.moments.total(), virtual_seconds=world.loop.now)  # fmt: skip
        if wrong:
            broken.append(number)
        if (wrong and loud) or only is not None:
            tell(world, wrong)
        if number % 200 == 0:
            gc.collect()
        progress(number + 1, count)
    took = time.perf_counter() - started
    return {**sums, "violations": len(broken), "broken": broken[:20], "seconds": took}


async def run(count=300, seed=1, progress=quiet, *, blind=False):
    """Play schedules beside a running loop; returns plain numbers."""
    return await asyncio.to_thread(schedules, count, seed, progress, blind=blind)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("random fault schedules", total=None)
        numbers = schedules(
            options.count, options.seed, only=options.only, loud=True,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )  # fmt: skip
    print(json.dumps(numbers)) if options.json else show("Random fault schedules", numbers)
    raise SystemExit(1 if numbers["violations"] else 0)


if __name__ == "__main__":
    main()
