"""Kill the bot at one moment of forgetting after another, and search its data directory."""

import asyncio
import codecs
import sqlite3
import tempfile
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

from tests.acceptance.proof.sweep import SECTIONS, Armed, Sweep
from tests.acceptance.stage import Stage

CANARY = "CANARY"
RETOLD = (CANARY[::-1], codecs.encode(CANARY, "rot13"))  # as a model may write it down
PATIENCE = 15.0  # seconds
LEFT = """select (select count(*) from lines) + (select count(*) from erasures)
+ (select count(*) from inbox where payload is not null)
+ (select count(*) from steps)"""


def found_in(folder, *words):
    """Count words in all files below a folder, in small and in capital letters."""
    found = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            found += counted(path.read_bytes(), *words) if path.is_file() else 0
    return found


def counted(data, *words):
    """Count words in bytes, in small and in capital letters."""
    data = data.lower()
    return sum(data.count(word.lower().encode()) for word in words)


def ask(platform, fake):
    """Let the person of room 0 ask to be forgotten."""
    if platform == "telegram":
        fake.say("/forget_me yes", chat=1001, person=1001)
    elif platform == "slack":
        fake.slash("forget_me yes", "D0", "U0")
    else:
        fake.interact("forget_me", channel=fake.direct("600"), user="600", sure="yes")


class Erasing(Sweep):
    """One platform and its bot, which is killed at one moment of forgetting after another."""

    left = LEFT  # what is to be done yet

    async def _round(self, kind, number):
        """Say something, be forgotten, with one kill; returns whether it came."""
        await self._known()
        self._arm(kind, number)
        ask(self.stage.platform, self.stage.place.fake)
        await self._forgotten(2 * PATIENCE)
        self._arm("nothing", 0)
        await asyncio.sleep(0.05)  # until the news of a death that came last has come
        killed = self.stage.process.returncode is not None
        if killed:
            await self._again()
            if not await self._forgotten(2.0):
                self.found["requests_made_again"] += 1
                ask(self.stage.platform, self.stage.place.fake)
        self.found["never_forgotten"] += not await self._forgotten(PATIENCE)
        await self._search()
        self.found["kills"] += killed
        return killed

    async def _known(self):
        """Let the bot have something to forget."""
        self.stage.say(0, CANARY)
        await self.stage.all_answered(within=PATIENCE)
        await self._settled()
        self.found["canaries_before"] += found_in(self.folder / "data", CANARY)

    async def _search(self):
        """Count what is left."""
        self.found["forgotten_bytes"] += found_in(self.folder / "data", CANARY)

    async def _forgotten(self, seconds):
        """Wait until nothing is left to be done; False when the process died, or it takes long."""
        for _ in range(int(seconds / 0.02)):
            if self.stage.process.returncode is not None:
                return False
            with suppress(sqlite3.OperationalError):
                if self._ask(self.left) == 0:
                    return True
            await asyncio.sleep(0.02)
        return False


async def forgotten(platform, kinds, progress=lambda: None):
    """Sweep moments by kind (`kinds`: the numbers to try); returns K by kind, and what was found."""
    with tempfile.TemporaryDirectory() as name:
        stage = Stage(platform, Path(name), sections=SECTIONS)
        async with stage, begun(stage):
            sweep = Erasing(stage, stage.folder)
            last = await swept(sweep, kinds, progress)
        sweep.found["bytes_in_logs"] = logged(stage)
    return last, sweep.found


@asynccontextmanager
async def begun(stage):
    """Start a bot that can be armed, and kill it in the end; its database must be whole."""
    async with Armed(stage.platform, stage.config, stage.folder / "log") as forks:
        stage.spawn = forks.start
        await stage.begin(1)
        yield
        with suppress(ProcessLookupError):
            await stage.kill()
    with closing(sqlite3.connect(stage.folder / "data" / "parley.db")) as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)


async def swept(sweep, kinds, progress):
    """Sweep moments by kind; returns K by kind."""
    await sweep._settled()
    return {kind: await sweep.moments(kind, numbers, progress) for kind, numbers in kinds.items()}


def logged(stage):
    """Count the canaries in the log of a stage."""
    return counted((stage.folder / "log").read_bytes(), CANARY, *RETOLD)
