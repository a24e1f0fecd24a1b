"""What every store must do; PostgreSQL will be one more line in `STORES`."""

import asyncio
import os
import sqlite3
import time
from contextlib import asynccontextmanager, closing
from dataclasses import replace

import pytest

from bot.backends.sqlite.store import opened
from bot.domain.errors import StoreBusy, StoreError
from bot.domain.events import Announced, Attachment, MessageDeleted, MessageEdited, MessageReceived
from bot.domain.replies import Part, Receipt
from bot.ports.store import NewLine, Result, Summary
from tests.events import PLACE, command, message


@asynccontextmanager
async def sqlite(folder):
    async with opened(folder / "parley.db") as store:
        yield store


STORES = [sqlite]
LANE = str(PLACE)


@pytest.fixture(params=STORES, ids=lambda store: store.__name__)
def at(request, tmp_path):
    """Open the store of one folder; open it again to restart."""
    return lambda: request.param(tmp_path)


async def put(store, event, lane="lane", memory="memory"):
    return await store.lanes.ingest(event, lane=lane, memory=memory)


async def claim(store, limit=10):
    return await asyncio.wait_for(store.lanes.claim(limit), 5)


async def nothing_ready(store):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(store.lanes.claim(10), 0.05)


def said(*texts):
    roles = ("user", "assistant")
    return tuple(NewLine(role=roles[i % 2], text=t, message=f"m-{t}") for i, t in enumerate(texts))


async def texts(store, epoch=0, key="memory"):
    return [line.text for line in await store.records.recall(key, epoch, limit=100)][::-1]


async def test_an_event_is_stored_once_however_often_it_comes(at):
    event = message()
    async with at() as store:
        first, *again = await asyncio.gather(*(put(store, event) for _ in range(5)))
        assert first is not None
        assert again == [None] * 4
    async with at() as store:
        assert await put(store, event) is None


async def test_turns_of_a_lane_come_one_after_another_in_order(at):
    async with at() as store:
        await asyncio.gather(*(put(store, message(str(n))) for n in range(20)))
        (turn,) = await claim(store)
        await nothing_ready(store)
        order = []
        while turn:
            order.append(turn.event.text)
            turn = await store.lanes.finish(turn, Result())
        assert order == [str(n) for n in range(20)]


async def test_lanes_run_side_by_side_up_to_the_limit(at):
    async with at() as store:
        await asyncio.gather(*(put(store, message(), lane=str(n)) for n in range(5)))
        assert len(await claim(store, 3)) == 3
        assert len(await claim(store, 3)) == 2


async def test_a_lane_that_was_empty_wakes_again(at):
    async with at() as store:
        await put(store, message("a"))
        (turn,) = await claim(store)
        assert await store.lanes.finish(turn, Result()) is None
        waiting = asyncio.create_task(claim(store))
        await put(store, message("b"))
        assert [turn.event.text for turn in await waiting] == ["b"]


async def test_control_events_are_stored_but_do_not_wait_in_the_lane(at):
    async with at() as store:
        turn = await put(store, command("stop"))
        assert turn.event.name == "stop"
        await nothing_ready(store)
        assert await store.lanes.finish(turn, Result()) is None
    async with at() as store:
        await nothing_ready(store)


async def test_an_unfinished_control_event_is_run_after_a_restart(at):
    async with at() as store:
        await put(store, command("reset"))
    async with at() as store:
        assert [turn.event.name for turn in await claim(store)] == ["reset"]


async def test_a_restart_gives_back_open_turns_with_their_journal(at):
    async with at() as store:
        await put(store, message("first"))
        await put(store, message("second"))
        (turn,) = await claim(store)
        store.lanes.save(turn, "admitted", {"model": "big"})
        await store.lanes.save(turn, "answered", {"text": "hi"})
        await store.lanes.save_part(turn, Part(index=0, end=2, digest="d", id="77"))
        await store.lanes.save_part(turn, Part(index=1, end=9, digest="e", id=""))
        await store.lanes.drop_part(turn, 1)
    async with at() as store:
        (turn,) = await claim(store)
        assert turn.event.text == "first"
        assert turn.resumed
        assert turn.attempts == 0  # it had its answer: only the sending is left
        assert turn.steps == {"admitted": {"model": "big"}, "answered": {"text": "hi"}}
        assert turn.parts == (Part(index=0, end=2, digest="d", id="77"),)
        following = await store.lanes.finish(turn, Result())
        assert (following.event.text, following.attempts) == ("second", 0)


async def test_attempts_survive_and_the_third_waits(at):
    async with at() as store:
        await put(store, message())
    for attempt in range(2):
        async with at() as store:
            (turn,) = await claim(store)
            assert turn.attempts == attempt
            await store.lanes.save(turn, "admitted", {})
    async with at() as store:
        await nothing_ready(store)


async def test_release_does_not_count_as_an_attempt(at):
    async with at() as store:
        await put(store, message())
        (turn,) = await claim(store)
        await store.lanes.save(turn, "admitted", {})
        await store.lanes.release(turn)
    async with at() as store:
        (turn,) = await claim(store)
        assert turn.attempts == 0


async def test_a_failed_turn_comes_back_in_its_time_and_blocks_no_other_lane(at):
    async with at() as store:
        await put(store, message("stuck"), lane="a")
        await put(store, message("behind"), lane="a")
        (turn,) = await claim(store)
        await store.lanes.save(turn, "admitted", {"model": "m"})
        await store.lanes.fail(turn, not_before=time.time() + 0.2)
        await put(store, message("other"), lane="b")
        (other,) = await claim(store)
        assert other.event.text == "other"
        (again,) = await claim(store)
        assert (again.event.text, again.attempts, again.resumed) == ("stuck", 1, True)
        assert again.steps == {"admitted": {"model": "m"}}
        following = await store.lanes.finish(again, Result())
        assert following.event.text == "behind"


async def test_a_failure_of_the_platform_is_not_counted(at):
    async with at() as store:
        await put(store, message())
        (turn,) = await claim(store)
        await store.lanes.fail(turn, not_before=0.0, counted=False)
        (again,) = await claim(store)
        assert (again.attempts, again.resumed) == (0, True)


async def test_a_control_event_that_failed_comes_back(at):
    async with at() as store:
        await put(store, message("running"))
        (running,) = await claim(store)
        turn = await put(store, command("help"))
        await store.lanes.fail(turn, not_before=0.0)
        following = await store.lanes.finish(running, Result())
        assert following.event.name == "help"
        assert await store.lanes.finish(following, Result()) is None


async def test_finish_writes_history_handles_and_the_joined_thread(at):
    event = message(conversation=PLACE.__class__(platform="fake", channel="C", thread="9"))
    async with at() as store:
        await put(store, event, lane=str(event.conversation))
        (turn,) = await claim(store)
        await store.lanes.finish(turn, Result(lines=said("q", "a"), receipt=Receipt(("1", "2"))))
        assert await texts(store) == ["q", "a"]
        assert await store.records.joined() == {str(event.conversation)}


async def test_a_closed_row_keeps_its_id_and_loses_its_text(at, tmp_path):
    event = message("a very secret sentence")
    async with at() as store:
        await put(store, event)
        (turn,) = await claim(store)
        await store.lanes.finish(turn, Result(outcome="declined"))
        assert await put(store, event) is None
    for file in tmp_path.iterdir():
        assert b"very secret" not in file.read_bytes()


async def test_a_reset_keeps_a_late_answer_out(at):
    async with at() as store:
        await put(store, message("q"))
        (turn,) = await claim(store)
        await store.records.reset("memory")
        await store.lanes.finish(turn, Result(lines=said("q", "late")))
        await put(store, message("new"))
        (fresh,) = await claim(store)
        assert fresh.epoch == 1
        await store.lanes.finish(fresh, Result(lines=said("new", "answer")))
        assert await texts(store, epoch=1) == ["new", "answer"]
        assert await texts(store, epoch=0) == []
        assert await store.records.reset("memory") == 2


async def test_recall_pages_back_and_leaves_one_event_out(at):
    async with at() as store:
        events = [message(str(n)) for n in range(4)]
        for event in events:
            await put(store, event)
        (turn,) = await claim(store)
        while turn:
            text = turn.event.text
            turn = await store.lanes.finish(turn, Result(lines=said(f"q{text}", f"a{text}")))
        page = await store.records.recall("memory", 0, limit=3)
        assert [line.text for line in page] == ["a3", "q3", "a2"]
        page = await store.records.recall("memory", 0, limit=3, before=page[-1].id)
        assert [line.text for line in page] == ["q2", "a1", "q1"]
        without = await store.records.recall("memory", 0, limit=2, without=events[3].id)
        assert [line.text for line in without] == ["a2", "q2"]
        question = await store.records.last_question("memory")
        assert (question.event, question.text, question.message) == (events[3].id, "q3", "m-q3")


async def test_what_is_new_since_a_reading_is_told_and_what_is_gone_shows(at):
    async with at() as store:
        for n in range(3):
            await put(store, message(str(n)), lane=LANE)
        (turn,) = await claim(store)
        while turn:
            text = turn.event.text
            turn = await store.lanes.finish(turn, Result(lines=said(f"q{text}", f"a{text}")))
        a2, q2, a1, *_, q0 = await store.records.recall("memory", 0, limit=9)
        since = await store.records.since("memory", 0, first=q0.id, last=a1.id)
        assert since.still == 4
        assert [line.text for line in since.newer] == [a2.text, q2.text]
        await store.lanes.withdraw(deletion("m-q0"))
        assert (await store.records.since("memory", 0, first=q0.id, last=a1.id)).still == 2
        await store.lanes.withdraw(deletion("m-q1"))
        assert await store.records.since("memory", 0, first=q0.id, last=a1.id) is None
        await store.records.reset("memory")
        assert await store.records.since("memory", 0, first=q0.id, last=a2.id) is None


async def test_what_was_summed_up_is_told_with_what_is_new(at):
    async with at() as store:
        await put(store, message("0"), lane=LANE)
        (turn,) = await claim(store)
        await store.lanes.finish(turn, Result(lines=said("q", "a")))
        a, q = await store.records.recall("memory", 0, limit=9)
        summary = Summary(memory="memory", epoch=0, first=q.id, last=a.id, text="they met",
                          tokens=2, model="main", at=1.0)  # fmt: skip
        assert (await store.records.since("memory", 0, first=q.id, last=a.id)).summary is None
        assert await store.summaries.write(summary, before=None, lines=[q, a])
        since = await store.records.since("memory", 0, first=q.id, last=a.id)
        assert since == (2, [], summary)
        assert since.summary == await store.summaries.read("memory", 0)
        await store.lanes.withdraw(deletion("m-q"))
        assert await store.summaries.read("memory", 0) is None
        assert await store.records.since("memory", 0, first=q.id, last=a.id) is None


async def test_a_retried_answer_takes_the_place_of_the_old_one(at):
    async with at() as store:
        first = message("q")
        await put(store, first)
        (turn,) = await claim(store)
        await store.lanes.finish(turn, Result(lines=said("q", "old")))
        await put(store, message("q", replaces=first.id))
        (turn,) = await claim(store)
        await store.lanes.finish(turn, Result(lines=said("q", "new")))
        assert await texts(store) == ["q", "new"]


async def test_counts_are_kept_by_line(at):
    async with at() as store:
        await put(store, message("q"))
        (turn,) = await claim(store)
        await store.lanes.finish(turn, Result(lines=said("ä")))
        (line,) = await store.records.recall("memory", 0, limit=1)
        assert (line.size, line.tokens) == (2, None)
        await store.records.counted({line.id: 1})
        (line,) = await store.records.recall("memory", 0, limit=1)
        assert line.tokens == 1


def edit(event, text, after=1.0):
    """Let the author of a message change it."""
    return MessageEdited(
        id=f"{event.id}:{text}", at=event.at + after, conversation=PLACE, author=event.author,
        message=event.message, text=text, private=True,
    )  # fmt: skip


def deletion(*messages):
    """Take messages away, by their ids."""
    return MessageDeleted(
        id=f"gone:{messages}", at=time.time(), conversation=PLACE, messages=messages
    )


async def answered(store, *events, shown=("1",)):
    """Ask in the place itself and answer each question."""
    for event in events:
        await put(store, event, lane=LANE, memory=LANE)
        (turn,) = await claim(store)
        asked = NewLine(role="user", text=event.text, message=event.message, person="p")
        reply = NewLine(role="assistant", text=f"re {event.text}")
        await store.lanes.finish(turn, Result(lines=(asked, reply), receipt=Receipt(shown)))


async def test_a_waiting_message_follows_its_edit_and_its_deletion(at):
    async with at() as store:
        running, edited, deleted = message("running"), message("before"), message("delete me")
        for event in (running, edited, deleted):
            await put(store, event, lane=LANE)
        (turn,) = await claim(store)
        assert (await store.lanes.amend(edit(edited, "after"), within=0)).event.text == "after"
        assert (await store.lanes.withdraw(deletion(deleted.message))).changed
        following = await store.lanes.finish(turn, Result())
        assert following.event.text == "after"
        await store.lanes.release(following)
    async with at() as store:
        (turn,) = await claim(store)
        assert turn.event.text == "after"
        assert await store.lanes.finish(turn, Result()) is None


async def test_an_edit_that_was_overtaken_by_a_later_one_changes_nothing(at):
    async with at() as store:
        event = message("one")
        await put(store, event, lane=LANE)
        assert await store.lanes.amend(edit(event, "three", after=3), within=0)
        assert await store.lanes.amend(edit(event, "two", after=2), within=0) is None
        assert await store.lanes.amend(edit(event, "three", after=3), within=0) is None
        (turn,) = await claim(store)
        assert turn.event.text == "three"


async def test_a_turn_whose_question_was_edited_while_it_ran_is_not_closed_but_comes_again(at):
    async with at() as store:
        event = message("before")
        await put(store, event, lane=LANE, memory=LANE)
        (turn,) = await claim(store)
        await store.lanes.save_part(turn, Part(index=0, id="7"))
        now = await store.lanes.amend(edit(event, "after"), within=0)
        assert (now.id, now.event.text, now.revision) == (turn.id, "after", 1)
        again = await store.lanes.finish(turn, Result(lines=said("before", "a"), revision=0))
        assert (again.id, again.event.text, [part.id for part in again.parts]) == (
            turn.id, "after", ["7"])  # fmt: skip
        assert await texts(store, key=LANE) == []
        assert await store.lanes.finish(again, Result(lines=said("after", "b"), revision=1)) is None
        assert await texts(store, key=LANE) == ["after", "b"]


async def test_an_edit_of_a_running_question_survives_a_restart(at):
    async with at() as store:
        event = message("before")
        await put(store, event, lane=LANE)
        (turn,) = await claim(store)
        await store.lanes.save(turn, "admitted", {})
        await store.lanes.amend(edit(event, "after"), within=0)
    async with at() as store:
        (turn,) = await claim(store)
        assert (turn.event.text, turn.revision) == ("after", 1)


async def test_an_answered_question_that_is_edited_is_asked_again_over_its_messages(at):
    async with at() as store:
        event = message("typo")
        await answered(store, event, shown=("101", "99", "100"))
        assert await store.lanes.amend(edit(event, "typo"), within=60) is None
        assert await store.lanes.amend(edit(event, "late"), within=0) is None
        await store.lanes.amend(edit(event, "fixed"), within=60)
    async with at() as store:
        (turn,) = await claim(store)
        assert (turn.event.text, turn.event.replaces) == ("fixed", event.id)
        assert [part.id for part in turn.parts] == ["99", "100", "101"]
        result = Result(lines=said("fixed", "new"), receipt=Receipt(("99",)))
        assert await store.lanes.finish(turn, result) is None
        assert await texts(store, key=LANE) == ["fixed", "new"]


async def test_a_deleted_question_takes_its_answer_out_of_memory_and_out_of_sight(at):
    async with at() as store:
        gone, stays = message("q"), message("stays")
        await answered(store, gone, shown=("1", "2"))
        await answered(store, stays, shown=("3",))
        withdrawn = await store.lanes.withdraw(deletion(gone.message))
        assert [part.id for part in withdrawn.answers.parts] == ["1", "2"]
        assert await texts(store, key=LANE) == ["stays", "re stays"]
        assert not (await store.lanes.withdraw(deletion(gone.message))).changed


async def test_a_deleted_answer_leaves_the_memory_and_its_question_stays(at):
    async with at() as store:
        await answered(store, message("q"), shown=("1",))
        withdrawn = await store.lanes.withdraw(deletion("1"))
        assert (withdrawn.changed, withdrawn.answers) == (True, None)
        assert await texts(store, key=LANE) == ["q"]


async def test_a_deletion_of_what_nobody_knows_leaves_no_row(at, tmp_path):
    async with at() as store:
        assert not (await store.lanes.withdraw(deletion("nobody's"))).changed
        assert await store.lanes.amend(edit(message("never stored"), "x"), within=60) is None
    with closing(sqlite3.connect(tmp_path / "parley.db")) as db:
        assert db.execute("select count(*) from inbox").fetchone() == (0,)


async def test_a_running_question_that_is_deleted_comes_again_marked(at):
    async with at() as store:
        event = message("q")
        await put(store, event, lane=LANE, memory=LANE)
        (turn,) = await claim(store)
        withdrawn = await store.lanes.withdraw(deletion(event.message))
        assert withdrawn.running.steps["forgotten"]
        again = await store.lanes.finish(turn, Result(lines=said("q", "a"), revision=0))
        assert (again.id, again.steps["forgotten"]) == (turn.id, True)
        assert await texts(store, key=LANE) == []


async def test_withdrawing_the_only_waiting_message_does_not_run_its_lane_twice(at):
    async with at() as store:
        event = message("gone")
        await put(store, event, lane=LANE)
        assert (await store.lanes.withdraw(deletion(event.message))).changed
        await put(store, message("next"), lane=LANE)
        (turn,) = await claim(store)
        await put(store, message("after"), lane=LANE)
        await nothing_ready(store)
        assert (await store.lanes.finish(turn, Result())).event.text == "after"


async def test_messages_of_one_person_are_taken_together_for_good(at):
    bob = replace(message().author, user="bob")
    mine = [
        message("one", attachments=(Attachment(name="a.txt"),)),
        message("two"),
        message("three"),
    ]
    others = [message("four", author=bob), message("five")]
    async with at() as store:
        for event in (*mine, *others):
            await put(store, event, lane=LANE, memory=LANE)
        (turn,) = await claim(store)
        turn = await store.lanes.gather(turn)
        assert turn.event.words == "one\ntwo\nthree"
        assert (turn.event.id, turn.event.message) == (mine[0].id, mine[2].message)
        assert turn.event.attachments == (Attachment(name="a.txt", message=mine[0].message),)
    async with at() as store:
        (turn,) = await claim(store)
        assert turn.event.words == "one\ntwo\nthree"
        assert await put(store, mine[1], lane=LANE) is None
        following = await store.lanes.finish(turn, Result())
        assert (await store.lanes.gather(following)).event.words == "four"


async def test_whom_messages_quote_is_known_when_they_are_taken_together(at):
    def quoting(user):
        return message("and?", quoted=f"of {user}", quoted_by=f"fake::{user}")

    async with at() as store:
        for event in (message("look"), quoting("bob"), message("well"), quoting("carl")):
            await put(store, event, lane=LANE, memory=LANE)
        (turn,) = await claim(store)
        turn = await store.lanes.gather(turn)
        assert turn.event.words == "look\nand?\nwell"
        assert (turn.event.quoted, turn.event.quoted_by) == ("of bob", "fake::bob")
        following = await store.lanes.finish(turn, Result())
        assert (await store.lanes.gather(following)).event.quoted_by == "fake::carl"


@pytest.mark.parametrize("which", [0, 1, 2])
async def test_each_of_several_messages_taken_together_can_be_edited_and_deleted(at, which):
    events = [message("one"), message("two"), message("three")]
    async with at() as store:
        for event in events:
            await put(store, event, lane=LANE, memory=LANE)
        (turn,) = await claim(store)
        turn = await store.lanes.gather(turn)
        now = await store.lanes.amend(edit(events[which], "new"), within=0)
        wanted = ["one", "two", "three"]
        wanted[which] = "new"
        assert now.event.words == "\n".join(wanted)
        withdrawn = await store.lanes.withdraw(deletion(events[which].message))
        del wanted[which]
        assert withdrawn.running.event.words == "\n".join(wanted)


async def test_a_deletion_of_one_of_several_forgets_their_exchange(at):
    events = [message("one"), message("two")]
    async with at() as store:
        for event in events:
            await put(store, event, lane=LANE, memory=LANE)
        (turn,) = await claim(store)
        turn = await store.lanes.gather(turn)
        asked = NewLine(role="user", text=turn.event.words, message=turn.event.message)
        await store.lanes.finish(turn, Result(lines=(asked,), receipt=Receipt(("9",))))
        withdrawn = await store.lanes.withdraw(deletion(events[0].message))
        assert [part.id for part in withdrawn.answers.parts] == ["9"]
        assert await texts(store, key=LANE) == []


async def test_a_conversation_that_moves_takes_memory_settings_and_waiting_messages_along(at):
    new = replace(PLACE, channel="C2")
    async with at() as store:
        await answered(store, message("old"))
        await store.records.override(LANE, "model", "big")
        for text in ("running", "waiting"):
            await put(store, message(text), lane=LANE, memory=LANE)
        (turn,) = await claim(store)
        await store.places.move(PLACE, new)
        assert await store.lanes.finish(turn, Result(lines=said("running", "a"))) is None
        (waiting,) = await claim(store)
        assert (waiting.event.text, waiting.event.conversation) == ("waiting", new)
    async with at() as store:
        assert await store.places.moves() == {LANE: str(new)}
        assert await texts(store, key=str(new)) == ["old", "re old", "running", "a"]
        assert await store.records.overrides() == {str(new): {"model": "big"}}
        (waiting,) = await claim(store)
        assert (waiting.lane, waiting.memory) == (str(new), str(new))


@pytest.mark.parametrize("forget", [True, False])
async def test_a_place_that_is_left_ends_with_all_that_lies_in_it(at, forget):
    thread, elsewhere = replace(PLACE, thread="5"), replace(PLACE, channel="C10")
    async with at() as store:
        for place in (PLACE, thread, elsewhere):
            lane = str(place)
            await put(store, message("said", conversation=place), lane=lane, memory=lane)
            (turn,) = await claim(store)
            await store.lanes.finish(turn, Result(lines=said("said", "a"), receipt=Receipt(("1",))))
        for place in (PLACE, thread, elsewhere):
            await put(store, message("waits", conversation=place), lane=str(place))
        await store.places.leave(PLACE, forget=forget)
        assert await texts(store, key=str(thread)) == ([] if forget else ["said", "a"])
        assert await texts(store, key=str(elsewhere)) == ["said", "a"]
    async with at() as store:
        (turn,) = await claim(store)
        assert turn.lane == str(elsewhere)
        await nothing_ready(store)


async def test_a_workspace_that_is_left_ends_with_all_its_channels(at):
    other = replace(PLACE, workspace="W2")
    async with at() as store:
        for place in (PLACE, other):
            await put(store, message(conversation=place), lane=str(place))
        await store.places.leave(replace(PLACE, channel=""), forget=True)
        (turn,) = await claim(store)
        assert turn.lane == str(other)


async def test_what_is_stored_as_answered_does_not_wait_in_its_lane_until_a_restart(at):
    async with at() as store:
        answered = {"text": "busy", "reason": "declined", "usage": {}}
        turn = await store.lanes.ingest(message(), lane="lane", memory="memory", answered=answered)
        assert turn.steps["answered"] == answered
        await nothing_ready(store)
    async with at() as store:
        (turn,) = await claim(store)
        assert turn.steps["answered"] == answered


async def test_a_busy_lane_gives_way_when_others_are_ready(at):
    async with at() as store:
        for text in ("1", "2"):
            await put(store, message(text), lane="busy")
        (turn,) = await claim(store, limit=1)
        await put(store, message("other"), lane="other")
        assert await store.lanes.finish(turn, Result()) is None
        order = [(await claim(store, limit=1))[0].event.text for _ in range(2)]
        assert order == ["other", "2"]


async def test_a_timer_fires_once_also_after_a_restart(at):
    event = message("later")
    async with at() as store:
        await store.lanes.schedule(event, lane="lane", memory="memory", due=time.time() + 0.3)
        await store.lanes.schedule(event, lane="lane", memory="memory", due=time.time() + 9)
        await nothing_ready(store)
    async with at() as store:
        (turn,) = await claim(store)
        assert turn.event.text == "later"
        await store.lanes.finish(turn, Result())
        await nothing_ready(store)


async def test_a_stop_is_remembered(at):
    async with at() as store:
        await put(store, message())
        (turn,) = await claim(store)
        await store.lanes.cancel(turn)
    async with at() as store:
        (turn,) = await claim(store)
        assert turn.steps["stopped"] is True


async def test_settings_and_marks_survive(at):
    async with at() as store:
        await store.records.override("lane", "model", "big")
        await store.records.override("lane", "persona", "pirate")
        await store.records.override("lane", "persona", None)
        await store.records.put("discord", "5", "100")
        await store.records.put("discord", "5", "101")
    async with at() as store:
        assert await store.records.overrides() == {"lane": {"model": "big"}}
        assert await store.records.read("discord") == {"5": "101"}


async def test_one_bad_write_does_not_take_its_neighbours_along(at):
    async with at() as store:
        good = [put(store, message(str(n)), lane=str(n)) for n in range(3)]
        bad = put(store, message("bad"), lane=None)
        results = await asyncio.gather(*good, bad, return_exceptions=True)
        assert all(turn.event.text == str(n) for n, turn in enumerate(results[:3]))
        assert isinstance(results[3], StoreError)


async def test_text_that_is_hard_to_store_comes_back(at):
    text = "😀\x01 \u2028 \u202e<|endoftext|>" + "x" * 100_000
    async with at() as store:
        await put(store, message(text))
    async with at() as store:
        (turn,) = await claim(store)
        assert isinstance(turn.event, MessageReceived)
        assert turn.event.text == text


async def test_a_second_process_is_refused_with_the_reason(tmp_path):
    async with sqlite(tmp_path):
        with pytest.raises(StoreError, match=f"process {os.getpid()}"):
            async with sqlite(tmp_path):
                pass


@pytest.fixture
def no_time(monkeypatch):
    """Whatever is written along waits for company as long as it takes."""
    monkeypatch.setattr("bot.backends.sqlite.writer.COMPANY_S", 3600.0)


def parts(folder):
    with closing(sqlite3.connect(folder / "parley.db")) as db:
        return db.execute("select part from parts order by part").fetchall()


async def test_a_part_that_nobody_waits_for_is_written_with_what_comes_next(tmp_path, no_time):
    async with sqlite(tmp_path) as store:
        await put(store, message())
        (turn,) = await claim(store)
        store.lanes.save_part(turn, Part(index=0, id="7"))
        await nothing_ready(store)
        assert parts(tmp_path) == []
        await asyncio.wait_for(put(store, message("next")), 5)
        assert parts(tmp_path) == [(0,)]


async def test_a_turn_ends_with_what_is_written_next_in_its_place(tmp_path, no_time, monkeypatch):
    monkeypatch.setattr("bot.backends.sqlite.lanes.OPEN_S", 3600.0)
    async with sqlite(tmp_path) as store:
        await put(store, message("one"))
        (turn,) = await claim(store)
        ending = asyncio.create_task(store.lanes.finish(turn, Result(lines=said("one"))))
        await nothing_ready(store)
        assert await texts(store) == []
        assert store.lanes.count("lane") == 0  # it takes nobody's place
        async with asyncio.timeout(5):
            await put(store, message("two"))
            assert (await ending).event.text == "two"
        assert await texts(store) == ["one"]


async def test_a_turn_ends_at_once_where_another_waits(tmp_path, no_time, monkeypatch):
    monkeypatch.setattr("bot.backends.sqlite.lanes.OPEN_S", 3600.0)
    async with sqlite(tmp_path) as store:
        await put(store, message("one"))
        await put(store, message("two"))
        (turn,) = await claim(store)
        async with asyncio.timeout(5):
            turn = await store.lanes.finish(turn, Result())
            ending = asyncio.create_task(store.lanes.finish(turn, Result()))
            storing = asyncio.create_task(put(store, message("three")))
            assert (await ending).event.text == "three"
            await storing


async def test_a_turn_ends_at_once_where_another_was_being_stored(tmp_path, no_time, monkeypatch):
    monkeypatch.setattr("bot.backends.sqlite.lanes.OPEN_S", 3600.0)
    async with sqlite(tmp_path) as store, asyncio.timeout(20):
        await put(store, message("0"))
        (turn,) = await claim(store)
        for number in range(1, 20):
            storing = asyncio.create_task(put(store, message(str(number))))
            for _ in range(number % 5):  # at any moment of the other commit
                await asyncio.sleep(0)
            turn = await store.lanes.finish(turn, Result())
            await storing
            turn = turn or (await claim(store))[0]
            assert turn.event.text == str(number)


async def test_a_turn_ends_soon_where_nothing_follows(tmp_path, no_time):
    async with sqlite(tmp_path) as store:
        await put(store, message("one"))
        (turn,) = await claim(store)
        store.lanes.save_part(turn, Part(index=0, id="7"))
        assert await asyncio.wait_for(store.lanes.finish(turn, Result()), 5) is None


async def test_counts_of_tokens_are_written_with_what_comes_next(tmp_path, no_time):
    async with sqlite(tmp_path) as store:
        await put(store, message("q"))
        (turn,) = await claim(store)
        await store.lanes.finish(turn, Result(lines=said("ä")))
        (line,) = await store.records.recall("memory", 0, limit=1)
        store.records.counted({line.id: 1})
        await nothing_ready(store)
        assert await store.records.recall("memory", 0, limit=1) == [line]
        await asyncio.wait_for(put(store, message("next")), 5)
        (counted,) = await store.records.recall("memory", 0, limit=1)
        assert counted.tokens == 1


async def test_a_part_that_somebody_waits_for_is_written_at_once(tmp_path, no_time):
    async with sqlite(tmp_path) as store:
        await put(store, message())
        (turn,) = await claim(store)
        early = store.lanes.save_part(turn, Part(index=0, id="7"))
        async with asyncio.timeout(5):
            await store.lanes.save_part(turn, Part(index=1, id="8"))
            await early
        assert parts(tmp_path) == [(0,), (1,)]


async def test_a_part_that_nothing_follows_is_written_after_a_moment(tmp_path):
    async with sqlite(tmp_path) as store:
        await put(store, message())
        (turn,) = await claim(store)
        store.lanes.save_part(turn, Part(index=0, id="7"))
        async with asyncio.timeout(5):
            while not parts(tmp_path):
                await asyncio.sleep(0.01)


async def test_a_full_disk_refuses_the_event_and_recovers(tmp_path):
    async with sqlite(tmp_path) as store:
        limit = "pragma max_page_count={}"
        connection = store.lanes._connection
        pages = await connection.run(lambda db: db.execute("pragma page_count").fetchone()[0])
        await connection.run(lambda db: db.execute(limit.format(pages)).fetchone())
        with pytest.raises(StoreBusy):
            await put(store, message("x" * 200_000))
        await connection.run(lambda db: db.execute(limit.format(1 << 30)).fetchone())
        assert await put(store, message("x" * 200_000)) is not None


@pytest.mark.parametrize("damage", ["header", "middle"])
async def test_a_corrupt_database_is_refused_in_one_sentence(tmp_path, damage):
    async with sqlite(tmp_path) as store:
        for n in range(200):
            await put(store, message("x" * 500), lane=str(n))
    file = tmp_path / "parley.db"
    content = bytearray(file.read_bytes())
    start = 0 if damage == "header" else 4096
    content[start : start + 4096] = b"z" * 4096
    file.write_bytes(content)
    with pytest.raises(StoreError, match="corrupt"):
        async with sqlite(tmp_path):
            pass
    assert file.read_bytes() == bytes(content)


async def test_a_newer_database_is_refused(tmp_path):
    async with sqlite(tmp_path):
        pass
    with sqlite3.connect(tmp_path / "parley.db") as db:
        db.execute("pragma user_version=999")
    db.close()
    with pytest.raises(StoreError, match="newer Parley"):
        async with sqlite(tmp_path):
            pass


async def test_what_the_bot_announces_says_nothing_of_the_platforms_clock(at):
    said = Announced(id="paired:1", at=time.time(), conversation=PLACE, text="welcome")
    async with at() as store:
        turn = await put(store, said, lane=LANE, memory=LANE)
        await store.lanes.finish(turn, Result())
        assert await store.lanes.lateness() is None
