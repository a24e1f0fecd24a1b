"""A crash at a commit of a chain of model calls pays no step twice."""

from tests.acceptance.proof.chains import FAULTS, KINDS, run


async def test_no_step_of_a_chain_is_paid_twice_over_a_crash():
    numbers = await run(every=30)
    assert {name: numbers[name] for name in FAULTS} == dict.fromkeys(FAULTS, 0)
    assert all(numbers[f"{kind}_kills"] for kind in KINDS)
