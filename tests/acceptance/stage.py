"""A stage for the installed program: one fake platform, one fake model, one `parley run`.

Rooms are private chats, named by number. Every message carries a token (`#3-17`: room 3, message 17);
the model answers with the token in front and, only at the very end, with the token closed (`#3-17.`),
so that a complete answer, a partial one and a foreign one can be told apart.
"""

import asyncio
import itertools
import os
import re
import signal
import sys
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.discord import FakeDiscord
from tests.fakes.openai import FakeOpenAI
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram

PARLEY = str(Path(sys.executable).with_name("parley"))
BEGUN = re.compile(r"#(\d+-\d+) ")
DONE = re.compile(r"#(\d+-\d+)\.")
PLACEHOLDER = "…"
SECRETS = {
    "TELEGRAM_BOT_TOKEN": "123456789:" + "T" * 35,
    "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_SIGNING_SECRET": "s" * 32,
    "DISCORD_BOT_TOKEN": "NDI0Mg.fake.token",
}  # fmt: skip


class TelegramStage:
    """Private chats with ids from 1001."""

    def __init__(self) -> None:
        self.fake = FakeTelegram()

    def settings(self):
        return f'base_url = "{self.fake.base_url}"\nbase_file_url = "{self.fake.base_file_url}"'

    def say(self, room, text):
        self.fake.say(text, chat=1001 + room, person=1001 + room)

    def connected(self):
        return bool(self.fake.called("getUpdates"))

    def shown(self, room):
        return [message.source for message in self.fake.shown(1001 + room)]


class SlackStage:
    """Direct messages D0, D1, …"""

    def __init__(self) -> None:
        self.fake = FakeSlack(ack_timeout=3.0, retries=10, echo=False)

    def settings(self):
        return f'base_url = "{self.fake.base_url}"'

    def say(self, room, text):
        self.fake.say(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
                      channel=f"D{room}", user=f"U{room}")  # fmt: skip

    def connected(self):
        return bool(self.fake.sockets)

    def shown(self, room):
        return [text for _, text in self.fake.shown(f"D{room}")]


class DiscordStage:
    """Direct messages of users from 600."""

    def __init__(self) -> None:
        self.fake = FakeDiscord()

    def settings(self):
        return f'api_base_url = "{self.fake.api_base_url}"\ngateway_url = "{self.fake.gateway_url}"'

    def say(self, room, text):
        self.fake.say(text, user=str(600 + room))

    def connected(self):
        return bool(self.fake.gateway.session)

    def shown(self, room):
        return self.fake.shown(self.fake.direct(str(600 + room)))


STAGES = {"telegram": TelegramStage, "slack": SlackStage, "discord": DiscordStage}


@dataclass
class Count:
    """What became of every message."""

    messages: int = 0
    lost: int = 0
    doubled: int = 0
    swapped: int = 0
    crossed: int = 0
    partial: int = 0  # messages left behind that show a part of an answer
    placeholders: int = 0  # "…" without an answer: a bubble, not a message lost

    def row(self):
        return [self.messages, self.lost, self.doubled, self.swapped, self.crossed, self.partial,
                self.placeholders]  # fmt: skip


@dataclass
class Stage:
    """Everything around one bot process."""

    platform: str
    folder: Path
    streaming: str = "edit"
    sent: Counter = field(default_factory=Counter)  # messages by room
    process: asyncio.subprocess.Process | None = None

    async def __aenter__(self):
        self._stack = AsyncExitStack()
        self.place = STAGES[self.platform]()
        self.model = await self._stack.enter_async_context(FakeOpenAI(answer=answer))
        await self._stack.enter_async_context(self.place.fake)
        self.log = (self.folder / "log").open("ab")
        (self.folder / "config.toml").write_text(f"""
config_version = 1
data_dir = "{self.folder}/data"
[models.main]
kind = "openai"
base_url = "{self.model.base_url}"
model = "fake-model"
[chat]
streaming = "{self.streaming}"
[access]
dm_policy = "open"
[adapters.{self.platform}]
enabled = true
{self.place.settings()}
""")
        return self

    async def __aexit__(self, *_):
        if self.process and self.process.returncode is None:
            await self.kill()
        self.log.close()
        await self._stack.aclose()

    async def start(self):
        """Start the program; it need not be ready when this returns."""
        environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        self.process = await asyncio.create_subprocess_exec(
            PARLEY, "run", "--config", str(self.folder / "config.toml"), cwd=self.folder,
            env={**environment, **SECRETS, "OPENAI_API_KEY": "k"}, stdin=asyncio.subprocess.DEVNULL,
            stdout=self.log, stderr=self.log, start_new_session=True,
        )  # fmt: skip

    async def begin(self, rooms):
        """Start for the first time and let each room say one thing, so that all are known.

        What is written to a Discord bot in a channel that it has never seen, while it is not
        connected, is nowhere to be found: Discord neither redelivers nor lists such channels.
        """
        await self.start()
        async with asyncio.timeout(30):
            while not self.place.connected():
                await asyncio.sleep(0.01)
        for room in range(rooms):
            self.say(room)
        await self.all_answered()

    async def kill(self):
        """Kill -9, as a power switch would."""
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self):
        """Ask the program to end; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 30)

    def say(self, room, text="hello"):
        """Send the next message of a room."""
        self.place.say(room, f"{text} #{room}-{self.sent[room]}")
        self.sent[room] += 1

    async def quiet(self, room):
        """Wait until a room's messages are all answered."""
        async with asyncio.timeout(60):
            while len(set(self._tokens(room, DONE))) < self.sent[room]:
                await asyncio.sleep(0.02)

    def answered(self):
        """How many messages have a complete answer."""
        return sum(len(set(self._tokens(room, DONE))) for room in self.sent)

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
        result = Count(messages=sum(self.sent.values()))
        for room, sent in self.sent.items():
            done = self._tokens(room, DONE)
            expected = [f"{room}-{n}" for n in range(sent)]
            times = Counter(done)
            result.lost += sum(token not in times for token in expected)
            result.doubled += sum(count - 1 for token, count in times.items())
            result.crossed += sum(token not in expected for token in times)
            order = [expected.index(token) for token in dict.fromkeys(done) if token in expected]
            result.swapped += sum(b < a for a, b in itertools.pairwise(order))
            for text in self.place.shown(room):
                result.partial += bool(BEGUN.search(text)) and not DONE.search(text)
                result.placeholders += text == PLACEHOLDER
        result.crossed += sum(foreign(call.args) for call in self.model.calls)
        return result

    def _tokens(self, room, pattern):
        return [token for text in self.place.shown(room) for token in pattern.findall(text)]


def answer(body):
    """Answer the newest message of the prompt by its token."""
    token = re.findall(r"#(\d+-\d+)", body["messages"][-1]["content"])[-1]
    words = " ".join(f"word{n}" for n in range(24))
    return f"#{token} {words} #{token}."


def foreign(body):
    """Whether a prompt holds tokens of more than one room."""
    rooms = {
        token.split("-")[0]
        for line in body["messages"]
        for token in re.findall(r"#(\d+-\d+)", line["content"])
    }
    return len(rooms) > 1
