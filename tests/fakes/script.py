"""Fault scripts: what a fake does wrong, on which call."""

from collections import defaultdict, deque
from dataclasses import dataclass


@dataclass(frozen=True)
class Delay:
    """Answer `seconds` late."""

    seconds: float


@dataclass(frozen=True)
class DropAfterAccept:
    """Do what was asked, then close the connection without an answer."""


@dataclass(frozen=True)
class TooMany:
    """Answer 429 and ask to wait `retry_after` seconds; do nothing."""

    retry_after: float


@dataclass(frozen=True)
class ServerError:
    """Answer with this status; do nothing."""

    status: int = 502
    body: str = ""


@dataclass(frozen=True)
class Reset:
    """Close the connection at once; do nothing."""


@dataclass(frozen=True)
class Truncate:
    """Streams: close after `chunks` pieces, without an end mark."""

    chunks: int = 1


@dataclass(frozen=True)
class Refuse:
    """Answer with the platform's own error of this name or text (status 400 unless it says)."""

    error: str
    status: int = 400


Fault = Delay | DropAfterAccept | TooMany | ServerError | Reset | Truncate | Refuse


class Script:
    """Faults by method name, used up one call at a time; `"*"` matches any method."""

    def __init__(self) -> None:
        self._faults: dict[str, deque[Fault | None]] = defaultdict(deque)

    def on(self, method: str, *faults: Fault | None) -> None:
        """Queue faults for the next calls of a method; None lets one call pass."""
        self._faults[method].extend(faults)

    def next(self, method: str) -> Fault | None:
        """Take the fault for this call, if there is one."""
        for name in (method, "*"):
            if self._faults[name]:
                return self._faults[name].popleft()
        return None


@dataclass(frozen=True)
class Call:
    """One request that a fake received."""

    method: str
    args: dict
