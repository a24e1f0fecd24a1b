"""Which platforms are heard, as their adapters say; `bot.ops` shows it, no message is in it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Beat:
    """The `Pulse` of one platform: down until it is heard for the first time."""

    platform: str
    now: Callable[[], float]
    reason: str = "not connected yet"  # empty while the platform is heard
    since: float = 0.0  # seconds since 1970, of the last change

    def up(self) -> None:
        """See `bot.ports.platform.Pulse`."""
        if self.reason:
            log.info("%s is heard", self.platform)
            self.reason, self.since = "", self.now()

    def down(self, reason: str) -> None:
        """See `bot.ports.platform.Pulse`."""
        if not self.reason:
            self.since = self.now()
        self.reason = reason


@dataclass(slots=True, kw_only=True)
class Health:
    """What must be well for the bot to be ready."""

    now: Callable[[], float]
    beats: dict[str, Beat] = field(default_factory=dict)

    def pulse(self, platform: str) -> Beat:
        """Return the pulse of a platform, for its adapter."""
        return self.beats.setdefault(platform, Beat(platform, self.now, since=self.now()))

    def complaints(self) -> list[str]:
        """Return one line for each platform that is not heard; none when all are."""
        return [f"{beat.platform}: {beat.reason}" for beat in self.beats.values() if beat.reason]
