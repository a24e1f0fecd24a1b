"""Random fault schedules: what holds in all of them, and that the checker would see if it did not."""

from tests.acceptance.proof.plans import draw
from tests.acceptance.proof.schedules import live_through, run


async def test_no_schedule_loses_doubles_or_swaps_an_answer():
    numbers = await run(count=60, seed=1)
    assert numbers["violations"] == 0, f"replay with --seed 1 --only {numbers['broken'][0]}"
    assert numbers["messages"] > 300
    assert numbers["kills"] > 20


async def test_blind_re_sending_doubles_answers():
    numbers = await run(count=40, seed=1, blind=True)
    assert numbers["violations"] > 2


def test_a_schedule_is_the_same_whenever_it_is_played():
    first, second = (live_through(draw(1, 7))[0].history for _ in range(2))
    assert first == second
    assert len(first) > 20
