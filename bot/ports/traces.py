"""How answers came about, as `/why` asks for it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bot.domain.conversation import Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """The trace of one answer."""

    lane: str
    at: float  # seconds since 1970
    notes: Mapping[str, Any]  # what `bot.core.trace` says


class Traces(Protocol):
    """Reads traces; they are written when their turns are closed."""

    async def latest(self, place: Conversation, *, threads: bool = False) -> Traced | None:
        """Return the newest trace in a conversation; with `threads` also in those of a channel."""
        ...

    async def of_message(
        self, place: Conversation, messages: Collection[str], *, threads: bool = False
    ) -> Traced | None:
        """Return the trace of an answer, by one of its messages or by the message it answers."""
        ...
