"""Counters of the engine, as plain numbers; `bot.ops` shows them, no id of a person is in them."""

from collections import Counter
from dataclasses import dataclass, field

from bot.domain.events import Event


@dataclass(slots=True)
class Metrics:
    """What happened since the start of this process."""

    events: Counter[tuple[str, str]] = field(default_factory=Counter)  # (platform, kind)
    turns: Counter[str] = field(default_factory=Counter)  # by outcome
    duplicates: int = 0
    resumed: int = 0
    dead: int = 0

    def received(self, event: Event) -> None:
        """Count one event that concerns the bot."""
        self.events[event.conversation.platform, type(event).__name__] += 1
