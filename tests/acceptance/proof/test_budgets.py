"""The proof of budgets in small: nothing over, nothing unanswered, and a count that can fail."""

import pytest

from tests.acceptance.proof import budgets


@pytest.mark.long
async def test_requests_at_once_and_kills_take_no_budget_over_its_limit():
    numbers = await budgets.run(requests=100, kills=2)
    assert {name: numbers[name] for name in budgets.FAULTS} == dict.fromkeys(budgets.FAULTS, 0)
    assert numbers["calls_made"] == numbers["calls_allowed"]
    assert numbers["calls_made_within_tokens"] > 0
    assert numbers["calls_over_without_reserving"] > 0
