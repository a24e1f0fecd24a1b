"""Counters of the engine, as plain numbers; `bot.ops` shows them, no id of a person is in them."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

from bot.domain.events import Event
from bot.domain.replies import Usage

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)  # seconds


@dataclass(slots=True)
class Histogram:
    """How often something took how long; `counts[i]` is up to `BOUNDS[i]`, the last one beyond."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0  # seconds

    def observe(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


@dataclass(slots=True)
class Metrics:
    """What happened since the start of this process."""

    events: Counter[tuple[str, str]] = field(default_factory=Counter)  # (platform, kind)
    turns: Counter[str] = field(default_factory=Counter)  # by outcome
    tokens: Counter[tuple[str, str]] = field(default_factory=Counter)  # (model, input | output)
    cost: float = 0.0  # USD
    turn_seconds: Histogram = field(default_factory=Histogram)  # from its lane to its end
    first_visible_seconds: Histogram = field(default_factory=Histogram)  # …to its first message
    duplicates: int = 0
    resumed: int = 0
    dead: int = 0
    broken: int = 0  # answers that broke off
    moderation: Counter[tuple[str, str]] = field(default_factory=Counter)  # (stage, verdict)
    refused: int = 0  # messages that were told "busy"

    def received(self, event: Event) -> None:
        """Count one event that concerns the bot."""
        self.events[event.conversation.platform, type(event).__name__] += 1

    def judged(self, stage: str, verdict: str) -> None:
        """Count one decision of moderation, or a guard that failed as `error`."""
        self.moderation[stage, verdict] += 1

    def paid(self, usage: Usage, cost: float) -> None:
        """Count one model call; `cost` in USD."""
        if usage.model:
            self.tokens[usage.model, "input"] += usage.input_tokens
            self.tokens[usage.model, "output"] += usage.output_tokens
            self.cost += cost
