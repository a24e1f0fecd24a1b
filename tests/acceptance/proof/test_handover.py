"""People talk through a bot that is killed: nothing lost, doubled or crossed."""

import pytest

from tests.acceptance.proof.handover import FAULTS, run


@pytest.mark.parametrize("staff", ["telegram", "slack", "discord"])
async def test_people_talk_through_a_bot_that_is_killed(staff):
    numbers = await run(staff, cycles=2, seed=7)
    assert {name: numbers[name] for name in FAULTS} == dict.fromkeys(FAULTS, 0)
    assert numbers["to_the_staff"] + numbers["to_customers"] == 24
