"""Questions that no document answered, until somebody answers them or they are too old."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.domain.conversation import Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One question."""

    id: int = 0  # 0: not stored yet
    event: str  # the id of the message that asked it first
    lane: str
    person: str  # platform:workspace:user
    private: bool  # asked in a direct message
    question: str = field(repr=False)
    at: float  # seconds since 1970


class Gaps(Protocol):
    """Keeps them; a person who is forgotten takes theirs along."""

    async def note(self, gap: Gap) -> None:
        """Keep one; the same message asked anew replaces what it asked before."""
        ...

    async def drop(self, event: str) -> None:
        """Delete what a message asked, unless it was answered."""
        ...

    async def open(
        self, *, limit: int, within: Conversation | None = None, threads: bool = False
    ) -> Sequence[Gap]:
        """Return what nobody has answered or dismissed, newest first.

        Args:
            limit: how many at most.
            within: only what was asked in this conversation, and not in private.
            threads: also what was asked in those below that channel.
        """
        ...

    async def close(self, ids: Sequence[int], *, heading: int = 0, document: int = 0) -> None:
        """Delete questions; of `heading` it stays known whose words stand above a document."""
        ...
