"""How long the gateway waits between attempts."""

import pytest

from adapters.discord.gateway import pause


def test_the_first_resume_is_immediate():
    assert pause(1, identified=True, resumes=True) == 0


@pytest.mark.parametrize("failures", range(2, 200, 11))
def test_resumes_and_connection_attempts_stay_frequent(failures):
    assert 1 <= pause(failures, identified=True, resumes=True) <= 5
    assert 1 <= pause(failures, identified=False, resumes=False) <= 5


def test_a_session_that_keeps_breaking_stays_below_a_thousand_identifies_a_day():
    day, spent, count = 86_400.0, 0.0, 0
    while spent < day:
        count += 1
        spent += pause(count, identified=True, resumes=False)
    assert 700 < count < 1_000
