"""Texts as vectors, so that what means the same lies close together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from bot.domain.replies import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What is to be embedded, for whom, and what for."""

    texts: tuple[str, ...] = field(repr=False)
    kind: Literal["query", "document"] = "document"
    person: str = ""  # who asks, for the ledger; empty: the operator
    conversation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """What a server has made of texts, and what it took."""

    vectors: tuple[bytes, ...] = field(repr=False)
    usage: Usage = Usage()


class Embedder(Protocol):
    """Something that knows which texts mean the same."""

    @property
    def name(self) -> str:
        """What made these vectors: those of different names are never compared."""
        ...

    async def embed(self, texts: Texts) -> Sequence[bytes]:
        """Return one vector for each text: little-endian float32, of length 1.

        Raises:
            ModelError: it cannot be reached or refuses; trying later may help.
            OverBudget: a limit leaves no room for it.
        """
        ...

    async def spoken(self, question: str, text: str) -> float | None:
        """Return how much of a question a text speaks of, 0 to 1; None: it cannot tell."""
        ...


class PaidEmbedder(Protocol):
    """An embedder that says what it took; whoever wraps it enters that into the ledger."""

    @property
    def name(self) -> str:
        """What made these vectors."""
        ...

    async def embed(self, texts: Texts) -> Embedded:
        """Return the vectors and their price in tokens.

        Raises:
            ModelError: it cannot be reached or refuses; its `usage` was taken all the same.
        """
        ...
