"""Fill the disk, lock the database, and count what was acknowledged without being stored.

    python -m tests.acceptance.proof.disk --seconds 30

The whole engine runs over a real file with the interpreter's own SQLite, a model over HTTP and a
platform in memory, which says everything again until it is acknowledged. Full means that the file
may not grow by a page (`pragma max_page_count`); locked means that another process holds a write
transaction for `seconds`. What is not stored must not be acknowledged, an answer that was paid for
must be kept and not asked for again, and all must be well soon after the cause is gone. That the
check can fail at all is shown by an inbox that acknowledges first.
"""

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bot.domain.conversation import Conversation
from bot.domain.errors import StoreBusy
from tests.acceptance.proof.running import alone, quiet
from tests.events import message
from tests.fakes.openai import FakeOpenAI
from tests.harness import MemoryPlatform, configuration, running

ROOMS, PAUSE = 4, 0.05  # seconds before a platform says again what was not acknowledged
LONG = "word " * 1500  # more than any room that a full database has left
RECOVERY_S, LONGEST_FULL_S = 5.0, 3.0
UNLIMITED = 1 << 30  # pages
HOLD = """import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("begin immediate")
print("held", flush=True)
sys.stdin.read()
db.execute("rollback")
db.close()"""
FAULTS = (
    "acknowledged_unstored",
    "lost",
    "answered_twice",
    "models_asked_twice",
    "slow_recoveries",
)


async def run(*, seconds=30.0, seed=1, progress=quiet):
    """Bring each trouble about for `seconds` (a full disk for at most 3); `seed` changes nothing."""
    found = Counter()
    recovered = {}
    for number, trouble in enumerate((full_at_the_message, full_at_the_answer, locked)):
        with tempfile.TemporaryDirectory() as folder:
            scene, recovered[trouble.__name__] = await trouble(Path(folder), seconds)
        found += scene.count()
        progress(number + 1, 4)
    with tempfile.TemporaryDirectory() as folder:
        eager, _ = await full_at_the_message(Path(folder), 0.2, eager=True, patience=1.0)
    progress(4, 4)
    found["slow_recoveries"] = sum(took > RECOVERY_S for took in recovered.values())
    return {
        "messages": found["messages"],
        "refused": found["refused"],
        **{name: found[name] for name in FAULTS},
        **{f"recovered_from_{name}_s": round(took, 2) for name, took in recovered.items()},
        "contrast_acknowledged_unstored": eager.count()["acknowledged_unstored"],
        "contrast_lost": eager.count()["lost"],
    }


@dataclass
class Scene:
    """One engine, and what its platform said to it and saw."""

    folder: Path
    platform: MemoryPlatform
    model: FakeOpenAI
    connection: object  # the store's
    eager: bool = False  # acknowledges before it stores
    patience: float = 30.0  # seconds to wait for the end of it all
    said: dict = field(default_factory=dict)  # event id by its text
    acknowledged: set = field(default_factory=set)
    refused: int = 0
    unstored: int = 0

    async def say(self, room, text):
        """Say something until it is acknowledged, as platforms do."""
        place = Conversation(platform="fake", channel=f"C{room}")
        event = message(f"{text} #{len(self.said)}.", conversation=place, at=time.time())
        self.said[event.text] = event.id
        while event.id not in self.acknowledged:
            if self.eager:
                self._acknowledge(event)
            try:
                await self.platform.inbox.accept(event)
            except StoreBusy:
                self.refused += 1
                await asyncio.sleep(PAUSE)
            else:
                self._acknowledge(event)

    def _acknowledge(self, event):
        self.acknowledged.add(event.id)
        with closing(sqlite3.connect(self.folder / "parley.db")) as db:
            sql = "select count(*) from inbox where event = ?"
            self.unstored += db.execute(sql, (event.id,)).fetchone() == (0,)

    async def recover(self, *saying):
        """Wait until all is acknowledged and answered; returns the seconds that it took."""
        began = time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.patience):
                await asyncio.gather(*saying)
                await self.platform.answers(len(self.said), timeout=self.patience)
        return time.monotonic() - began

    async def limit(self, pages=None):
        """Let the database grow to `pages` pages; not at all by default."""
        await self.connection.run(lambda db: _limit(db, pages))

    def count(self):
        """Say what became of everything."""
        seen = Counter(text.removeprefix(ECHO) for text in self.platform.texts())
        asked = Counter(call.args["messages"][-1]["content"] for call in self.model.calls)
        return Counter(
            messages=len(self.said),
            refused=self.refused,
            acknowledged_unstored=self.unstored,
            lost=sum(text not in seen for text in self.said),
            answered_twice=sum(times - 1 for times in seen.values()),
            models_asked_twice=sum(times - 1 for times in asked.values()),
        )


ECHO = "You said: "


def _limit(db, pages):
    have = db.execute("pragma page_count").fetchone()[0]
    db.execute(f"pragma max_page_count={pages or have}").fetchone()


@asynccontextmanager
async def scene(folder, **changes):
    """Set the stage."""
    async with FakeOpenAI(chunk=4000) as model:
        platform = MemoryPlatform()
        async with running(configuration(folder, model.base_url), platform) as engine:
            yield Scene(folder, platform, model, engine.inbox.intake._connection, **changes)


async def full_at_the_message(folder, seconds, **changes):
    """Say long things to a bot whose disk is full."""
    async with scene(folder, **changes) as it:
        await it.say(0, "hello")
        await it.limit()
        saying = [asyncio.create_task(it.say(room, LONG)) for room in range(ROOMS)]
        await asyncio.sleep(min(seconds, LONGEST_FULL_S))
        await it.limit(UNLIMITED)
        return it, await it.recover(*saying)


async def full_at_the_answer(folder, seconds):
    """Let the disk fill up while the model speaks, so that the answer cannot be stored."""
    async with scene(folder) as it:
        it.model.delay = 1.0  # long enough for the disk to be full in time
        await asyncio.gather(*(it.say(room, LONG) for room in range(ROOMS)))
        await it.model.until_called(ROOMS)
        await it.limit()
        await asyncio.sleep(it.model.delay + min(seconds, LONGEST_FULL_S))
        shown = len(it.platform.texts())
        await it.limit(UNLIMITED)
        took = await it.recover()
        it.unstored += shown  # final before it was stored
        return it, took


async def locked(folder, seconds):
    """Let another process hold the database while answers and messages come."""
    async with scene(folder) as it:
        it.model.delay = 0.3
        await it.say(0, "before the lock")
        await it.model.until_called(1)
        holder = await asyncio.create_subprocess_exec(
            sys.executable, "-c", HOLD, str(folder / "parley.db"),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        await holder.stdout.readline()
        saying = [asyncio.create_task(it.say(room, "locked")) for room in range(ROOMS)]
        await asyncio.sleep(seconds)
        it.unstored += len(it.acknowledged) - 1
        await holder.communicate(b"go")
        return it, await it.recover(*saying)


if __name__ == "__main__":
    alone("a full disk, a locked database", run, FAULTS, seconds=30.0)
