"""A guard whose packages are still being imported: its first judgement waits for it."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field

from bot.domain.moderation import Sample
from bot.ports.guard import Guard, Judgement


@dataclass(slots=True)
class DeferredGuard:
    """Stands in for a guard until it is there."""

    name: str
    opening: Awaitable[Guard]
    _opened: asyncio.Future[Guard] = field(init=False)

    def __post_init__(self) -> None:
        """Begin to open it."""
        self._opened = asyncio.ensure_future(self.opening)

    async def judge(self, sample: Sample) -> Judgement:
        """Ask the guard, once it is there; raises GuardError when it cannot tell."""
        guard = self._opened.result() if self._opened.done() else await asyncio.shield(self._opened)
        return await guard.judge(sample)
