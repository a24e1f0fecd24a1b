"""Conversations that a person of the house has taken over, as they are stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """One conversation in which the bot is silent, since people speak there."""

    id: int
    lane: str  # where the customer writes
    person: str  # who asked for it
    private: bool  # whether that is a direct message
    closed: bool = False  # whether it is a thread that not all of its channel read
    staff: str  # the staff's conversation
    at: float  # when it began, in seconds since 1970
    heard: float  # when somebody wrote last


class Post(NamedTuple):
    """One message of the bot in the staff's place."""

    handover: int
    lane: str
    message: str
    request: bool  # whether it asks, and does not carry what was said later


class Handovers(Protocol):
    """Which conversations are in whose hands."""

    async def open(self) -> Sequence[Handover]:
        """Return all that have not ended."""
        ...

    async def begin(self, handover: Handover, question: str, *, most: int) -> Handover | None:
        """Store a new one; returns it with its id, or the one that is open there already.

        None: the person has begun `most` of them within a day.
        """
        ...

    async def posts(self) -> Sequence[Post]:
        """Return the bot's messages in the staff's places, of ended handovers too, oldest first."""
        ...

    async def touch(self, id: int, at: float) -> None:
        """Note that somebody has written."""
        ...

    async def close(self, id: int) -> None:
        """End it; its question is forgotten."""
        ...
