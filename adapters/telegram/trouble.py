"""Waiting after failures: longer each time, with jitter, and with few words.

The operator hears of a run of failures here, in the log and by the pulse.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable

from telegram.error import TelegramError

from adapters.telegram.transport import Offline
from bot.ports.platform import Pulse

log = logging.getLogger(__name__)

FIRST, LONGEST = 0.5, 30.0  # seconds
QUIET = 600.0  # seconds before a sentence is said again


class Trouble:
    """A run of failures; two processes that disturb each other do not fill the log."""

    def __init__(
        self, pulse: Pulse, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._pulse, self._sleep = pulse, sleep
        self._count = 0
        self._said: dict[str, float] = {}
        self._told = False

    async def wait(self, sentence: str, seconds: float | None = None) -> None:
        """Say what is wrong, if that is new, and wait; `seconds` where somebody names them."""
        self._pulse.down(sentence)
        now = time.monotonic()
        if now - self._said.get(sentence, -math.inf) >= QUIET:
            self._said[sentence] = now
            self._told = True
            log.warning("telegram: %s", sentence)
        if seconds is None:
            longest = min(LONGEST, FIRST * 2**self._count)
            seconds = random.uniform(longest / 2, longest)  # noqa: S311 - only spreads load
        self._count = min(self._count + 1, 10)
        await self._sleep(seconds)

    def over(self) -> None:
        """Note that all is well."""
        self._pulse.up()
        if self._told:
            log.info("telegram: all is well again")
        self._told = False
        self._count = 0


def unreachable(error: TelegramError) -> str:
    """Say that Telegram cannot be reached, and why; others' texts may be a proxy's whole page."""
    why = error.message if isinstance(error, Offline) else type(error).__name__
    return f"Telegram cannot be reached ({why})"


def cancelled_from_outside() -> bool:
    """Whether the running task itself was cancelled, and not only something that it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
