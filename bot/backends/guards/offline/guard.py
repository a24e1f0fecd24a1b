"""The guard itself: loads its instruments when they are first needed, and keeps the loop free."""

import asyncio

from bot.backends.guards.offline.instruments import NAME, Instruments, load
from bot.domain.moderation import Sample
from bot.ports.guard import Judgement

INLINE_LIMIT = 4_000  # characters: 5 ms, 12 at worst; longer texts are judged in a thread


class OfflineGuard:
    """Judges words without a key, a network or a vendor; of pictures it knows nothing."""

    def __init__(self) -> None:
        self._instruments: Instruments | None = None
        self._loading = asyncio.Lock()

    @property
    def name(self) -> str:
        """What findings and logs call it."""
        return NAME

    async def judge(self, sample: Sample) -> Judgement:
        """Return what the lexicon and the models find in the words of a sample."""
        instruments = self._instruments or await self._load()
        if len(sample.text) > INLINE_LIMIT:
            return Judgement(findings=await asyncio.to_thread(instruments.findings, sample))
        return Judgement(findings=instruments.findings(sample))

    async def _load(self) -> Instruments:
        async with self._loading:
            if self._instruments is None:
                self._instruments = await asyncio.to_thread(load)
            return self._instruments
