"""Whatever Telegram sends, reading it never fails, and what comes of it can be stored."""

import random

import orjson
import pytest

from adapters.telegram.inbound import ALLOWED, read
from adapters.telegram.words import Me
from bot.domain.events import from_plain, to_plain
from tests.unit.adapters.telegram.payloads import HOSTILE, KINDS, bend, update

ME = Me(123456789, "parley_bot", {"reset": "reset", "help": "help"})


def stored(event):
    """What a store gives back of an event: it must be the event."""
    return from_plain(orjson.loads(orjson.dumps(to_plain(event))))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_update_is_read_or_passed_over(kind, caplog):
    seed, events = random.Random(kind), 0
    for _ in range(150):
        event = read(update(kind, seed), ME)
        if event is not None:
            assert stored(event) == event
            events += 1
    assert not caplog.records, "a valid update could not be read"
    assert bool(events) == (kind in ALLOWED)


@pytest.mark.parametrize("kind", ALLOWED)
def test_no_bent_update_raises(kind):
    seed = random.Random(kind)
    for _ in range(600):
        bent = update(kind, seed)
        for _ in range(seed.randrange(1, 4)):
            bent = bend(bent, seed)
        event = read(bent, ME)
        if event is not None:
            assert stored(event) == event


@pytest.mark.parametrize("value", HOSTILE, ids=str)
def test_a_value_that_is_no_update_is_passed_over(value):
    assert read(value, ME) is None
