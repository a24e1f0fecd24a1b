"""Time, so that tests can own it."""

from typing import Protocol


class Clock(Protocol):
    """The system clock for rows, a monotonic one for waiting."""

    def now(self) -> float:
        """Return seconds since 1970."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait, on the monotonic clock."""
        ...
