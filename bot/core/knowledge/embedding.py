"""Gives passages their vectors, in the background: searching goes on by words meanwhile.

It begins with whatever has none, so a start, a new document, a kill and another embedder are all
the same to it; a kill costs one batch at most. A passage that no vector is made of holds up none
behind it: batches that fail become smaller, and what fails alone is put aside for a while.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.domain.errors import ModelError, OverBudget, StoreError
from bot.ports.clock import Clock
from bot.ports.embedder import Embedder, Texts
from bot.ports.library import Embeddings, Plain

log = logging.getLogger(__name__)
BATCH = 32  # passages that are embedded by one call
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 600.0  # seconds before another try; doubles with each failure


@dataclass(slots=True, kw_only=True)
class Embedding:
    """Keeps the vectors of one embedder complete."""

    library: Embeddings
    embedder: Embedder
    clock: Clock
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _most: int = BATCH  # passages of the next call
    _aside: set[int] = field(default_factory=set)  # passages that failed alone

    def changed(self) -> None:
        """Look again: there are new passages."""
        self._news.set()

    async def run(self) -> None:
        """Embed until cancelled."""
        pause = FIRST_PAUSE
        while True:
            self._news.clear()
            try:
                done = await self.step()
            except (ModelError, OverBudget, StoreError) as error:
                log.warning("passages get no vectors for %g s: %s", pause, error)
                await self.clock.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            pause = FIRST_PAUSE
            if not done:
                await self._rest()

    async def step(self) -> int:
        """Embed the next passages; returns how many.

        Raises:
            ModelError: the embedder gives no vectors now.
            OverBudget: a limit leaves no room for it.
            StoreError: they cannot be stored.
        """
        limit = self._most + len(self._aside)
        plain = await self.library.plain(self.embedder.name, limit=limit)
        batch = [one for one in plain if one.id not in self._aside][: self._most]
        if not batch:
            return 0
        try:
            await self._embed(batch)
        except ModelError:
            if len(batch) == 1:
                self._aside.add(batch[0].id)
            self._most = max(len(batch) // 2, 1)
            raise
        self._most = min(self._most * 2, BATCH)
        return len(batch)

    async def _rest(self) -> None:
        """Wait for news, but look again after a while: who is forgotten changes passages, too."""
        try:
            await asyncio.wait_for(self._news.wait(), LONGEST_PAUSE)
        except TimeoutError:
            self._aside, self._most = set(), 1

    async def _embed(self, batch: Sequence[Plain]) -> None:
        texts = (*(one.title for one in batch), *(one.text for one in batch))
        vectors = await self.embedder.embed(Texts(texts=texts))
        titles, bodies = vectors[: len(batch)], vectors[len(batch) :]
        pairs = zip(titles, bodies, strict=True)
        found = {one.id: pair for one, pair in zip(batch, pairs, strict=True)}
        await self.library.embedded(self.embedder.name, found)
