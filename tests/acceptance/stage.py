"""A stage for the installed program: one fake platform, one fake model, one `parley run`.

Rooms are named by number. `places.py` knows what a room is on each platform, `counting.py` how
answers are told apart.
"""

import asyncio
import os
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.acceptance.counting import TOKEN, Count, Shapes, compared, foreign
from tests.acceptance.places import PRIVATE, STAGES
from tests.fakes.openai import FakeOpenAI

__all__ = ["PARLEY", "SECRETS", "STAGES", "Count", "Stage", "surroundings"]

PARLEY = str(Path(sys.executable).with_name("parley"))
SECRETS = {
    "TELEGRAM_BOT_TOKEN": "123456789:" + "T" * 35,
    "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_SIGNING_SECRET": "s" * 32,
    "DISCORD_BOT_TOKEN": "NDI0Mg.fake.token",
}  # fmt: skip


def surroundings():
    """Return the environment of a bot on a stage."""
    inherited = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    return {**inherited, **SECRETS, "OPENAI_API_KEY": "k"}


@dataclass
class Stage:
    """Everything around one bot process."""

    platform: str
    folder: Path
    streaming: str = "edit"
    kinds: Sequence[str] = PRIVATE
    shapes: Shapes = Shapes()
    adapter: str = ""  # further settings of the adapter
    talking: str = ""  # further settings of the model
    chatting: str = ""  # further settings of the chat
    sections: str = ""  # further sections of the configuration
    spawn: Any = None  # starts the process instead of a plain start of the program
    sent: Counter = field(default_factory=Counter)  # messages by room
    foreign: int = 0  # prompts with words of another room
    process: Any = None
    _open: defaultdict = field(default_factory=lambda: defaultdict(list))  # tokens by room

    async def __aenter__(self):
        self._stack = AsyncExitStack()
        self.place = STAGES[self.platform](self.kinds)
        self.model = await self._stack.enter_async_context(FakeOpenAI(answer=self._answer))
        await self._stack.enter_async_context(self.place.fake)
        self.log = (self.folder / "log").open("ab")
        self.config = self.folder / "config.toml"
        self.config.write_text(f"""
config_version = 1
data_dir = "{self.folder}/data"
[models.main]
kind = "openai"
base_url = "{self.model.base_url}"
model = "fake-model"
{self.talking}
[chat]
streaming = "{self.streaming}"
{self.chatting}
[privacy]
notice = false

[access]
dm_policy = "open"
group_policy = "open"
[adapters.{self.platform}]
enabled = true
{self.place.settings()}
{self.adapter}
{self.sections}
""")
        return self

    async def __aexit__(self, *_):
        if self.process and self.process.returncode is None:
            await self.kill()
        self.log.close()
        await self._stack.aclose()

    async def start(self):
        """Start the program; it need not be ready when this returns."""
        self._connections = self.place.connections()
        if self.spawn:
            self.process = await self.spawn()
            return
        self.process = await asyncio.create_subprocess_exec(
            PARLEY, "run", "--config", str(self.config), cwd=self.folder, env=surroundings(),
            stdin=asyncio.subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            start_new_session=True,
        )  # fmt: skip

    def connected(self):
        """Whether the process that was started last listens."""
        return self.place.connections() > self._connections

    async def begin(self, rooms):
        """Start with new rooms and let each say one thing, so that all are known.

        What is written to a Discord bot in a channel that it has never seen, while it is not
        connected, is nowhere to be found: Discord neither redelivers nor lists such channels.
        """
        rooms = range(rooms) if isinstance(rooms, int) else rooms
        self.place.open(rooms)
        await self.start()
        async with asyncio.timeout(30):
            while not self.connected():
                assert self.process.returncode is None, (self.folder / "log").read_text()[-500:]
                await asyncio.sleep(0.01)
        for room in rooms:
            self.say(room)
        await self.all_answered()

    async def kill(self):
        """Kill -9, as a power switch would."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self):
        """Ask the program to end; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 30)

    def say(self, room, text="hello"):
        """Send the next message of a room; returns its token."""
        token = f"{room}-{self.sent[room]}"
        self.sent[room] += 1
        self._open[room].append(token)
        self.place.say(room, f"{text} #{token}")
        return token

    async def quiet(self, room):
        """Wait until a room's messages are all answered."""
        async with asyncio.timeout(60):
            while self.unanswered(room):
                await asyncio.sleep(0.02)

    def unanswered(self, room):
        """Return the tokens of a room's messages that have not been answered to the end yet."""
        if self._open[room]:
            shown = self.place.shown(room)
            self._open[room] = [
                token
                for token in self._open[room]
                if not any(f"#{token}." in text for text in shown)
            ]
        return self._open[room]

    def answered(self):
        """How many messages have been answered to the end."""
        return sum(self.sent.values()) - sum(len(self.unanswered(room)) for room in self.sent)

    async def all_answered(self, within=60.0, progress=None):
        """Wait until every message has its complete answer, or nothing moved for `within`."""
        seen, last = -1, asyncio.get_running_loop().time()
        while (count := self.answered()) < sum(self.sent.values()):
            now = asyncio.get_running_loop().time()
            if count != seen:
                seen, last = count, now
                if progress:
                    progress(count)
            if now - last > within or self.process.returncode is not None:
                return
            await asyncio.sleep(0.05)

    def count(self):
        """Compare what people wrote with what they see."""
        result = Count(crossed=self.foreign)
        for room, sent in self.sent.items():
            result += compared(room, sent, self.place.shown(room), self.shapes)
        return result

    def close_rooms(self):
        """Count the rooms and forget them, so that long runs do not look at old ones for ever."""
        result = self.count()
        self.sent.clear()
        self._open.clear()
        self.foreign = 0
        self.model.calls.clear()
        self.place.fake.calls.clear()
        return result

    def _answer(self, body):
        """Answer the newest message of the prompt by its token, as fast as its shape asks."""
        self.foreign += foreign(body)
        token = TOKEN.findall(body["messages"][-1]["content"])[-1]
        text = self.shapes.answer(token)
        if self.shapes.limit:
            self.model.chunk = -(-len(text) // self.shapes.chunks(token))
        return text
