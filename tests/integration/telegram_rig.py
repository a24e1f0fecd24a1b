"""What the Telegram tests share: the built adapter, an inbox and an outbox in memory."""

import asyncio
import socket
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from adapters.telegram.descriptor import DESCRIPTOR
from adapters.telegram.settings import TelegramSettings
from bot.core.health import Beat
from bot.domain.conversation import Address, Conversation
from bot.domain.errors import ConfigError
from bot.domain.replies import Finished, Receipt, Text
from bot.ports.platform import Surroundings
from tests.fakes.telegram import TOKEN

SECRET = "s" * 32


@dataclass
class Inbox:
    """Keeps events by id; refuses them while `failures` has something to raise."""

    events: dict = field(default_factory=dict)
    failures: list = field(default_factory=list)
    calls: list = field(default_factory=list)
    hold: asyncio.Event | None = None

    async def accept(self, event):
        self.calls.append(event)  # before the first await, as the core does
        if self.hold:
            await self.hold.wait()
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        new = event.id not in self.events
        self.events.setdefault(event.id, event)
        return new

    @property
    def texts(self):
        return [event.text for event in self.events.values()]


@dataclass
class Outbox:
    """Remembers parts, as the journal of a turn does."""

    known: dict = field(default_factory=dict)
    resumed: bool = False
    log: list = field(default_factory=list)

    def begin(self, part):
        self.known.setdefault(part.index, part)
        return self._done("begin", part.index)

    def sent(self, part):
        self.known[part.index] = part
        return self._done("sent", part.index)

    def withdrawn(self, index):
        self.known.pop(index, None)
        return self._done("withdrawn", index)

    def _done(self, what, index):
        self.log.append((what, index))
        future = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future


class Marks:
    async def read(self, platform):
        return {}

    def put(self, platform, channel, message):
        raise AssertionError("Telegram redelivers by itself")


def beat():
    """Return a pulse as the health of the bot keeps it."""
    return Beat("telegram", time.time)


def built(fake, *, streaming="edit", secrets=None, pulse=None, roles=False, **settings):
    """Build the adapter against a fake, as the bot does."""
    known = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_WEBHOOK_SECRET": SECRET} | (secrets or {})
    values = {"base_url": fake.base_url, "base_file_url": fake.base_file_url, "poll_timeout_s": 5}

    def secret(variable):
        if variable not in known:
            raise ConfigError(f"{variable}: is not set")
        return known[variable]

    surroundings = Surroundings(
        bot_name="Parley",
        streaming=streaming,
        marks=Marks(),
        pulse=pulse or beat(),
        roles=roles,
        secret=secret,
    )
    return DESCRIPTOR.build(TelegramSettings(**values | settings), surroundings)


@asynccontextmanager
async def listening(adapter, inbox):
    """Run the receiving side; waits are short, so that back-off takes no time."""
    receiver = getattr(adapter.receiver, "receiver", adapter.receiver)  # below who asks for roles
    receiver.sleep = lambda seconds: asyncio.sleep(min(seconds, 0.02))
    task = asyncio.create_task(adapter.receiver.listen(inbox))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await adapter.sender.close()


@asynccontextmanager
async def sending(fake, **more):
    """Open the sending side."""
    adapter = built(fake, **more)
    await adapter.sender.open()
    try:
        yield adapter.sender
    finally:
        await adapter.sender.close()


def address(chat=42, *, private=True, answers="", thread="", **more):
    place = Conversation(platform="telegram", channel=str(chat), thread=thread)
    return Address(conversation=place, private=private, answers=answers, **more)


async def reply(*pieces, gate=None):
    """Yield words or pieces; a gate holds back everything behind the first."""
    for number, piece in enumerate(pieces):
        if gate and number == 1:
            await gate.wait()
        yield Text(piece) if isinstance(piece, str) else piece
    yield Finished()


async def answer(sender, to, *pieces, outbox=None) -> Receipt:
    """Deliver a reply that is there at once."""
    return await sender.deliver(to, reply(*pieces), outbox or Outbox())


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
