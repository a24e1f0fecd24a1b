"""The clocks of the real world."""

import asyncio
import time
from collections.abc import Callable


class SystemClock:
    """The real time."""

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def steady_clock() -> Callable[[], float]:
    """Return the time by a clock that nobody can set while the bot runs."""
    began = time.time() - time.monotonic()
    return lambda: began + time.monotonic()
