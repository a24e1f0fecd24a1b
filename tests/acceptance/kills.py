"""Kill the bot at random moments under load, start it again, and count what became of each message.

    python -m tests.acceptance.kills --cycles 100

Prints one row per platform. The schedule is drawn from `--seed`, so a run can be repeated.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.acceptance.stage import STAGES, Stage

ROOMS, BURST = 6, 5
COLUMNS = ("messages", "lost", "doubled", "swapped", "crossed", "partial", "orphan placeholders")


async def kills(platform, cycles, seed, folder, advance=lambda: None):
    """Run kill cycles on one platform; returns the count and the seconds from start to answers."""
    dice = random.Random(f"{platform}{seed}")
    async with Stage(platform, folder) as stage:
        stage.model.delay, stage.model.interval, stage.model.chunk = 0.05, 0.02, 12
        ready = []
        await stage.begin(ROOMS)
        await stage.kill()
        for _ in range(cycles):
            began, before = time.monotonic(), stage.answered()
            await stage.start()
            for _ in range(BURST):
                stage.say(dice.randrange(ROOMS))
            while stage.answered() == before and time.monotonic() - began < 20:
                await asyncio.sleep(0.01)
            ready.append(time.monotonic() - began)
            for _ in range(BURST):
                stage.say(dice.randrange(ROOMS))
            await asyncio.sleep(dice.uniform(0.0, 0.9))
            await stage.kill()
            advance()
        await stage.start()
        await stage.all_answered(within=30)
        await stage.stop()
        return stage.count(), sorted(ready)[len(ready) // 2]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--platform", choices=list(STAGES), action="append")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = {}
    with Progress(console=Console(stderr=True)) as progress:
        for platform in options.platform or STAGES:
            task = progress.add_task(f"kill -9 on {platform}", total=options.cycles)
            with tempfile.TemporaryDirectory() as folder:
                results[platform] = asyncio.run(
                    kills(platform, options.cycles, options.seed, Path(folder),
                          lambda task=task: progress.advance(task)))  # fmt: skip
    rows = {
        name: dict(zip(COLUMNS, count.row(), strict=True)) for name, (count, _) in results.items()
    }
    if options.json:
        print(json.dumps(rows))
    else:
        table = Table("platform", *COLUMNS, "first answer, s", title=f"{options.cycles} x kill -9")
        for platform, (count, ready) in results.items():
            table.add_row(platform, *map(str, count.row()), f"{ready:.1f}")
        Console().print(table)
    bad = sum(row[name] for row in rows.values() for name in COLUMNS[1:6])
    raise SystemExit(1 if bad else 0)


if __name__ == "__main__":
    main()
