"""An embedder whose packages are still being imported: its first texts wait for it."""

import asyncio
from collections.abc import Awaitable, Sequence

from bot.ports.embedder import Embedder, Texts


class DeferredEmbedder:
    """Stands in for an embedder until it is there; its name is known before."""

    def __init__(self, name: str, opening: Awaitable[Embedder]) -> None:
        self._name = name
        self._opening = asyncio.ensure_future(opening)

    @property
    def name(self) -> str:
        """What will make these vectors."""
        return self._name

    async def ready(self) -> Embedder:
        """Wait for the embedder; raises what its opening raised."""
        return await asyncio.shield(self._opening)

    async def embed(self, texts: Texts) -> Sequence[bytes]:
        """Return what the embedder makes of them, once it is there."""
        embedder = await self.ready()
        return await embedder.embed(texts)

    async def spoken(self, question: str, text: str) -> float | None:
        """Return what the embedder says of it, once it is there."""
        embedder = await self.ready()
        return await embedder.spoken(question, text)
