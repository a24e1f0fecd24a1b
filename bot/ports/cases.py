"""What moderation has decided about people, and what follows: cases, strikes, time-outs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from bot.domain.moderation import Action, Stage
from bot.ports.people import Record

State = Literal["open", "appealed", "upheld", "lifted", "expired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One decision that was carried out; the person and the evidence go when it is closed."""

    event: str  # id of the message and its revision: the same message makes one case
    stage: Stage
    at: float  # seconds since 1970
    who: str  # keyed hash of the person
    person: str  # platform:workspace:user
    lane: str
    message: str = ""
    private: bool = False
    action: Action
    findings: str  # for people: "hate 0.93 (openai)"
    evidence: str = field(repr=False)  # what was written
    state: State = "open"
    alert: int | None = None  # the first case of the alert that told moderators of it
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StrikeRule:
    """When strikes become a time-out."""

    most: int
    within_s: float
    timeout_s: float  # of the first one; each further one is twice as long


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout:
    """Until when a person is not answered."""

    until: float  # seconds since 1970
    told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of a decision."""

    case: Case
    new: bool  # it was not recorded before, by an attempt that was killed
    timeout: Timeout | None = None  # that it led to


class Cases(Protocol):
    """Cases, each opened once and closed once."""

    async def record(self, case: Case, rule: StrikeRule | None, note: Record) -> Recorded:
        """Open a case, give a strike if there is a rule, and note it, in one transaction."""
        ...

    async def find(self, id: int) -> Case | None:
        """Return a case."""
        ...

    async def appeal(self, id: int) -> bool:
        """Mark an open case as appealed; False when it was appealed before or is closed."""
        ...

    async def close(self, id: int, state: State, note: Record) -> Sequence[Case]:
        """Close an open case and those of the same alert, and note it; returns them as they were.

        `lifted` takes the strikes of the cases back, and the time-out that they led to.
        """
        ...

    async def purge(self, *, now: float, open_s: float, strikes_s: float) -> int:
        """Close cases that were open too long, and forget strikes that are too old.

        Returns how many were closed.
        """
        ...


class Alerts(Protocol):
    """Which cases moderators were told of."""

    async def waiting(self) -> Sequence[str]:
        """Return the hashes of people of whom an open case was not told yet."""
        ...

    async def untold(self, who: str, *, after: float) -> Sequence[Case]:
        """Return the open cases of a person that nobody was told of, newest first.

        None, when moderators were told of the person later than `after`.
        """
        ...

    async def told(self, cases: Sequence[Case], *, at: float) -> None:
        """Note that moderators were told of these cases of one person, in one alert."""
        ...


class Penalties(Protocol):
    """Time-outs, and since when this installation moderates."""

    async def timeouts(self, *, now: float) -> Mapping[str, Timeout]:
        """Return those that run, by keyed hash."""
        ...

    async def give(self, who: str, *, now: float, rule: StrikeRule) -> Timeout:
        """Give a time-out at once."""
        ...

    async def tell(self, who: str) -> None:
        """Note that a person was told of the time-out that runs."""
        ...

    async def since(self, now: float) -> float:
        """Return when this was asked first, in seconds since 1970."""
        ...
