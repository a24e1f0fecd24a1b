"""What happens to stored conversations outside a turn: they move, they end, they are tended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.domain.conversation import Conversation
from bot.domain.events import Event


class Places(Protocol):
    """Conversations that get another name, or end."""

    async def moves(self) -> Mapping[str, str]:
        """Return the new names of conversations that have moved, by their old ones."""
        ...

    async def move(self, old: Conversation, new: Conversation) -> None:
        """Carry memory, settings and waiting messages over; what still runs follows later."""
        ...

    async def leave(self, place: Conversation, *, forget: bool) -> None:
        """Close what waits in a thread, a channel with its threads, or a whole workspace.

        `forget` also deletes what was said and set there; what was paid stays in the ledger.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One message that is not answered: it waits, runs, rests after a failure, or was given up."""

    id: int
    event: str
    lane: str
    state: Literal["waiting", "running", "resting", "dead"]
    at: float  # when it was written, in seconds since 1970
    attempts: int = 0
    reason: str = ""  # of a dead letter


class Backlog(Protocol):
    """What an operator can see and do about messages that are not answered."""

    async def entries(self, *, limit: int) -> Sequence[Entry]:
        """Return the oldest open rows and dead letters, in the order in which they came."""
        ...

    async def find(self, id: int) -> tuple[Entry, Event] | None:
        """Return one of them with its event; None when it is closed or unknown."""
        ...

    async def retry(self, id: int) -> bool:
        """Let a dead letter wait in its lane again, as if it had never been tried."""
        ...

    async def drop(self, id: int) -> bool:
        """Close a message that waits, rests or was given up; False when it runs or is closed."""
        ...
