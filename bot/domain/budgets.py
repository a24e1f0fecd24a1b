"""What may be used: limits by scope, unit and period, and what one call takes at most.

Days and months are UTC. An account is whom a use is counted for: `person <hash>`,
`channel slack:T1:C1`, `workspace slack:T1`, `total`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

Scope = Literal["per_person", "per_channel", "per_workspace", "total"]
Unit = Literal["tokens", "usd", "messages"]
Period = Literal["day", "month"]
Purpose = Literal[
    "answer",
    "summary",
    "judge",
    "candidate",
    "embedding",
    "moderation",
    "transcription",
    "step",
    "route",
]
Limited = tuple[Scope, Unit, Period]
SCOPES: tuple[Scope, ...] = ("per_person", "per_channel", "per_workspace", "total")
UNITS: tuple[Unit, ...] = ("tokens", "usd", "messages")
PERIODS: tuple[Period, ...] = ("day", "month")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """One unit, limited by the day, by the month, or both."""

    day: float | None = None
    month: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one person, one channel, one workspace or all together may use; a number is `per`."""

    tokens: float | Limits | None = None
    usd: float | Limits | None = None
    messages: float | Limits | None = None  # answers
    per: Period = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """All limits of a configuration, and how fast one person may write."""

    per_person: Allowance = field(default_factory=Allowance)
    per_channel: Allowance = field(default_factory=Allowance)
    per_workspace: Allowance = field(default_factory=Allowance)
    total: Allowance = field(default_factory=Allowance)
    rate_per_minute: int = 0  # messages of one person, over all places; 0: any number

    def rules(self) -> Iterator["Rule"]:
        """Yield one rule for each limit."""
        for scope in SCOPES:
            allowance: Allowance = getattr(self, scope)
            for unit in UNITS:
                value = getattr(allowance, unit)
                if not isinstance(value, Limits):
                    value = Limits(**{allowance.per: value})
                for period in PERIODS:
                    most = getattr(value, period)
                    if most is not None:
                        yield Rule(scope=scope, unit=unit, period=period, most=most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One limit."""

    scope: Scope
    unit: Unit
    period: Period
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rule for one account, in the period that runs."""

    rule: Rule
    account: str
    period: str  # "2026-11-29" or "2026-11"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What was used, or what a use adds."""

    tokens: int = 0
    usd: float = 0.0
    messages: int = 0

    def minus(self, other: "Spent") -> "Spent":
        """Return the difference."""
        return Spent(**{f.name: getattr(self, f.name) - getattr(other, f.name)
                        for f in fields(Spent)})  # fmt: skip

    @property
    def nothing(self) -> bool:
        """Whether all of it is zero."""
        return not (self.tokens or self.usd or self.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """What a model costs, and how long its answers may be."""

    model: str
    price_input: float = 0.0  # USD per million tokens
    price_output: float = 0.0
    longest: int | None = None  # tokens of an answer; None: the server decides
    counts: bool = True  # False: it takes no tokens at all

    def cost(self, tokens_in: int, tokens_out: int) -> float:
        """Return USD."""
        return (tokens_in * self.price_input + tokens_out * self.price_output) / 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One paid call before it is made: whose it is, and what it takes at most."""

    id: int
    at: float  # seconds since 1970
    who: str  # a keyed hash; empty when it is nobody's
    lane: str
    purpose: Purpose
    tariff: Tariff
    input: int
    output: int
    counted: bool | None = None  # as a message; None: an answer is
    least: int = 0  # tokens of output below which the call is not worth making

    @property
    def messages(self) -> int:
        """How many answers it is."""
        return int(self.purpose == "answer" if self.counted is None else self.counted)

    def most(self, output: int) -> Spent:
        """Return what it takes when the answer has so many tokens."""
        return Spent(
            tokens=self.input + output,
            usd=self.tariff.cost(self.input, output),
            messages=self.messages,
        )

    def fitting(self, unit: Unit, left: float) -> int:
        """Return the tokens of output for which `left` is enough; negative: it is not."""
        if unit == "messages":
            return self.output if self.messages <= left else -1
        if unit == "tokens":
            return int(min(left - self.input, self.output))
        rest = left - self.tariff.cost(self.input, 0)
        if rest < 0 or self.tariff.cost(0, self.output) <= rest:
            return self.output if rest >= 0 else -1
        return int(rest * 1_000_000 / self.tariff.price_output)


@dataclass(frozen=True, slots=True)
class Held:
    """A call is reserved, with at most so many tokens of output."""

    output: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A call does not fit; `left` is what that limit leaves."""

    check: Check
    left: float
    passing: bool = False  # what others have reserved is in the way, and may be given back


def accounts(who: str, lane: str) -> tuple[tuple[Scope, str], ...]:
    """Return whom a use is counted for; a thread is its channel's, what is nobody's the total's."""
    found: list[tuple[Scope, str]] = [("total", "total")]
    if lane:
        workspace = f"workspace {':'.join(lane.split(':')[:2])}"
        found = [("per_channel", channel_account(lane)), ("per_workspace", workspace), *found]
    return (("per_person", f"person {who}"), *found) if who else tuple(found)


def channel_account(lane: str) -> str:
    """Name the account of the channel that a conversation lies in."""
    return f"channel {':'.join(lane.split(':')[:3])}"


def period_of(at: float, period: Period) -> str:
    """Name the day or the month that a moment lies in."""
    day = _day(int(at // 86_400))
    return day if period == "day" else day[:7]


@lru_cache(maxsize=8)
def _day(number: int) -> str:
    return datetime.fromtimestamp(number * 86_400, UTC).strftime("%Y-%m-%d")


def renewal(at: float, period: Period) -> str:
    """Say in words when the next day or month begins."""
    if period == "day":
        return "tomorrow at 00:00 UTC"
    first = datetime.fromtimestamp(at, UTC).replace(day=1) + timedelta(days=32)
    return f"on 1 {first:%B}"


def amount(unit: Unit, value: float) -> str:
    """Write an amount as people do."""
    noun = unit.removesuffix("s") if value == 1 else unit
    return f"{_number(unit, value)} {'USD' if unit == 'usd' else noun}"


def share(unit: Unit, value: float, most: float) -> str:
    """Write a part of an amount."""
    return f"{_number(unit, value)} of {amount(unit, most)}"


def _number(unit: Unit, value: float) -> str:
    if unit != "usd":
        return f"{value:,.0f}"
    if 0 < value < 0.01:
        return f"{max(value, 0.0001):.4f}"
    return f"{value:,.2f}"
