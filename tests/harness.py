"""The real engine in a test: real store, real model backend over HTTP, an adapter in memory.

The adapter here is one more implementation of the platform port; it shows replies in a list.
"""

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

from bot.app.assembly import Outside
from bot.app.engine import assemble
from bot.backends.openai.settings import OpenAISettings
from bot.backends.sqlite.store import opened
from bot.config import Config, Secrets
from bot.config.sections import PrivacySettings
from bot.core.health import Health
from bot.domain.errors import Gone
from bot.domain.policy import AccessPolicy
from bot.domain.replies import Finished, Part, Receipt, Retraction, Text
from bot.ports.platform import Adapter

OPEN = AccessPolicy(dm_policy="open", group_policy="open")
QUIET = PrivacySettings(notice=False)  # a first answer is like every other


@dataclass
class Shown:
    """One reply as the person sees it."""

    to: object
    text: str = ""
    finished: Finished | None = None
    deleted: bool = False


@dataclass
class MemoryPlatform:
    """A platform without a network: shows pieces at once, loses nothing over a restart."""

    shown: list[Shown] = field(default_factory=list)
    finals: list[str] = field(default_factory=list)  # every text that was once shown as final
    moments: list[tuple] = field(default_factory=list)  # (address, text) of all that was ever seen
    failures: list[BaseException] = field(default_factory=list)
    inbox: object = None
    files: object = None  # where attachments are kept
    history: object = None  # tells what was said in a thread before
    catalogue: tuple = ()
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    hold: asyncio.Event | None = None  # set it to let replies become final

    async def open(self):
        pass

    async def close(self):
        pass

    async def publish(self, catalogue):
        self.catalogue = catalogue

    async def listen(self, inbox):
        self.inbox = inbox
        self.ready.set()
        await asyncio.Event().wait()

    async def deliver(self, to, reply, outbox):
        if self.failures:
            raise self.failures.pop(0)
        if 0 not in outbox.known or not outbox.known[0].id:
            self.shown.append(Shown(to))
            await outbox.sent(Part(index=0, id=str(len(self.shown))))
        shown = self.shown[int(outbox.known[0].id) - 1]
        shown.text, shown.finished = "", None
        async for piece in reply:
            match piece:
                case Text(words):
                    shown.text += words
                    self.moments.append((to, shown.text))
                case Retraction(sentence):
                    shown.text = sentence
                case Finished():
                    if self.hold:
                        await self.hold.wait()
                    shown.finished = piece
                    self.finals.append(shown.text)
        if not shown.text:  # whatever was shown is taken away
            for index, part in dict(outbox.known).items():
                if part.id:
                    self.shown[int(part.id) - 1].deleted = True
                outbox.withdrawn(index)
            return Receipt()
        return Receipt((outbox.known[0].id,))

    def texts(self):
        return [shown.text for shown in self.shown if shown.finished and not shown.deleted]

    async def until(self, condition, timeout=10):
        async with asyncio.timeout(timeout):
            while not condition():
                await asyncio.sleep(0.005)

    async def answers(self, count, timeout=10):
        await self.until(lambda: len(self.texts()) >= count, timeout)
        return self.texts()


def configuration(folder, base_url, **changes) -> Config:
    model = OpenAISettings(base_url=base_url, model="fake-model", timeout_s=5)
    config = Config(data_dir=folder, models={"main": model}, access=OPEN, privacy=QUIET)
    return replace(config, **changes)


@asynccontextmanager
async def running(config, platform, name="fake", **given):
    """Run the engine until the block ends; a block that raises kills nothing but itself.

    `given` goes into what the engine is given from outside: a clock, a way to read settings again.
    """
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(config.data_dir / "parley.db"))
        adapters = {name: Adapter(receiver=platform, sender=platform, files=platform.files,
                                  history=platform.history)}  # fmt: skip
        secrets = Secrets({"OPENAI_API_KEY": "k"})
        outside = Outside(health=Health(now=time.time), **given)
        engine = await assemble(config, secrets, store, adapters, stack, outside)
        stop = asyncio.Event()
        platform.ready.clear()
        task = asyncio.create_task(engine.run(stop))
        try:
            ready = asyncio.create_task(platform.ready.wait())
            await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
            ready.cancel()
            if task.done():
                await task
            yield engine
        finally:
            stop.set()
            await task


__all__ = ["Gone", "MemoryPlatform", "configuration", "running"]
