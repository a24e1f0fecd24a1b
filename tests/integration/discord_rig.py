"""The Discord adapter with the real SDK on the fake Discord, and the ports in memory."""

import asyncio
import time
from contextlib import asynccontextmanager

from adapters.discord.descriptor import DESCRIPTOR
from adapters.discord.settings import DiscordSettings
from bot.core.health import Beat
from bot.domain.conversation import Address
from bot.domain.errors import StoreBusy
from bot.domain.events import MessageReceived
from bot.domain.replies import Finished, Text
from bot.ports.platform import Surroundings
from tests.fakes.discord import TOKEN


def done():
    """Return something that may be awaited or not, as the ports allow."""
    future = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future


class Inbox:
    """Takes events in memory; can be slow, busy, or not concerned."""

    def __init__(self):
        self.events = []
        self.known = set()
        self.asked = 0
        self.busy = 0  # how many calls still fail
        self.gate = None  # an asyncio.Event that holds accepts back
        self.concerned = True
        self.sender = None  # the adapter's, while it listens

    async def accept(self, event):
        self.asked += 1
        if self.gate:
            await self.gate.wait()
        await asyncio.sleep(0)
        if self.busy:
            self.busy -= 1
            raise StoreBusy("the disk is full")
        if event.id in self.known or not self.concerned:
            return False
        self.known.add(event.id)
        self.events.append(event)
        return True

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def texts(self):
        return [event.text for event in self.of(MessageReceived)]


class Marks:
    """Keeps marks over restarts of the adapter."""

    def __init__(self):
        self.put_in_order = []
        self.newest = {}

    async def read(self, platform):
        assert platform == "discord"
        return dict(self.newest)

    def put(self, platform, channel, message):
        self.put_in_order.append((channel, message))
        self.newest[channel] = message
        return done()


class Outbox:
    """What is known about one answer, over several attempts."""

    def __init__(self, *parts):
        self.parts = {part.index: part for part in parts}
        self.resumed = bool(parts)

    @property
    def known(self):
        return self.parts

    def begin(self, part):
        self.parts[part.index] = part
        return done()

    def sent(self, part):
        self.parts[part.index] = part
        return done()

    def withdrawn(self, index):
        del self.parts[index]
        return done()


async def saying(*words, pause=0.0):
    """Stream an answer."""
    for number, text in enumerate(words):
        if number and pause:
            await asyncio.sleep(pause)
        yield Text(text)
    yield Finished()


def answer_to(event, key="turn1", **more):
    """Address a reply as the core does."""
    values = {
        "conversation": event.conversation, "answers": event.message, "person": event.author.user,
        "private": event.private, "key": key, **more,
    }  # fmt: skip
    return Address(**values)


def built(discord, marks=None, streaming="edit", pulse=None, **settings):
    """Build the adapter through its descriptor, as the application does."""
    urls = {"api_base_url": discord.api_base_url, "gateway_url": discord.gateway_url}
    surroundings = Surroundings(
        bot_name="parley",
        streaming=streaming,
        marks=marks or Marks(),
        pulse=pulse or Beat("test", time.time),
        secret=lambda _: TOKEN,
    )
    return DESCRIPTOR.build(DiscordSettings(enabled=True, **{**urls, **settings}), surroundings)


@asynccontextmanager
async def listening(discord, inbox, marks=None, **settings):
    """Run the adapter until the block ends."""
    adapter = built(discord, marks, **settings)
    inbox.sender = adapter.sender
    await adapter.sender.open()
    before = len(discord.gateway.identifies)
    task = asyncio.create_task(adapter.receiver.listen(inbox))
    try:
        await discord.until(lambda: len(discord.gateway.identifies) > before or task.done())
        yield adapter
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await adapter.sender.close()


class Echo(Inbox):
    """An inbox whose core answers every message at once, one after another."""

    async def accept(self, event):
        new = await super().accept(event)
        if new and isinstance(event, MessageReceived):
            await self.sender.deliver(
                answer_to(event, event.id), saying(f"re: {event.text}"), Outbox()
            )
        return new
