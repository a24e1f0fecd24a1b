"""How long the gateway waits between attempts, and how often it may identify."""

import pytest

from adapters.discord.allowance import Allowance, pause

DAY = 86_400.0


class Clock:
    """Stands still until it is moved."""

    def __init__(self):
        self.now = 5_000.0

    def __call__(self):
        return self.now


def test_the_first_resume_is_immediate():
    assert pause(1, resumes=True) == 0


@pytest.mark.parametrize("failures", range(2, 200, 11))
@pytest.mark.parametrize("resumes", [True, False])
def test_attempts_stay_frequent_but_differ(failures, resumes):
    waits = {pause(failures, resumes=resumes) for _ in range(20)}
    assert len(waits) > 10
    assert all(1 <= wait <= 5 for wait in waits)


@pytest.mark.parametrize("lasts", [0.0, 31.0, 99.0])
def test_a_session_that_keeps_breaking_stays_below_a_thousand_identifies_a_day(lasts):
    clock = Clock()
    allowance, count, began = Allowance(clock), 0, clock.now
    while clock.now - began < DAY:
        clock.now += allowance.wait
        allowance.spend()
        count += 1
        clock.now += lasts
    assert 850 < count < 1_000


def test_a_few_identifies_are_free_and_come_back():
    clock = Clock()
    allowance = Allowance(clock)
    for _ in range(20):
        assert allowance.wait == 0
        allowance.spend()
    assert 99 <= allowance.wait <= 101
    clock.now += DAY
    assert allowance.wait == 0
