"""Which platforms are heard and which models answer; `bot.ops` shows it, no message is in it."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

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


class Watched(Protocol):
    """A model that knows how it fares."""

    @property
    def complaint(self) -> str:
        """What is wrong with it; empty while nothing is."""
        ...


@dataclass(slots=True, kw_only=True)
class Health:
    """What must be well for the bot to be ready."""

    now: Callable[[], float]
    beats: dict[str, Beat] = field(default_factory=dict)
    models: Mapping[str, Watched] = field(default_factory=dict)  # their faults do not stop the bot

    def pulse(self, platform: str) -> Beat:
        """Return the pulse of a platform, for its adapter."""
        return self.beats.setdefault(platform, Beat(platform, self.now, since=self.now()))

    def failing(self) -> dict[str, str]:
        """Return what is wrong with models, by name; nothing while all answer."""
        found = {name: model.complaint for name, model in self.models.items()}
        return {name: complaint for name, complaint in found.items() if complaint}

    def complaints(self) -> list[str]:
        """Return one line for each platform that is not heard; none when all are."""
        return [f"{beat.platform}: {beat.reason}" for beat in self.beats.values() if beat.reason]
