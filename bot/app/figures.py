"""What `/metrics` shows: the names are public, see the README of `deploy`."""

import time
from collections.abc import Iterable, Iterator

from bot.backends.sqlite.waiting import Waiting
from bot.core.health import Health
from bot.core.metrics import BOUNDS, Histogram, Metrics
from bot.ops.figures import Figure, Spread

Values = Iterable[tuple[tuple[str, ...], float]]  # label values and number


def figures(metrics: Metrics, health: Health, waiting: Waiting) -> Iterator[Figure | Spread]:
    """Yield every figure as it is now; no label names a person or a place."""
    events = metrics.events.items()
    yield _count("events", "Events that concern the bot.", events, "platform", "kind")
    turns = (((outcome,), count) for outcome, count in metrics.turns.items())
    yield _count("turns", "Turns that ended.", turns, "outcome")
    yield _spread("turn_seconds", "From the start of a turn to its end.", metrics.turn_seconds)
    yield _spread(
        "first_visible_seconds", "From the start of a turn to its first message.",
        metrics.first_visible_seconds,
    )  # fmt: skip
    tokens = metrics.tokens.items()
    yield _count("model_tokens", "Tokens that were paid.", tokens, "model", "direction")
    yield _one("model_cost_usd_total", "What models have cost.", metrics.cost)
    judged = metrics.moderation.items()
    yield _count("moderation", "Texts that were judged.", judged, "stage", "verdict")
    yield _one("duplicates_dropped_total", "Events that came again.", metrics.duplicates)
    yield _one("resumed_turns_total", "Turns that an earlier attempt had begun.", metrics.resumed)
    yield _one("dead_letters_total", "Messages that were given up.", metrics.dead)
    yield _one("broken_answers_total", "Answers that broke off.", metrics.broken)
    yield _one("refused_total", "Messages that were told that the bot is busy.", metrics.refused)
    yield from _now(health, waiting)


def oldest_s(waiting: Waiting) -> float:
    """Return the age of the oldest event that is not answered, in seconds; 0 when none waits."""
    written = min((turn.event.at for turn in waiting.everywhere()), default=None)
    return 0.0 if written is None else max(0.0, time.time() - written)


def _now(health: Health, waiting: Waiting) -> Iterator[Figure]:
    up = {(name,): float(not beat.reason) for name, beat in health.beats.items()}
    yield _gauge("adapter_up", "Whether a platform is heard.", up.items(), "platform")
    failing = health.failing()
    well = {(name,): float(name not in failing) for name in health.models}
    yield _gauge("model_up", "Whether a model answers, or rests.", well.items(), "model")
    numbers = {
        "lanes_ready": ("Conversations that wait for a slot.", waiting.ready),
        "events_open": ("Events that are not answered yet.", waiting.count),
        "oldest_event_seconds": ("Age of the oldest of them.", oldest_s(waiting)),
    }
    for name, (about, value) in numbers.items():
        yield _gauge(name, about, [((), value)])


def _one(name: str, about: str, value: float) -> Figure:
    return Figure(name=f"parley_{name}", help=about, values={(): value})


def _count(name: str, about: str, values: Values, *labels: str) -> Figure:
    return Figure(name=f"parley_{name}_total", help=about, labels=labels, values=dict(values))


def _gauge(name: str, about: str, values: Values, *labels: str) -> Figure:
    return Figure(
        name=f"parley_{name}", help=about, kind="gauge", labels=labels, values=dict(values)
    )


def _spread(name: str, about: str, taken: Histogram) -> Spread:
    return Spread(
        name=f"parley_{name}", help=about, bounds=BOUNDS, counts=taken.counts, total=taken.total
    )
