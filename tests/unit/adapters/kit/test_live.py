"""Delivery of a reply without faults: when something is posted, when it is edited."""

import asyncio
import time
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.live import Manner, deliver
from adapters.kit.split import split
from bot.domain.errors import DeliveryError, ModelError
from bot.domain.replies import Finished, Piece, Receipt, Retraction, Status, Text
from tests.unit.adapters.kit.stage import EDITED, MANNER, Journal, Platform, Reply, give, play, said


@pytest.fixture
def outbox() -> Journal:
    return Journal()


@pytest.fixture
def platform(outbox) -> Platform:
    return Platform(outbox)


def test_a_reply_that_is_complete_at_once_is_one_post(platform, outbox):
    receipt = play(give(said("Hello ", "world"), platform, outbox))
    assert receipt == Receipt(("m0",))
    assert [(c.verb, c.shown, c.final) for c in platform.calls] == [("post", "Hello world", True)]


def test_patience_counts_from_the_first_words(platform, outbox):
    play(give(Reply(9.0, "Hello ", 0.25, "world", Finished()), platform, outbox))
    assert [(c.verb, c.shown) for c in platform.verbs("post", "edit")] == [("post", "Hello world")]


def test_a_slow_reply_is_posted_and_edited_at_intervals(platform, outbox):
    words = [f"word{n} " for n in range(12)]
    play(give(said(*words, pause=0.3), platform, outbox))
    calls = platform.verbs("post", "edit")
    assert [call.verb for call in calls] == ["post", "edit", "edit", "edit"]
    assert [call.final for call in calls] == [False, False, False, True]
    assert [round(call.at, 2) for call in calls] == [0.6, 1.6, 2.6, 3.6]
    assert platform.screen == ["".join(words)]


def test_an_edit_waits_for_the_one_before(platform, outbox):
    platform.latency = 2.5
    play(give(said(*"abcdefghij", pause=0.5), platform, outbox))
    calls = platform.verbs("post", "edit")
    assert all(later.at - call.at >= 2.5 for call, later in pairwise(calls))
    assert platform.screen == ["abcdefghij"]


def test_nothing_is_edited_while_nothing_changes(platform, outbox):
    play(give(Reply("Hello", 30.0, " world", 30.0, Finished()), platform, outbox))
    assert [c.shown for c in platform.verbs("post", "edit")] == ["Hello", "Hello world"]


def test_nothing_final_is_shown_before_the_end(platform, outbox):
    finished = False

    async def reply():
        nonlocal finished
        for n in range(30):
            yield Text(f"word{n} ")
            await asyncio.sleep(0.3)
        finished = True
        yield Finished()

    real_edit, real_post = platform.edit, platform.post

    async def edit(id, shown, *, final, buttons=()):
        assert final == finished
        await real_edit(id, shown, final=final)

    async def post(index, shown, *, final, buttons=()):
        assert final == finished
        return await real_post(index, shown, final=final)

    platform.edit, platform.post = edit, post
    play(deliver(reply(), platform, MANNER, outbox))
    assert platform.calls[-1].final


def test_a_long_reply_grows_into_new_messages(platform, outbox):
    words = [f"word{n} " for n in range(60)]
    receipt = play(give(said(*words, pause=0.1), platform, outbox))
    assert receipt.messages == tuple(platform.messages)
    assert platform.screen == [piece.shown for piece in split("".join(words), 100)]
    for number, id_ in enumerate(receipt.messages[:-1], start=1):
        full = [call for call in platform.verbs("edit") if call.what == id_][-1]
        following = next(call for call in platform.verbs("post") if call.what == number)
        assert full.shown == platform.messages[id_]
        assert full.at < following.at, "a full part gets its last text before the next begins"


def test_the_outbox_knows_where_parts_end_and_what_they_show(platform, outbox):
    words = [f"word{n} " for n in range(60)]
    play(give(said(*words, pause=0.1), platform, outbox))
    slices = split("".join(words), 100)
    assert [outbox.known[n].end for n in range(len(slices))] == [piece.end for piece in slices]
    assert len({part.digest for part in outbox.known.values()}) == len(slices)
    assert [part.id for part in outbox.known.values()] == list(platform.messages)


def test_a_placeholder_comes_at_once_and_is_only_edited(platform, outbox):
    play(give(Reply(5.0, "Hello", 0.1, " world", Finished()), platform, outbox, EDITED))
    calls = [(round(c.at, 2), c.verb, c.shown, c.final) for c in platform.calls]
    assert calls == [(0.0, "post", "…", False), (5.1, "edit", "Hello world", True)]


def test_each_part_begins_as_a_placeholder_where_there_is_one(platform, outbox):
    words = [f"word{n} " for n in range(60)]
    play(give(said(*words, pause=0.1), platform, outbox, EDITED))
    assert {call.shown for call in platform.verbs("post")} == {"…"}
    assert platform.screen == [piece.shown for piece in split("".join(words), 100)]


def test_without_edits_there_is_typing_until_the_end(platform, outbox):
    words = [f"word{n} " for n in range(60)]
    play(give(said(*words, pause=0.5), platform, outbox, replace(MANNER, edits=False)))
    assert not platform.verbs("edit")
    assert [c.final for c in platform.verbs("post")] == [True] * len(split("".join(words), 100))
    assert min(call.at for call in platform.verbs("post")) >= 30.0
    assert len(platform.verbs("typing")) == 8


def test_typing_ends_when_there_is_something_to_see(platform, outbox):
    play(give(Reply(10.0, "Hello", 10.0, " world", Finished()), platform, outbox))
    assert [round(call.at, 1) for call in platform.verbs("typing")] == [0.3, 4.3, 8.3]


def test_a_quick_reply_shows_no_typing(platform, outbox):
    play(give(Reply(0.2, "Hello", Finished()), platform, outbox))
    assert not platform.verbs("typing")


def test_a_slow_typing_call_is_not_waited_for_and_not_left_behind(platform, outbox):
    async def typing():
        await asyncio.sleep(1000)

    platform.typing = typing

    async def scene():
        await give(Reply(9.0, "Hello", Finished()), platform, outbox)
        return asyncio.get_running_loop().time()

    assert play(scene()) < 10


@pytest.mark.parametrize("manner", [MANNER, EDITED])
@pytest.mark.parametrize("words", [(), ("",), (" \n",)])
def test_a_reply_without_words_leaves_no_message(platform, outbox, manner, words):
    assert play(give(Reply(1.0, *words, 1.0, Finished()), platform, outbox, manner)) == Receipt()
    assert platform.screen == []
    assert outbox.known == {}


def test_a_retraction_stands_in_place_of_all_words(platform, outbox):
    words = [f"word{n} " for n in range(60)]
    reply = Reply(*[step for word in words for step in (word, 0.1)], Retraction("No."), Finished())
    receipt = play(give(reply, platform, outbox))
    assert platform.screen == ["No."]
    assert receipt == Receipt(("m0",))
    assert set(outbox.known) == {0}


def test_words_after_a_retraction_follow_its_sentence(platform, outbox):
    reply = Reply("x " * 120, 3.0, Retraction("No. "), 3.0, "Sorry.", 3.0, Finished())
    play(give(reply, platform, outbox))
    assert platform.screen == ["No. Sorry."]


def test_a_long_sentence_in_place_of_all_words_has_its_own_boundaries(platform, outbox):
    sentence = "Something else, said at length. " * 9
    reply = Reply("x" * 350, 3.0, Retraction(sentence), 3.0, Finished())
    play(give(reply, platform, outbox))
    assert platform.screen == [piece.shown for piece in split(sentence, 100)]


def test_status_and_pieces_after_the_end_change_nothing(platform, outbox):
    reply = Reply(Status(), "Hello", Status("searching"), Finished(), "no more", 99.0)
    play(give(reply, platform, outbox))
    assert platform.screen == ["Hello"]


def test_a_last_edit_that_would_show_the_same_is_saved(platform, outbox):
    play(give(Reply("Hello", 3.0, Finished()), platform, outbox))
    assert [(call.verb, call.final) for call in platform.verbs("post", "edit")] == [("post", False)]
    assert [note[0] for note in outbox.notes] == ["begin", "sent"]


def test_a_reply_that_breaks_off_shows_nothing_final(platform, outbox):
    with pytest.raises(DeliveryError, match="broke off"):
        play(give(Reply("Hello", 3.0, " wor"), platform, outbox))
    assert not any(call.final for call in platform.calls)


@pytest.mark.parametrize("manner", [MANNER, EDITED, replace(MANNER, edits=False)])
def test_an_error_of_the_reply_is_raised(platform, outbox, manner):
    with pytest.raises(ModelError):
        play(give(Reply("Hello", 3.0, ModelError("gone")), platform, outbox, manner))
    assert not any(call.final for call in platform.calls)


@pytest.mark.parametrize("after", [0.0, 0.1, 0.5, 1.305, 1.5, 2.0])
@pytest.mark.parametrize("manner", [MANNER, EDITED, replace(MANNER, edits=False)])
def test_a_cancelled_delivery_closes_the_reply_and_leaves_no_task(platform, outbox, manner, after):
    async def scene():
        task = asyncio.create_task(give(said(*"abcdefgh", pause=0.3), platform, outbox, manner))
        await asyncio.sleep(after)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    play(scene())
    assert not any(call.final for call in platform.calls)


def test_an_iterator_that_cannot_be_closed_will_do(platform, outbox):
    class Mere:
        pieces = iter([Text("Hello"), Finished()])

        def __aiter__(self):
            return self

        async def __anext__(self) -> Piece:
            return next(self.pieces)

    play(deliver(Mere(), platform, MANNER, outbox))
    assert platform.screen == ["Hello"]


@given(
    st.lists(st.sampled_from(["word ", "\n", "\n\n", "```\n", "x" * 30, 0.1, 1.0]), max_size=60),
    st.sampled_from([MANNER, EDITED, replace(MANNER, edits=False)]),
)
def test_what_is_seen_at_the_end_is_the_text_in_parts(steps, manner):
    outbox = Journal()
    platform = Platform(outbox)
    receipt = play(give(Reply(*steps, Finished()), platform, outbox, manner))
    text = "".join(step for step in steps if isinstance(step, str))
    ends = [outbox.known[index].end for index in sorted(outbox.known)]
    assert receipt.messages == tuple(platform.messages)
    if text.strip():
        assert ends == [piece.end for piece in split(text, 100, ends=ends)]
        assert platform.screen == [piece.shown for piece in split(text, 100, ends=ends)]
    else:
        assert platform.screen == []


def test_a_streamed_piece_costs_next_to_nothing():
    class Void(Platform):
        async def post(self, index: int, shown: str, *, final: bool, buttons=()) -> str:
            return "m0"

    async def pieces():
        for _ in range(2000):
            yield Text("word ")
            await asyncio.sleep(0)
        yield Finished()

    async def alone() -> float:
        began = time.process_time()
        async for _ in pieces():
            pass
        return time.process_time() - began

    async def delivered() -> float:
        began = time.process_time()
        await deliver(pieces(), Void(), Manner(limit=20_000, patience=60), Journal())
        return time.process_time() - began

    cost = min(play(delivered()) for _ in range(5)) - min(play(alone()) for _ in range(5))
    assert cost / 2000 < 15e-6
