"""An hour without a platform, without the model, without the store: nothing lost, nothing twice."""

import pytest

from tests.acceptance.proof.outages import BAD, CAUSES, outage

SOON = 10.0  # seconds; a send of unknown outcome waits for its settle time first


@pytest.mark.parametrize("cause", CAUSES)
def test_an_hour_without_it_loses_and_doubles_nothing(cause):
    numbers, world = outage(cause, every=600.0)
    assert {name: numbers[name] for name in BAD} == dict.fromkeys(BAD, 0), world.complaints
    assert numbers["messages"] > 18
    assert numbers["tasks_at_most"] < 40
    assert numbers["recovery_s"] < (70.0 if cause == "busy" else 20.0)


def test_people_hear_that_the_model_is_down_and_are_answered_when_they_ask_again():
    numbers, _ = outage("model", every=600.0)
    assert numbers["apologies"] > 15
    assert numbers["recovery_s"] < SOON


def test_nothing_is_acknowledged_while_the_store_is_locked():
    _, world = outage("busy", every=600.0)
    during = [at for letter in world.letters.values() for at, _ in letter.answers
              if 61.0 < at < 3660.0]  # fmt: skip
    assert during == []
