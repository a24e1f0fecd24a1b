"""One schedule, lived through: people, platforms, a model, and a bot that is killed and restarted.

The bot is the real engine over its real store on a real file; only the time, the platforms and the
model are ours. A killed life leaves its file as `kill -9` does: the next one opens a copy of
database and write-ahead log, without the shared memory that the dead process had.
"""

import asyncio
import contextvars
import logging
import shutil
import sqlite3
from collections import Counter
from contextlib import AsyncExitStack, closing, contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

from bot.app import models as modelling
from bot.app.engine import assemble
from bot.backends.openai.settings import OpenAISettings
from bot.backends.sqlite.store import opened
from bot.config import Config, Secrets
from bot.config.sections import PrivacySettings, TurnSettings
from bot.core.models import Deferred
from bot.domain.errors import ParleyError, StoreError
from bot.domain.policy import AccessPolicy, MemoryPolicy
from bot.ports.platform import Adapter
from tests.acceptance.proof.chats import Chat, ChatSender
from tests.acceptance.proof.doors import Door
from tests.acceptance.proof.happenings import Script
from tests.acceptance.proof.minds import Mind
from tests.acceptance.proof.virtual import LIFE, WORLD, Disk, chance

PATIENCE = 900.0  # seconds after the last fault within which all must be answered
QUIET = PrivacySettings(notice=False)  # a first answer is like every other
OPEN = AccessPolicy(dm_policy="open", group_policy="open", require_mention=False)
# In life the fifth death of a turn is its last; here one may meet more kills than that.
TURNS = TurnSettings(timeout_s=20.0, attempts=50)


class World:
    """Everything around the bot, and the bot."""

    def __init__(self, plan, folder, loop, *, blind=False):
        self.plan, self.folder, self.loop = plan, Path(folder), loop
        self.life = 0
        self.moments = Counter()
        self.history, self.complaints = [], []
        self.kills = Counter()
        platforms = sorted({room.platform for room in plan.rooms})
        self.chats = {
            name: Chat(name, self, plan.weather.get(name, []), blind=blind) for name in platforms
        }
        self.doors = {name: Door(self, name) for name in platforms}
        self.mind = Mind(self)
        self.disk = loop.disk = Disk(plan.name, self.moment)
        self.letters, self.sayings = {}, {}
        self.killed, self.stop, self.over = asyncio.Event(), asyncio.Event(), False
        self.locked = None
        self.listening = False

    # ---- what others tell and ask

    def say(self, who, what):
        """Note something for whoever reads the history."""
        self.history.append((self.loop.now, self.life, who, what))

    def complain(self, what):
        """Note a violation."""
        self.say("VIOLATION", what)
        self.complaints.append(what)

    def saying(self, token):
        return self.sayings[token.partition("v")[0]]

    def lanes(self, platform):
        return sorted({str(room) for room in self.plan.rooms if room.platform == platform})

    async def pause(self, *names):
        """Wait a drawn while, up to the seconds that are named last."""
        await asyncio.sleep(names[-1] * chance(self.plan.name, self.moments.total(), *names))

    def moment(self, what, life=None):
        """Pass one step at which the bot may die; True when it is dead."""
        if self.loop.is_dead() or (life is not None and life != self.life):
            return self.loop.is_dead()
        self.moments[what] += 1
        if (what, self.moments[what]) not in self.plan.kill_moments or self.over:
            return False
        self.kill(what)
        return True

    def kill(self, why):
        """Kill -9."""
        if self.life not in self.loop.dead and not self.over:
            self.say("KILL", f"-9, at: {why}")
            self.kills[why] += 1
            self.loop.kill(self.life)
            self.killed.set()

    # ---- lives of the bot

    @property
    def path(self):
        return self.folder / str(self.life) / "parley.db"

    async def live(self):
        """Keep a bot running until the schedule is over, as a supervisor of processes does."""
        while not self.over:
            self.life += 1
            self.killed.clear()
            self.stop.clear()
            await self._move_in()
            context = contextvars.copy_context()
            context.run(LIFE.set, self.life)
            bot = self.loop.create_task(self._bot(), context=context)
            dying = self.loop.create_task(self.killed.wait())
            await asyncio.wait({bot, dying}, return_when=asyncio.FIRST_COMPLETED)
            dying.cancel()
            if bot.done():
                self._ended(bot.exception())
            self.disk.abandon(self.life)
            draw = chance(self.plan.name, "gap", self.life)
            gap = 0.2 + draw / 2 if draw < 0.6 else 3 * draw if draw < 0.9 else 150.0
            await asyncio.sleep(0 if self.over else gap)

    async def _bot(self):
        config = Config(
            data_dir=self.path.parent, access=OPEN, turns=TURNS, privacy=QUIET,
            models={"main": OpenAISettings(base_url="http://127.0.0.1:9/v1", model="m")},
            memory=MemoryPolicy(max_tokens=400_000),
        )  # fmt: skip
        adapters = {
            name: Adapter(receiver=self.doors[name], sender=ChatSender(chat))
            for name, chat in self.chats.items()
        }
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(opened(self.path))
            for door in self.doors.values():
                door.marks = store.records
            with patch.object(modelling, "deferred", lambda *_: {"main": Deferred(self._model())}):
                engine = await assemble(config, Secrets({}), store, adapters, stack)
            await engine.run(self.stop)

    async def _model(self):
        return self.mind

    async def _move_in(self):
        """Bring the files of the last life along, without what only its process had."""
        self.path.parent.mkdir()
        last = self.folder / str(self.life - 1)
        for file in last.glob("parley.db*"):
            if not file.name.endswith(("-shm", ".lock")):
                shutil.copy(file, self.path.parent)
        shutil.rmtree(last, ignore_errors=True)
        if self.locked:
            self.unlock()
            self.lock()

    def _ended(self, error):
        if isinstance(error, StoreError):
            self.say("bot", f"does not start: {type(error).__name__}")
        elif error is not None:
            self.complain(f"the bot ended with {error!r}")
        else:
            self.say("bot", "has ended")

    # ---- the store

    def lock(self):
        """Let another process hold the database."""
        self.unlock()
        self.locked = sqlite3.connect(self.path, isolation_level=None)
        with suppress(sqlite3.OperationalError):
            self.locked.execute("begin immediate")

    def unlock(self):
        """Let it go."""
        if self.locked:
            self.locked.close()
        self.locked = None

    def rows(self, sql):
        """Read the database, as an operator could."""
        with closing(sqlite3.connect(self.path)) as db:
            return db.execute(sql).fetchall()

    # ---- the schedule

    async def play(self):
        """Live through the plan and until all is quiet; then end the bot politely."""
        self.loop.set_exception_handler(self._unhandled)
        with Watching(self).alone():
            await self._play()

    async def _play(self):
        last = Script(self).begin()
        living = self.loop.create_task(self.live(), context=WORLD)
        try:
            await asyncio.sleep(last + 0.01)
            await self._quiet()
        finally:
            self.over = True
            self.stop.set()
            await living
            self.unlock()

    async def _quiet(self):
        deadline = self.loop.now + PATIENCE
        while not self._is_quiet():
            if self.loop.now > deadline:
                self.complain(f"not quiet {PATIENCE:g} s after the last fault")
                return
            await asyncio.sleep(1.0)

    def _is_quiet(self):
        letters = [letter for door in self.doors.values() for letter in door.mail]
        if not all(letter.settled for letter in letters) or self.life in self.loop.dead:
            return False
        try:
            return self.rows("select count(*) from inbox where payload is not null") == [(0,)]
        except sqlite3.OperationalError:  # it is just beginning
            return False

    def _unhandled(self, loop, context):
        if not loop.is_dead():
            self.complain(f"unhandled: {context.get('message')}: {context.get('exception')!r}")


class Watching(logging.Handler):
    """Hears what the bot logs; an error that is not one of its own is a defect."""

    def __init__(self, world):
        super().__init__(logging.DEBUG)
        self.world = world

    @contextmanager
    def alone(self):
        """Be the only one who hears it meanwhile."""
        log = logging.getLogger("bot")
        before = log.level, log.propagate
        log.addHandler(self)
        log.propagate = False
        log.setLevel(logging.DEBUG)
        yield
        log.removeHandler(self)
        log.propagate = before[1]
        log.setLevel(before[0])

    def emit(self, record):
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, ParleyError):
            self.world.complain(f"unexpected in the bot: {error!r}")
        if record.levelno >= logging.WARNING:
            self.world.say("log", record.getMessage())
