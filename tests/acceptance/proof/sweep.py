"""Kill the bot at every commit and at every step of the same small script, and start it again.

    python -m tests.acceptance.proof.sweep --platform slack --every 1

Two rooms of one platform, three messages: two in the first room, one in the second. The bot kills
itself (`armed.py`) at the first, second, … moment of a kind, until a round of the script passes
untouched; the number of moments is K. After each kill it starts again, with nothing armed, and
answers what is left. Then every message must have one whole answer, in order, each exchange must
stand in memory once, and no turn, step or part may be open.

Commits are swept one by one, on all platforms; of the far more calls of the event loop only each
`every`th is tried. The contrast forgets what it sent (`blind.py`).
"""

import asyncio
import itertools
import random
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

from tests.acceptance.counting import TOKEN
from tests.acceptance.proof.forks import Forks
from tests.acceptance.proof.running import alone, quiet
from tests.acceptance.stage import STAGES, Stage

SCRIPT = (0, 0, 1)  # the rooms in which messages come, one after another
SECTIONS = """
[turns]
attempts = 1000
"""
COMMITS, STEPS = 20, 450  # about as many moments, for the progress bar alone
PATIENCE = 20.0  # seconds without an answer after which the rest counts as lost
FAULTS = ("violations",)
BROKEN = ("answers_broken", "left_open", "memory_uneven", "memory_missing", "memory_disordered")
UNEVEN = """select count(*) from (select event from lines group by event having count(*) <> 2)"""
OPEN = """select (select count(*) from inbox where payload is not null)
+ (select count(*) from steps) + (select count(*) from parts)"""


class Armed(Forks):
    """A parent whose forks kill themselves."""

    module = "tests.acceptance.proof.armed"


class Sweep:
    """One platform and its bot, which is killed at one moment after another."""

    def __init__(self, stage, folder):
        self.stage, self.folder = stage, folder
        self.found = Counter()
        self._broken = self._cycle = 0

    async def moments(self, kind, numbers, progress=lambda: None):
        """Kill at each of these moments until one is not reached; returns the last that was."""
        reached = 0
        for number in numbers:
            if not await self._round(kind, number):
                break
            reached = number
            progress()
        return reached

    async def _round(self, kind, number):
        """Play the script once, with one kill; returns whether it came."""
        stage = self.stage
        self._arm(kind, number)
        for room in SCRIPT:
            stage.say(room)
        await stage.all_answered(within=PATIENCE)
        await self._settled()
        self._arm("nothing", 0)
        await asyncio.sleep(0.05)  # until the news of a death that came last has come
        killed = stage.process.returncode is not None
        if killed:
            await self._again()
        self._judge()
        self.found["kills"] += killed
        return killed

    def _arm(self, kind, number):
        """Name the next moment, in one step, so that no half of a file is read."""
        self._cycle += 1
        fresh = self.folder / "arming"
        fresh.write_text(f"{self._cycle} {kind} {number}")
        fresh.rename(self.folder / "armed")

    async def _again(self):
        """Start, wait until all is answered, closed and listening."""
        await self.stage.start()
        await self.stage.all_answered(within=PATIENCE)
        async with asyncio.timeout(PATIENCE):
            while not self.stage.connected():
                await asyncio.sleep(0.01)
        await self._settled()

    async def _settled(self):
        """Wait until the last turn is closed, the process is dead, or it takes too long."""
        for _ in range(300):
            if self.stage.process.returncode is not None or self._ask(OPEN) == 0:
                return
            await asyncio.sleep(0.01)

    def _judge(self):
        """Count what this round broke; the stage counts from the beginning."""
        broken = self.stage.count().broken()
        self.found["answers_broken"] += broken - self._broken
        self._broken = broken
        self.found["left_open"] += self._ask(OPEN)
        self.found["memory_uneven"] = self._ask(UNEVEN)
        self.found["memory_missing"] = 2 * sum(self.stage.sent.values()) - self._ask(
            "select count(*) from lines"
        )
        self.found["memory_disordered"] = self._disordered()

    def _disordered(self):
        """Count questions that memory has behind later ones of their room."""
        last, wrong = {}, 0
        with closing(sqlite3.connect(self.folder / "data" / "parley.db")) as db:
            for (text,) in db.execute("select text from lines where role = 'user' order by id"):
                room, number = map(int, TOKEN.findall(text)[-1].split("-"))
                wrong += number < last.get(room, -1)
                last[room] = number
        return wrong

    def _ask(self, sql):
        with closing(sqlite3.connect(self.folder / "data" / "parley.db")) as db:
            return db.execute(sql).fetchone()[0]


async def run(*, platform="all", every=5, seed=1, progress=quiet):
    """Sweep all commits and each `every`th call of the event loop, from a start that `seed` draws.

    `platform` is one of them, or `all`.
    """
    chosen = list(STAGES) if platform == "all" else [platform]
    total = (len(chosen) + 0.5) * (2 * COMMITS + STEPS // every)
    done = itertools.count(1)
    numbers, found = {}, Counter()
    for name in chosen:
        first = random.Random(f"sweep {seed} {name}").randint(1, every)
        kinds = {"before": itertools.count(1), "after": itertools.count(1),
                 "step": itertools.count(first, every)}  # fmt: skip
        last, more = await swept(name, kinds, progress=lambda: progress(next(done), total))
        numbers |= {f"{name}_K_{kind}": count for kind, count in last.items()}
        found += more
    kinds = {"after": itertools.count(1)}
    _, blind = await swept(
        chosen[-1], kinds, blind=True, progress=lambda: progress(next(done), total)
    )
    progress(total, total)
    return {
        **numbers,
        **{name: found[name] for name in ("kills", "violations", *BROKEN)},
        "orphan_placeholders": found["orphan_placeholders"],
        "model_calls_repeated": found["model_calls_repeated"],
        "contrast_kills_blind": blind["kills"],
        "contrast_violations_blind": blind["violations"],
    }


async def swept(platform, kinds, *, blind=False, progress=lambda: None):
    """Sweep moments by kind (`kinds`: the numbers to try); returns K by kind, and what was found."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with Stage(platform, folder, sections=SECTIONS) as stage:
            stage.model.delay, stage.model.interval, stage.model.chunk = 0.02, 0.05, 24
            async with Armed(platform, stage.config, folder / "log", blind=blind) as forks:
                stage.spawn = forks.start
                await stage.begin(max(SCRIPT) + 1)
                sweep = Sweep(stage, folder)
                await sweep._settled()
                last = {
                    kind: await sweep.moments(kind, numbers, progress)
                    for kind, numbers in kinds.items()
                }
                with suppress(ProcessLookupError):
                    await stage.kill()
        found = sweep.found
        found["violations"] = sum(abs(found[name]) for name in BROKEN)
        found["orphan_placeholders"] = stage.count().placeholders
        found["model_calls_repeated"] = len(stage.model.calls) - sum(stage.sent.values())
        return last, found


if __name__ == "__main__":
    alone("a kill at every step", run, FAULTS, platform="all", every=5)
