"""Figures about the running bot, as plain values; `bot.ops.web` writes them for Prometheus."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number, or several with labels; `values` has label values as keys, `()` without labels."""

    name: str
    help: str
    kind: Literal["counter", "gauge"] = "counter"
    labels: tuple[str, ...] = ()
    values: Mapping[tuple[str, ...], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How often something took how long; `counts[i]` is up to `bounds[i]`, the last one beyond."""

    name: str
    help: str
    bounds: Sequence[float]  # seconds
    counts: Sequence[int] = field(default=())
    total: float  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether the bot can do its work, and what keeps it from doing so."""

    complaints: tuple[str, ...]
    open: int  # events that are not answered
    oldest_s: float  # age of the oldest of them, in seconds

    @property
    def ready(self) -> bool:
        """Whether nothing is wrong."""
        return not self.complaints
