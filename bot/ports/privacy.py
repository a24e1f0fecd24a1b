"""What people may ask of what is kept about them: to see it, to change it, to have it deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.domain.dialogue import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was deleted of a person."""

    counts: Mapping[str, int]  # rows by what they were: {"lines": 4, "waiting": 1}
    complete: bool = False  # no byte is left in any file; else it is done once open turns end


class Privacy(Protocol):
    """Everything that is stored about one person (`platform:workspace:user`)."""

    async def export(self, person: str) -> Mapping[str, Any]:
        """Return it by kind, ready to be written as JSON; empty when there is nothing."""
        ...

    async def erase(self, person: str, *, at: float, spare: int = 0) -> Mapping[str, int]:
        """Delete it in one transaction, which also notes that files are still to be scoured.

        What waits is closed; what runs is marked, and its words are gone from the disk already.
        Answers that others are being given with these words in sight will not be remembered. What
        the person wrote before `at` will not be taken in again; the newest message of the platform
        that is stored counts when it is older, since clocks differ. The turn `spare`, which asks
        for all this, goes on.
        """
        ...

    async def scour(self, *, patience_s: float = 0.0) -> bool:
        """Leave no byte of what was deleted in any file; False: do it again once turns have ended.

        `patience_s` is how long to wait for these. It also finishes what a killed process has
        begun, and is quick when there is nothing to do.
        """
        ...

    async def erased(self) -> Mapping[str, float]:
        """Return who was forgotten, by keyed hash, and until when what they wrote stays out."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLine:
    """A remembered line that a person may see and change: their own, or an answer to it."""

    id: int
    role: Role
    text: str
    at: float


class OwnLines(Protocol):
    """What is remembered of one person in some memories."""

    async def read(self, memories: Sequence[str], person: str) -> Sequence[OwnLine]:
        """Return their lines and the answers to these, oldest first."""
        ...

    async def rewrite(self, id: int, person: str, text: str) -> bool:
        """Put other words in the place of a line of theirs; False when it is gone."""
        ...

    async def delete(self, ids: Sequence[int], person: str) -> int:
        """Delete the exchanges to which these lines of theirs belong; returns how many lines."""
        ...


class Notices(Protocol):
    """Who was told what is kept."""

    async def noticed(self) -> Mapping[str, float]:
        """Return when whom, by keyed hash, or in which place people were told."""
        ...

    async def notice(self, name: str, at: float) -> None:
        """Note that somebody was told, or a place."""
        ...


class Retention(Protocol):
    """What is kept for a while only."""

    async def lanes(self) -> Sequence[str]:
        """Return the conversations of which something is remembered."""
        ...

    async def expire(self, lanes: Sequence[str], before: float) -> int:
        """Delete what was said in these conversations before a moment; returns how many lines."""
        ...

    async def purge(self, now: float) -> None:
        """Delete what nobody needs any more beside the lines, as notices, codes and handovers."""
        ...
