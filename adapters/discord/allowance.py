"""How often the gateway may be tried.

Discord resets the token of a bot that identifies more than 1,000 times a day. Resumes and attempts
that do not reach Discord cost nothing; see
https://discord.com/developers/docs/events/gateway#session-start-limit-object.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_LONGEST: Final = 5.0  # seconds between attempts
_SAVED: Final = 20.0  # identifies that may be made in a row
_EVERY: Final = 100.0  # seconds after which one more may be made: 884 on the worst day


def pause(failures: int, *, resumes: bool) -> float:
    """Return how many seconds to wait before the next attempt; the first resume is immediate."""
    if resumes and failures == 1:
        return 0.0
    return max(min(2.0**failures, _LONGEST) * random.uniform(0.5, 1), 1.0)  # noqa: S311


@dataclass(slots=True)
class Allowance:
    """Counts identifies, so that a session that keeps breaking is opened ever more rarely."""

    clock: Callable[[], float]  # seconds
    _left: float = _SAVED
    _since: float | None = None

    @property
    def wait(self) -> float:
        """Seconds until the next identify is allowed."""
        return max(0.0, (1 - self._now()) * _EVERY)

    def spend(self) -> None:
        """Count one identify."""
        self._left = self._now() - 1

    def _now(self) -> float:
        now = self.clock()
        if self._since is not None:
            self._left = min(_SAVED, self._left + (now - self._since) / _EVERY)
        self._since = now
        return self._left
