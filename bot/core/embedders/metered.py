"""An embedder whose every call passes the ledger, however it ends."""

from collections.abc import Sequence

from bot.core.metering import Metering
from bot.domain.budgets import Tariff
from bot.domain.dialogue import Line, Prompt
from bot.domain.errors import ModelError
from bot.domain.replies import Usage
from bot.ports.embedder import PaidEmbedder, Texts


class MeteredEmbedder:
    """Reserves before texts are sent, and settles after it."""

    def __init__(self, embedder: PaidEmbedder, tariff: Tariff, metering: Metering) -> None:
        self._embedder, self._tariff, self._metering = embedder, tariff, metering

    @property
    def name(self) -> str:
        """What made these vectors."""
        return self._embedder.name

    async def embed(self, texts: Texts) -> Sequence[bytes]:
        """Return one vector for each text.

        Raises:
            OverBudget: a limit leaves no room for it.
            ModelError: as the embedder says.
        """
        if not texts.texts:
            return ()
        meter = await self._metering.begin(_asked(texts), self._tariff)
        try:
            embedded = await self._embedder.embed(texts)
            meter.settle(embedded.usage)
        except ModelError as error:
            meter.settle(error.usage)
            raise
        finally:  # cut short: it was sent, perhaps read
            meter.settle(self._estimate(texts))
        return embedded.vectors

    async def spoken(self, question: str, text: str) -> float | None:  # noqa: ARG002
        """Return None: a server gives one vector for a text, and none for its words."""
        return None

    def _estimate(self, texts: Texts) -> Usage:
        given = sum(len(text) for text in texts.texts)
        return Usage(model=self._tariff.model, input_tokens=given // 4 + 1, estimated=True)


def _asked(texts: Texts) -> Prompt:
    return Prompt(
        lines=tuple(Line("user", text) for text in texts.texts),
        person=texts.person,
        conversation=texts.conversation,
        purpose="embedding",
    )
