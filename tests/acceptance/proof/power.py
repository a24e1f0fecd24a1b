"""Cut the power at random moments and open what is left: nothing acknowledged may be missing.

    python -m tests.acceptance.proof.power --cuts 1000

The store is the real one, opened by its own `opened`: pragmas, migrations, group commit, the SQL of
every port method it is asked for here, checkpoints. Only `sqlite3.connect` is replaced, so that the
file system beneath can be watched (`disks.py`): the SQLite that writes is therefore the one inside
`apsw`, a newer one than the interpreter's. What is left is opened by the interpreter's own SQLite.

Not exercised: a disk that lies about a sync, and the kernel's own file systems; their rules are
those that `disks.py` states.
"""

import random
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path

from bot.backends.sqlite.store import opened
from bot.domain.errors import StoreError
from tests.acceptance.proof.disks import Disk, rebuilt
from tests.acceptance.proof.running import alone, quiet
from tests.acceptance.proof.script import Script

CUTS_PER_LIFE, ROUNDS = 50, 30
FAULTS = ("messages_lost", "answers_lost", "posts_lost", "half_closed", "corrupt")


async def run(*, cuts=1000, seed=1, progress=quiet):
    """Cut `cuts` times with the store as it is, and a fifth as often with `synchronous=normal`."""
    total = cuts + cuts // 5
    full = await _cuts(cuts, seed, True, lambda done: progress(done, total))
    normal = await _cuts(cuts // 5, seed, False, lambda done: progress(cuts + done, total))
    return {
        "cuts": cuts,
        "acknowledged": full["acknowledged"],
        **{name: full[name] for name in FAULTS},
        "contrast_cuts_normal": cuts // 5,
        "contrast_acknowledged_normal": normal["acknowledged"],
        "contrast_messages_lost_normal": normal["messages_lost"],
        "contrast_answers_lost_normal": normal["answers_lost"],
        "contrast_corrupt_normal": normal["corrupt"],
    }


async def _cuts(cuts, seed, full_sync, progress):
    found = Counter()
    for life in range(0, cuts, CUTS_PER_LIFE):
        dice = random.Random(f"power {seed} {life}")
        with tempfile.TemporaryDirectory() as folder:
            steps, promises = await live(Path(folder), dice, full_sync=full_sync)
        for cut in range(min(CUTS_PER_LIFE, cuts - life)):
            moment = dice.randrange(len(steps) + 1)
            with tempfile.TemporaryDirectory() as folder:
                rebuilt(steps[:moment], Path(folder), dice)
                found += await judge(Path(folder), promises, moment)
            progress(life + cut + 1)
    return found


async def live(folder, dice, *, full_sync=True, failing=(), hidden=False):
    """Let the store work for a while on a disk that is watched; returns steps and promises.

    `failing` tells of each sync whether it fails; the store does not hear of it if it is `hidden`.
    """
    disk = Disk(f"watched {folder}", full_sync=full_sync, hidden=hidden)
    with disk.under_the_store():
        async with opened(folder / "parley.db") as store:
            disk.failing = iter(failing)
            script = Script(store, disk, dice)
            await script.play(ROUNDS)
            disk.failing, steps = iter(()), list(disk.steps)
    return steps, script.promises


async def judge(folder, promises, moment):
    """Open what is left of a store and compare it with what it had promised until then."""
    due = {event for event, at in promises.accepted.items() if at <= moment}
    found = Counter(acknowledged=len(due))
    path = folder / "parley.db"
    try:
        async with opened(path):
            pass
    except (StoreError, sqlite3.DatabaseError):
        return found + Counter(corrupt=1, messages_lost=len(due))
    with closing(sqlite3.connect(path)) as db:
        left = _Left(db)
    answered = [(e, text) for e, (at, text) in promises.answered.items() if at <= moment]
    posted = [(e, id) for e, (at, id) in promises.posted.items() if at <= moment]
    return found + Counter(
        corrupt=not left.whole,
        messages_lost=len(due - left.rows.keys()),
        answers_lost=sum(not left.holds(event, text) for event, text in answered),
        posts_lost=sum(not left.names(event, id) for event, id in posted),
        half_closed=sum(left.torn(event) for event in left.rows)
        + sum(left.open(event) for event, at in promises.closed.items() if at <= moment),
    )  # fmt: skip


class _Left:
    """What a database says, by event."""

    def __init__(self, db):
        self.whole = db.execute("pragma integrity_check").fetchall() == [("ok",)]
        self.rows = dict(db.execute("select event, payload is not null from inbox"))
        self._lines = Counter(event for (event,) in db.execute("select event from lines"))
        self._answers = dict(
            db.execute("select event, text from lines where role = 'assistant'").fetchall()
        )
        self._handles = dict(db.execute("select event, message from answers").fetchall())
        self._steps = dict(db.execute("""select event, json_extract(value, '$.text') from steps
            join inbox on id = turn where name = 'answered'""").fetchall())  # fmt: skip
        self._parts = dict(db.execute("""select event, parts.id from parts
            join inbox on inbox.id = turn""").fetchall())  # fmt: skip

    def open(self, event):
        return bool(self.rows.get(event))

    def holds(self, event, text):
        """Whether the answer is remembered, or journaled if its turn is still open."""
        return (self._steps if self.open(event) else self._answers).get(event) == text

    def names(self, event, id):
        """Whether the posted message is known as the answer to this event."""
        return (self._parts if self.open(event) else self._handles).get(event) == id

    def torn(self, event):
        """Whether a turn is open with a memory, or closed without one or with a journal."""
        left_over = event in self._steps or event in self._parts
        return self._lines[event] != 0 if self.open(event) else self._lines[event] != 2 or left_over


if __name__ == "__main__":
    alone("power cuts", run, FAULTS, cuts=1000)
