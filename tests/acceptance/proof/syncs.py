"""Let syncs fail, and look whether anything that was acknowledged can still get lost.

    python -m tests.acceptance.proof.syncs --lives 100

A sync that fails has lost its writes for good: Linux calls them clean, shows them to whoever reads
the file, and never writes them (`disks.py`). Three things are counted:

- **going on**: the store refuses what it could not sync, keeps its connection, and its next commit
  writes the same places of the log anew. Then the power goes, at any moment.
- **starting again**: the process ends right after a sync failed, and the next one reads the log out
  of the page cache. What it finds there, it must bring to the disk itself before it builds on it;
  then the power goes.
- the contrast: **believing**, a store that takes a failed sync for a good one.
"""

import random
import tempfile
from collections import Counter
from pathlib import Path

from bot.backends.sqlite.store import opened
from tests.acceptance.proof.disks import Disk, rebuilt, seen
from tests.acceptance.proof.power import judge, live
from tests.acceptance.proof.running import alone, quiet
from tests.acceptance.proof.script import Promises
from tests.events import message

CUTS_PER_LIFE, RESTARTS_PER_LIFE, CUTS_PER_RESTART = 10, 3, 4
FAILING = 0.15  # of all syncs
LOST = ("messages_lost", "answers_lost", "posts_lost", "half_closed", "corrupt")
FAULTS = ("lost_going_on", "corrupt_going_on", "lost_starting_again", "corrupt_starting_again")


async def run(*, lives=100, seed=1, progress=quiet):
    """Live `lives` lives on a disk whose syncs fail, and cut the power many times in each."""
    on, again, believing = Counter(), Counter(), Counter()
    for life in range(lives):
        dice = random.Random(f"syncs {seed} {life}")
        steps, promises = await _live(dice, hidden=False)
        on += Counter(syncs=sum(step.kind == "failed" for step in steps), refused=promises.refused)
        for _ in range(CUTS_PER_LIFE):
            on += await _cut(steps, promises, dice)
        failures = [n for n, step in enumerate(steps, 1) if step.kind == "failed"]
        for moment in dice.sample(failures, min(RESTARTS_PER_LIFE, len(failures))):
            again += await _start_again(steps[:moment], promises, dice)
        if life % 5 == 0:
            lie = await _live(dice, hidden=True)
            for _ in range(CUTS_PER_LIFE):
                believing += await _cut(*lie, dice)
        progress(life + 1, lives)
    return {
        "failed_syncs": on["syncs"],
        "writes_refused": on["refused"],
        "cuts_going_on": lives * CUTS_PER_LIFE,
        "acknowledged_going_on": on["acknowledged"],
        "lost_going_on": sum(on[name] for name in LOST[:-1]),
        "corrupt_going_on": on["corrupt"],
        "cuts_starting_again": again["cuts"],
        "acknowledged_starting_again": again["acknowledged"],
        "lost_starting_again": sum(again[name] for name in LOST[:-1]),
        "corrupt_starting_again": again["corrupt"],
        "contrast_lost_believing": sum(believing[name] for name in LOST[:-1]),
        "contrast_corrupt_believing": believing["corrupt"],
    }


async def _live(dice, *, hidden):
    """Let the store live on a disk whose syncs fail now and then."""
    chance = random.Random(dice.random())
    failing = iter(lambda: chance.random() < FAILING, None)
    with tempfile.TemporaryDirectory() as folder:
        return await live(Path(folder), dice, failing=failing, hidden=hidden)


async def _cut(steps, promises, dice, *, after=0):
    """Let the power go at any moment behind the first `after` steps."""
    moment = dice.randint(after, len(steps))
    with tempfile.TemporaryDirectory() as folder:
        rebuilt(steps[:moment], Path(folder), dice)
        return await judge(Path(folder), promises, moment) + Counter(cuts=1)


async def _start_again(steps, promises, dice):
    """Open the files as the page cache shows them, take messages in, and cut the power."""
    before = _until(promises, len(steps))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seen(steps, folder)
        disk = Disk(f"watched {folder}", steps=list(steps))
        with disk.under_the_store():
            async with opened(folder / "parley.db") as store:
                for id in [id for id in promises.accepted if id not in before.accepted][:6]:
                    event = message("said again", id=id)
                    room = str(event.conversation)
                    await store.lanes.ingest(event, lane=room, memory=room)
                    before.accepted[id] = len(disk.steps)
                later = list(disk.steps)
    found = Counter()
    for _ in range(CUTS_PER_RESTART):
        found += await _cut(later, before, dice, after=len(steps))
    return found


def _until(promises, moment):
    """Return the promises that were given before a moment."""
    return Promises(
        accepted={e: at for e, at in promises.accepted.items() if at <= moment},
        answered={e: said for e, said in promises.answered.items() if said[0] <= moment},
        posted={e: said for e, said in promises.posted.items() if said[0] <= moment},
        closed={e: at for e, at in promises.closed.items() if at <= moment},
    )


if __name__ == "__main__":
    alone("failing syncs", run, FAULTS, lives=100)
