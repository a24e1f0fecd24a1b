"""A kill at any commit or step costs no message; without the protections, it does."""

import pytest

from tests.acceptance.proof.sweep import swept


@pytest.mark.long
async def test_kills_at_chosen_moments_break_nothing():
    last, found = await swept("discord", {"before": [4], "after": [9], "step": [150]})

    assert last == {"before": 4, "after": 9, "step": 150}
    assert (found["kills"], found["violations"]) == (3, 0)


@pytest.mark.long
async def test_a_bot_that_forgets_what_it_sent_is_seen():
    _, found = await swept("discord", {"after": [5, 6, 7, 8, 9]}, blind=True)

    assert found["answers_broken"] > 0
