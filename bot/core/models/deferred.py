"""A model whose SDK is still being imported: its first question waits for it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing

from bot.domain.dialogue import Delta, Prompt
from bot.ports.model import Model


class Deferred:
    """Stands in for a model until it is there."""

    def __init__(self, opening: Awaitable[Model]) -> None:
        self._opening = asyncio.ensure_future(opening)

    async def ready(self) -> Model:
        """Wait for the model; raises what its opening raised."""
        return await asyncio.shield(self._opening)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Pass on what the model says."""
        model = await self.ready()
        async with aclosing(model.stream(prompt)) as deltas:
            async for delta in deltas:
                yield delta
