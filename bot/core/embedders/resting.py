"""Let an embedder that failed rest, so that no question waits for it: words find meanwhile.

Each rest is longer than the one before; when it is over one question tries it again. What is
embedded in the background does not wait for anybody, and has pauses of its own.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from bot.core.models.breaker import FIRST_REST_S, LONGEST_REST_S
from bot.domain.errors import ModelError, ModelRefused, OverBudget
from bot.ports.embedder import Embedder, Texts

log = logging.getLogger(__name__)
SLOW_S = 4.0  # whoever gave up after so many seconds was failed too


class RestingEmbedder:
    """One embedder, with a memory of how it fared of late."""

    def __init__(self, embedder: Embedder, *, now: Callable[[], float] = time.monotonic) -> None:
        self._embedder, self._now = embedder, now
        self._rest = 0.0  # seconds of the present rest, or of the last one; 0: it answers
        self._until = 0.0

    @property
    def name(self) -> str:
        """What made these vectors."""
        return self._embedder.name

    async def embed(self, texts: Texts) -> Sequence[bytes]:
        """Return what the embedder makes of them.

        Raises:
            OverBudget: as the embedder does.
            ModelError: as the embedder does, or when it rests.
        """
        if texts.kind != "query":
            return await self._embedder.embed(texts)
        began, again = self._now(), self._rest
        if began < self._until:
            raise ModelError(f"{self.name} rests after a failure")
        self._until = began + again  # others need not wait while this one tries it again
        try:
            vectors = await self._embedder.embed(texts)
        except ModelRefused:  # it is there, and nobody waited
            self._answered()
            raise
        except ModelError:
            self._failed(again)
            raise
        except (OverBudget, asyncio.CancelledError):
            if self._now() - began >= SLOW_S:
                self._failed(again)
            elif self._rest == again:
                self._until = began  # the next one tries it
            raise
        self._answered()
        return vectors

    async def spoken(self, question: str, text: str) -> float | None:
        """Return what the embedder says of it."""
        return await self._embedder.spoken(question, text)

    def _answered(self) -> None:
        if self._rest:
            log.warning("embedder %s answers again", self.name)
        self._rest = self._until = 0.0

    def _failed(self, before: float) -> None:
        """Begin a rest, once for all who were failed side by side."""
        if self._rest != before:
            return
        self._rest = min(before * 2 or FIRST_REST_S, LONGEST_REST_S)
        self._until = self._now() + self._rest
        log.warning("embedder %s failed; it rests for %g s", self.name, self._rest)
