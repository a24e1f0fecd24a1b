"""Embed texts without telling a server the personal data in them."""

from dataclasses import replace

from bot.core.redaction import Redactor
from bot.ports.embedder import Embedded, PaidEmbedder, Texts


class RedactedEmbedder:
    """An embedder that sees placeholders; each text has its own, so its vector is its own too."""

    def __init__(self, embedder: PaidEmbedder) -> None:
        self._embedder = embedder

    @property
    def name(self) -> str:
        """What made these vectors."""
        return self._embedder.name

    async def embed(self, texts: Texts) -> Embedded:
        """Hide, and embed what is left."""
        hidden = tuple(Redactor().hide(text) for text in texts.texts)
        return await self._embedder.embed(replace(texts, texts=hidden))
