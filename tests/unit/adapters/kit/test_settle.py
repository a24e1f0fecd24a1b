"""Posts that may still land: when a part is looked for, and when that is not needed."""

import time
from dataclasses import replace

import pytest

from bot.domain.replies import Part
from tests.unit.adapters.kit.stage import (
    MANNER,
    SILENT,
    Journal,
    Killed,
    Platform,
    Taken,
    give,
    play,
    said,
)

ANNOUNCED = replace(MANNER, announces=True, settle=8.0)


class Posting(Platform):
    """Notes which parts were committed when a post left."""

    async def post(self, index, shown, *, final, buttons=()):
        assert index in self.outbox.committed
        return await super().post(index, shown, final=final, buttons=buttons)


def test_an_announced_part_is_committed_before_its_post():
    outbox = Journal()
    platform = Posting(outbox)
    play(give(said("Hello"), platform, outbox, ANNOUNCED))
    assert platform.screen == ["Hello"]


def test_what_was_never_announced_is_posted_without_a_search():
    outbox = Journal(resumed=True)
    platform = Platform(outbox)
    play(give(said("Hello"), platform, outbox, ANNOUNCED))
    assert [call.verb for call in platform.calls] == ["post"]


@pytest.mark.parametrize(("age", "least"), [(0, 8.0), (3, 5.0), (60, 0.0), (-99, 8.0)])
def test_a_part_that_was_begun_is_looked_for_when_it_must_have_landed(age, least):
    outbox = Journal({0: Part(index=0, at=time.time() - age)}, resumed=True)
    platform = Platform(outbox)
    play(give(said("Hello"), platform, outbox, ANNOUNCED))
    find, post = platform.calls
    assert (find.verb, post.verb) == ("find", "post")
    assert least - 0.5 <= find.at <= least + 0.5


@pytest.mark.parametrize("fault", [SILENT, Taken(SILENT)])
def test_within_one_attempt_the_wait_counts_from_the_start_of_the_post(fault):
    outbox = Journal()
    platform = Platform(outbox)
    platform.latency = 3.0  # the platform is silent for so long
    platform.faults["post"].append(fault)
    play(give(said("Hello"), platform, outbox, ANNOUNCED))
    post, find = platform.calls[:2]
    assert find.at - post.at == pytest.approx(8.0, abs=0.1)
    assert platform.screen == ["Hello"]


def test_a_surplus_part_is_deleted_only_when_it_must_have_landed():
    known = {0: Part(index=0, id="m0"), 1: Part(index=1, at=time.time())}
    outbox = Journal(known, resumed=True)
    platform = Platform(outbox)
    platform.messages["m0"], platform.index["m0"] = "Hello", 0
    play(give(said("Hello"), platform, outbox, ANNOUNCED))
    (find,) = platform.verbs("find")
    assert find.at >= 7.5


def test_a_kill_between_announcement_and_post_costs_one_search_and_no_double():
    outbox = Journal()
    platform = Posting(outbox)
    platform.faults["post"].append(Killed())
    with pytest.raises(Killed):
        play(give(said("Hello"), platform, outbox, ANNOUNCED))
    platform.outbox = outbox.survivor()
    play(give(said("Hello"), platform, platform.outbox, ANNOUNCED))
    assert platform.screen == ["Hello"]
    assert len(platform.verbs("find")) == 1
