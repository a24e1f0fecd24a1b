"""Delivery of a reply when the platform or the process fails."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.split import split
from bot.domain.errors import Fenced, Gone, RetryLater, Unreachable
from bot.domain.replies import Finished, Part, Receipt, Retraction
from tests.unit.adapters.kit.stage import (
    EDITED,
    MANNER,
    SILENT,
    Journal,
    Killed,
    Platform,
    Reply,
    Taken,
    give,
    play,
    said,
)

WORDS = [f"word{n} " for n in range(60)]
TEXT = "".join(WORDS)
PARTS = [piece.shown for piece in split(TEXT, 100)]
BOTH = pytest.mark.parametrize("manner", [MANNER, EDITED])


@pytest.fixture
def outbox() -> Journal:
    return Journal()


@pytest.fixture
def platform(outbox) -> Platform:
    return Platform(outbox)


def resume(platform: Platform, reply: Reply, manner=MANNER) -> Receipt:
    """Let the next process deliver the same turn again."""
    platform.outbox = platform.outbox.survivor()
    return play(give(reply, platform, platform.outbox, manner))


def killed(platform: Platform, reply: Reply, manner=MANNER) -> None:
    with pytest.raises(Killed):
        play(give(reply, platform, platform.outbox, manner))


@BOTH
@pytest.mark.parametrize("taken", [False, True])
@pytest.mark.parametrize("survived", range(5))
def test_a_kill_at_any_post_leaves_neither_gap_nor_double(
    platform, outbox, manner, taken, survived
):
    fault = Taken(Killed()) if taken else Killed()
    platform.faults["post"].extend([*[None] * survived, fault])
    killed(platform, said(*WORDS, pause=0.05), manner)
    resume(platform, said(TEXT), manner)
    assert sorted(platform.screen) == sorted(PARTS)
    assert [platform.index[id_] for id_ in platform.messages] == list(range(len(PARTS)))


@BOTH
def test_a_kill_at_an_edit_leaves_neither_gap_nor_double(platform, outbox, manner):
    platform.faults["edit"].extend([None, None, None, Taken(Killed())])
    killed(platform, said(*WORDS, pause=0.1), manner)
    resume(platform, said(TEXT), manner)
    assert platform.screen == PARTS


def test_a_resume_that_finds_everything_done_posts_nothing(platform, outbox):
    receipt = play(give(said(TEXT), platform, outbox))
    platform.calls.clear()
    assert resume(platform, said(TEXT)) == receipt
    assert {call.verb for call in platform.calls} == {"edit"}
    assert platform.screen == PARTS


def test_a_resume_does_not_note_again_what_is_noted(platform, outbox):
    play(give(said(TEXT), platform, outbox))
    resume(platform, said(TEXT))
    assert platform.outbox.notes == []


def test_the_parts_of_a_shorter_second_answer_are_all_that_stays(platform, outbox):
    platform.faults["post"].extend([None, None, None, Killed()])
    killed(platform, said(*WORDS, pause=0.05))
    assert resume(platform, said("Short.")) == Receipt(("m0",))
    assert platform.screen == ["Short."]
    assert set(platform.outbox.known) == {0}


def test_a_surplus_part_whose_id_was_lost_is_found_and_deleted(platform, outbox):
    platform.faults["post"].extend([None, Taken(Killed())])
    killed(platform, said(*WORDS, pause=0.05))
    assert platform.outbox.survivor().committed[1].id == ""
    resume(platform, said("Short."))
    assert platform.screen == ["Short."]


def test_a_retraction_before_the_kill_is_what_the_resume_shows(platform, outbox):
    platform.faults["delete"].append(Killed())
    steps = [step for word in WORDS for step in (word, 0.05)]
    killed(platform, Reply(*steps, Retraction("No."), Finished()))
    resume(platform, Reply(Retraction("No."), Finished()))
    assert platform.screen == ["No."]


def test_a_post_of_which_nothing_was_noted_is_found(platform, outbox):
    play(give(said("Hello"), platform, outbox))
    platform.outbox = Journal(resumed=True)
    play(give(said("Hello again"), platform, platform.outbox))
    assert platform.screen == ["Hello again"]


def test_a_full_part_is_noted_as_it_stays(platform, outbox):
    platform.faults["post"].extend([None, None, Killed()])
    killed(platform, said(*WORDS, pause=0.05))
    noted = outbox.survivor().known
    play(give(said(*WORDS), Platform(), fresh := Journal()))
    assert [noted[0], noted[1].end] == [fresh.known[0], fresh.known[1].end]


def test_an_edit_with_unknown_outcome_is_not_taken_for_what_was_before(platform, outbox):
    platform.faults["edit"].append(Taken(SILENT))
    reply = Reply("No.", 2.0, " words", 1.0, Retraction("No."), Finished())
    play(give(reply, platform, outbox))
    assert platform.screen == ["No."]


def test_a_resume_may_stream_anew_into_the_old_messages(platform, outbox):
    platform.faults["edit"].extend([None, Killed()])
    killed(platform, said(*WORDS, pause=0.1))
    other = [f"other{n} " for n in range(60)]
    resume(platform, said(*other, pause=0.1))
    assert platform.screen == [piece.shown for piece in split("".join(other), 100)]


def test_a_first_attempt_never_searches(platform, outbox):
    play(give(said(*WORDS, pause=0.1), platform, outbox))
    assert not platform.verbs("find")


@BOTH
@pytest.mark.parametrize("fault", [SILENT, Taken(SILENT)])
def test_a_post_with_unknown_outcome_is_looked_for_before_it_is_repeated(
    platform, outbox, manner, fault
):
    platform.faults["post"].append(fault)
    play(give(said("Hello"), platform, outbox, manner))
    assert platform.screen == ["Hello"]
    post, find = platform.calls[:2]
    assert find.verb == "find"
    assert find.at - post.at >= manner.settle


def test_a_post_that_cannot_be_looked_for_is_repeated(outbox):
    platform = Platform(outbox, searchable=False)
    platform.faults["post"].append(SILENT)
    play(give(said("Hello"), platform, outbox))
    assert platform.screen == ["Hello"]


@BOTH
@pytest.mark.parametrize("verb", ["post", "edit", "find", "delete"])
def test_a_silent_platform_is_given_up_after_a_while(outbox, manner, verb):
    platform = Platform(outbox)
    platform.faults["post"].extend([None, None, Killed()])
    killed(platform, said(*WORDS, pause=0.05), manner)
    platform.faults[verb].extend([SILENT] * 99)
    reply = said("Short." if verb == "delete" else TEXT)
    with pytest.raises(Unreachable):
        resume(platform, reply, manner)
    tried = 99 - len(platform.faults[verb])
    assert 4 <= tried <= 6, "pauses grow"


@BOTH
def test_a_silent_spell_during_live_edits_is_ignored(platform, outbox, manner):
    platform.faults["edit"].extend([SILENT, SILENT, Taken(SILENT)])
    play(give(said(*WORDS, pause=0.1), platform, outbox, manner))
    assert platform.screen == PARTS


def test_a_live_edit_that_failed_is_made_good_without_new_words(platform, outbox):
    platform.faults["edit"].append(SILENT)
    play(give(Reply("Hello", 2.0, " world", 9.0, Finished()), platform, outbox))
    assert [c.shown for c in platform.verbs("edit")] == ["Hello world", "Hello world"]


@BOTH
def test_the_wish_to_wait_pauses_live_edits_and_only_delays_the_final_one(platform, outbox, manner):
    platform.faults["edit"].append(RetryLater(30))
    play(give(said(*"abcdefghij", pause=1.0), platform, outbox, manner))
    calls = platform.verbs("edit")
    refused, last = calls[0], calls[-1]
    assert len(calls) == 2
    assert last.final
    assert last.at >= refused.at + 30
    assert platform.screen == ["abcdefghij"]


def test_a_post_that_had_to_wait_shows_the_newest_words(platform, outbox):
    platform.faults["post"].append(RetryLater(20))
    play(give(said(*"abcd", pause=1.0), platform, outbox))
    assert [(c.verb, c.shown) for c in platform.calls if c.final] == [("post", "abcd")]
    assert not platform.verbs("edit")


def test_live_edits_go_on_after_the_wait(platform, outbox):
    platform.faults["edit"].append(RetryLater(5))
    play(give(said(*"abcdefghijklmno", pause=1.0), platform, outbox))
    calls = platform.verbs("edit")
    assert calls[1].at >= calls[0].at + 5
    assert len(calls) > 5


@BOTH
def test_the_wish_to_wait_before_the_first_post_is_obeyed(platform, outbox, manner):
    platform.faults["post"].extend([RetryLater(20), RetryLater(0)])
    play(give(said(*"abcd", pause=1.0), platform, outbox, manner))
    posts = platform.verbs("post")
    assert posts[1].at >= posts[0].at + 20
    assert posts[2].at > posts[1].at + 0.05
    assert len(posts) == 3
    assert not platform.verbs("find")
    assert platform.screen == ["abcd"]


@BOTH
def test_each_final_call_obeys_the_wish_to_wait(platform, outbox, manner):
    for verb in ("post", "edit"):
        platform.faults[verb].extend([RetryLater(7), RetryLater(7), None, RetryLater(7)])
    play(give(said(TEXT), platform, outbox, manner))
    assert platform.screen == PARTS


@BOTH
@pytest.mark.parametrize("verb", ["post", "edit"])
def test_a_closed_place_ends_the_delivery_at_once(platform, outbox, manner, verb):
    platform.faults[verb].append(Gone("kicked"))
    with pytest.raises(Gone):
        play(give(said(*WORDS, pause=0.1), platform, outbox, manner))
    assert platform.calls[-1].verb == verb


def test_a_turn_that_belongs_to_another_worker_now_shows_nothing_more(platform, outbox):
    def fenced(part: Part) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        future.set_exception(Fenced("another worker"))
        return future

    outbox.sent = fenced
    with pytest.raises(Fenced):
        play(give(said(*WORDS, pause=0.1), platform, outbox))
    assert [call.verb for call in platform.verbs("post", "edit")] == ["post"]


@given(
    st.sampled_from([MANNER, EDITED, replace(MANNER, edits=False)]),
    st.lists(
        st.tuples(
            st.sampled_from(["post", "edit", "delete", "find"]),
            st.lists(
                st.sampled_from([None, SILENT, Taken(SILENT), RetryLater(3), RetryLater(0)]),
                max_size=4,
            ),
        ),
        max_size=4,
    ),
    st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=3),
    st.sampled_from([0.0, 0.05, 0.3]),
)
def test_whatever_fails_the_text_is_there_once_at_the_end(manner, faults, kills, pause):
    platform = Platform(Journal())
    for verb, queue in faults:
        platform.faults[verb].extend(queue)
    for calls, taken in kills:
        verb = "edit" if calls % 2 else "post"
        platform.faults[verb].extend(
            [*[None] * (calls // 2), Taken(Killed()) if taken else Killed()]
        )
        try:
            play(give(said(*WORDS, pause=pause), platform, platform.outbox, manner))
        except (Killed, Unreachable):
            platform.outbox = platform.outbox.survivor()
    for queue in platform.faults.values():
        queue.clear()
    resume(platform, said(TEXT), manner)
    shown = sorted(platform.messages.items(), key=lambda message: platform.index[message[0]])
    assert [text for _, text in shown] == PARTS
