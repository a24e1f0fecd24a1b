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
ADVANCES = 5  # of the progress bar in a run


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
        words = f"{more}question{letter.number}? {next(self._asked)}"
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


async def measure(
    builder: Builder, platform: str, seconds: float, folder: Path, advance: Callable[[], None],
    asked: Sequence[str],
) -> dict[str, float]:  # fmt: skip
    """Start a bot, put it under load and return its figures; each phase takes `seconds`.

    Every message has a number, and one of the texts that are `asked`.

    Raises:
        BotFailed: it ended, or did not answer within 30 s.
    """
    async with Load(builder, platform, folder, asked) as load:
        first = await load.first_reply()
        advance()
        await asyncio.sleep(SETTLING)
        idle = load.bot.memory()
        await load.warm_up()
        advance()
        one = await load.phase(chats=1, seconds=seconds)
        advance()
        full = await load.phase(chats=32, seconds=seconds)
        advance()
        load.model.pace(first=0.3, words=40, gap=0.02)
        many = await load.phase(chats=100, seconds=seconds)
        advance()
    figures = {
        "CPU ms per message, saturated": full.cpu_ms,
        "CPU ms per message, one chat": one.cpu_ms,
        "added ms p50, one chat": one.added_ms(50),
        "added ms p99, one chat": one.added_ms(99),
        "added ms p50, 100 chats": many.added_ms(50),
        "added ms p99, 100 chats": many.added_ms(99),
        "CPU s to the first reply": first,
        "RSS MB, idle": idle,
        "replies/s, saturated": len(full.letters) / full.seconds,
        "harness": max(phase.harness / phase.seconds for phase in (one, many, full)),
    }
    return {name: round(figure, 3) for name, figure in figures.items()}
