"""A sync that fails costs nobody a message: not the process that saw it, not the one after it."""

import asyncio
import functools

import pytest

from tests.acceptance.proof import syncs


@functools.cache
def numbers():
    return asyncio.run(syncs.run(lives=5))


@pytest.mark.long
def test_a_store_that_goes_on_after_failed_syncs_loses_nothing():
    assert numbers()["failed_syncs"] > 50
    assert numbers()["acknowledged_going_on"] > 500
    assert (numbers()["lost_going_on"], numbers()["corrupt_going_on"]) == (0, 0)
    assert numbers()["contrast_lost_believing"] > 0


def test_a_store_that_starts_again_after_a_failed_sync_loses_nothing():
    assert numbers()["acknowledged_starting_again"] > 500
    assert (numbers()["lost_starting_again"], numbers()["corrupt_starting_again"]) == (0, 0)
