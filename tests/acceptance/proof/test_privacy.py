"""Bystanders leave no byte; the forgotten leave none, killed or summed up meanwhile."""

import pytest

from tests.acceptance.proof.forgetting import forgotten
from tests.acceptance.proof.plan import PLATFORMS
from tests.acceptance.proof.privacy import bystanders
from tests.acceptance.proof.retold import retold

UNREACHED = 10_000


@pytest.mark.long
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_nothing_of_bystanders_is_stored_or_logged(platform):
    found = await bystanders(platform)

    assert (found["bystanders_bytes"], found["bytes_in_logs"]) == (0, 0)
    assert found["answers_beside_them"] == 6


@pytest.mark.long
async def test_a_kill_at_chosen_moments_of_forgetting_leaves_no_byte():
    last, found = await forgotten("telegram", {"before": [4], "after": [3, 4], "step": [30]})

    assert last == {"before": 4, "after": 4, "step": 30}
    assert found["canaries_before"] > 0
    assert (found["kills"], found["forgotten_bytes"], found["never_forgotten"]) == (4, 0, 0)


@pytest.mark.long
async def test_a_summary_of_who_is_forgotten_goes_and_one_in_the_making_is_not_kept():
    last, found = await retold("slack", {"after": [3, UNREACHED], "step": [30]})

    assert last == {"after": 3, "step": 30}
    assert found["rewritten_before"] > 0
    assert (found["in_the_making"], found["made_anew"]) == (3, 3)
    assert found["came_too_late"] > 0
    assert (found["kills"], found["never_forgotten"]) == (2, 0)
    assert (found["forgotten_bytes"], found["forgotten_in_prompts"], found["bytes_in_logs"]) == (
        0, 0, 0,
    )  # fmt: skip
    assert found["contrast_bytes"] > 0, "a summary that outlives its lines is seen"
