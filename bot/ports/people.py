"""What is kept of people beside what they said: rights, pairing codes, what was decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.permissions import Role


class Grants(Protocol):
    """Roles that were given in chat."""

    async def given(self) -> Mapping[str, Role]:
        """Return roles by person (`platform:workspace:user`), or by `in ` and a place pattern."""
        ...

    async def give(self, subject: str, role: Role | None, *, by: str) -> None:
        """Give a role, or take it back with None; `by` is the admin's name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """A stranger who waits to be let in."""

    code: str
    person: str  # platform:workspace:user
    lane: str  # where they wrote
    at: float  # seconds since 1970


class Pairings(Protocol):
    """Codes with which strangers are let in by an admin, from any platform."""

    async def knock(self, person: str, lane: str, *, valid_s: float) -> str:
        """Return the code of a stranger, the same one while it is valid; empty: too many wait."""
        ...

    async def open(self, code: str, *, valid_s: float) -> Knock | None:
        """Use up a code; None when it is wrong, used or expired."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One line of the audit log; `details` never hold a secret."""

    at: float
    actor: str  # platform:workspace:user, or "parley"
    action: str  # "allow", "block", "moderation.block", …
    subject: str = ""
    place: str = ""
    details: str = ""
    id: int = 0


class Audit(Protocol):
    """An append-only log of what was decided, by whom; each line seals those before it."""

    async def note(self, record: Record) -> None:
        """Append one line and commit."""
        ...

    async def records(self, *, limit: int, subject: str = "") -> Sequence[Record]:
        """Return the newest lines, newest first."""
        ...

    async def broken(self) -> int:
        """Return the first line that was changed, or stands behind one that is gone; 0: none."""
        ...


class Keys(Protocol):
    """Random keys of this installation, made on first use."""

    async def key(self, name: str) -> bytes:
        """Return 32 random bytes, the same ones for ever."""
        ...
