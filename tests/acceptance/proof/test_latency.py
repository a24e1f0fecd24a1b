"""Acknowledgements come soon, and committing together is what makes them so."""

import pytest

from tests.acceptance.proof import latency


@pytest.mark.long
async def test_acknowledgements_come_in_time_under_load():
    numbers = await latency.run(seconds=0.5)

    assert numbers["too_late"] == 0
    assert numbers["1000_a_second_p50_ms"] <= numbers["1000_a_second_p99_ms"]
    assert numbers["burst_messages_per_second"] > numbers["contrast_messages_per_second_one_commit_each"]  # fmt: skip
