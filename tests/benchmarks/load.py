"""One bot under load, from its start to its last figure."""

import asyncio
import gc
import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.acceptance.stage import STAGES
from tests.benchmarks.bots import Bot
from tests.benchmarks.ledger import Ledger, Letter, Screen, percentile
from tests.benchmarks.model import PacedModel
from tests.benchmarks.process import BotProcess

Builder = Callable[[str, Any, str, Path], Bot]
PATIENCE = 30.0  # seconds for one answer
SETTLING = 2.0  # seconds of idleness before memory is looked at


@dataclass
class Phase:
    """What was measured while a number of chats were busy."""

    letters: list[Letter] = field(default_factory=list)
    cpu: float = 0.0  # seconds of the bot
    harness: float = 0.0  # seconds of this process
    seconds: float = 0.0

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds of the bot per message."""
        return 1000 * self.cpu / len(self.letters)

    def added_ms(self, percent: int) -> float:
        """Return a percentile of the added latency."""
        return 1000 * percentile([letter.added for letter in self.letters], percent)


class Load:
    """A fake platform, a fake model and one bot between them."""

    def __init__(
        self, builder: Builder, platform: str, folder: Path, asked: Sequence[str] = ("",)
    ) -> None:
        self.builder, self.platform, self.folder = builder, platform, folder
        self._asked = itertools.cycle(asked)
        self.ledger = Ledger()
        self._rooms = itertools.count()

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        self.place = STAGES[self.platform]()
        self.place.fake.calls = Screen(self.ledger)
        self.place.fake.in_guild = False  # Discord: direct messages only
        await self._stack.enter_async_context(self.place.fake)
        self.model = await self._stack.enter_async_context(PacedModel(self.ledger))
        bot = self.builder(self.platform, self.place, self.model.base_url, self.folder)
        self.bot = await self._stack.enter_async_context(BotProcess(bot, self.folder))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def first_reply(self) -> float:
        """Wait for the first answer; returns the CPU seconds since the start."""
        end = time.perf_counter() + PATIENCE
        while not self.place.connected():
            self.bot.expect_alive()
            if time.perf_counter() > end:
                raise self.bot.failed("does not connect")
            await asyncio.sleep(0.01)
        await self.ask(next(self._rooms))
        return self.bot.cpu()

    async def ask(self, room: int, more: str = "") -> Letter:
        """Write in a room and wait for the answer."""
        letter = self.ledger.write()
        words = f"{more}question {letter.number}? {next(self._asked)}"  # no search looks for that
        self.place.say(room, words.rstrip())
        try:
            await asyncio.wait_for(letter.shown, PATIENCE)
        except TimeoutError:
            self.bot.expect_alive()
            raise self.bot.failed("does not answer") from None
        return letter

    async def warm_up(self) -> None:
        """Let the bot do everything once; long messages also load a tokenizer, if it has one."""
        await self.phase(chats=5, seconds=0.5)
        room = next(self._rooms)
        for _ in range(4):
            await self.ask(room, "many words " * 200)

    async def phase(self, *, chats: int, seconds: float) -> Phase:
        """Keep a number of new chats busy: in each the next message follows the answer."""
        gc.collect()
        result, end = Phase(), time.perf_counter() + seconds
        before = self.bot.cpu(), time.process_time(), time.perf_counter()

        async def talk(room: int) -> None:
            while time.perf_counter() < end:
                result.letters.append(await self.ask(room))

        await asyncio.gather(*(talk(next(self._rooms)) for _ in range(chats)))
        after = self.bot.cpu(), time.process_time(), time.perf_counter()
        result.cpu, result.harness, result.seconds = (
            b - a for a, b in zip(before, after, strict=True)
        )
        return result


async def first_reply(
    builder: Builder, platform: str, folder: Path, asked: Sequence[str] = ("",)
) -> float:
    """Start a bot, and return the CPU seconds until its first answer.

    Raises:
        BotFailed: it ended, or did not answer within 30 s.
    """
    async with Load(builder, platform, folder, asked) as load:
        return await load.first_reply()


async def settled(load: Load) -> float:
    """Let a bot that has just started come to rest and warm up; returns its MB of RSS at rest."""
    await load.first_reply()
    await asyncio.sleep(SETTLING)
    idle = load.bot.memory()
    await load.warm_up()
    return idle
