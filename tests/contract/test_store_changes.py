"""Changes that meet a turn at an awkward moment: while it is claimed, gathered, moved, given up."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from bot.backends.sqlite import rows, timers
from bot.backends.sqlite.store import opened
from bot.domain.replies import Part, Receipt
from bot.ports.store import NewLine, Result
from tests.contract.test_store import (
    LANE,
    answered,
    claim,
    deletion,
    edit,
    nothing_ready,
    put,
    said,
    texts,
)
from tests.events import PLACE, message


@pytest.fixture
def at(tmp_path):
    return lambda: opened(tmp_path / "parley.db")


def sql(tmp_path, q):
    with closing(sqlite3.connect(tmp_path / "parley.db")) as db:
        return db.execute(q).fetchall()


async def test_what_is_kept_for_a_while_goes_while_the_bot_runs(at, tmp_path, monkeypatch):
    monkeypatch.setattr(timers, "DAY", 0.05)
    monkeypatch.setattr(rows, "KNOWN_FOR", -1.0)
    async with at() as store:
        await put(store, message("one"), lane=LANE, memory=LANE)
        (turn,) = await claim(store)
        await store.lanes.finish(turn, Result())
        async with asyncio.timeout(5):
            while sql(tmp_path, "select * from inbox"):
                await asyncio.sleep(0.01)


async def settled(store):
    while store.lanes.waiting.count:
        await asyncio.sleep(0.01)


async def test_an_edit_of_messages_taken_together_changes_nothing_once_they_are_answered(at):
    events = [message("one"), message("two")]
    async with at() as store:
        for event in events:
            await put(store, event, lane=LANE, memory=LANE)
        (turn,) = await claim(store)
        turn = await store.lanes.gather(turn)
        asked = NewLine(role="user", text=turn.event.words, message=turn.event.message)
        await store.lanes.finish(turn, Result(lines=(asked,), receipt=Receipt(("9",))))
        for event in events:
            assert await store.lanes.amend(edit(event, "new"), within=60) is None


async def test_deletions_at_any_moment_jam_no_lane(at):
    """A message and its deletion a moment later (auto-moderation), with a dispatcher that claims."""
    async with at() as store:

        async def lane(turn):
            while turn:
                await asyncio.sleep(0.01)
                turn = await store.lanes.finish(turn, Result(revision=turn.revision))

        async def dispatch():
            while True:
                turns = await store.lanes.claim(512)
                tasks.extend(asyncio.create_task(lane(turn)) for turn in turns)

        tasks = []
        d = asyncio.create_task(dispatch())
        for n in range(200):
            place = replace(PLACE, channel=f"C{n}")
            one, two = (message(w, conversation=place) for w in ("one", "two"))
            a = asyncio.create_task(store.lanes.ingest(one, lane=str(place), memory="m"))
            b = asyncio.create_task(store.lanes.ingest(two, lane=str(place), memory="m"))
            await asyncio.sleep((n % 30) / 10000)
            c = asyncio.create_task(
                store.lanes.withdraw(replace(deletion(one.message), id=f"d{n}", conversation=place))
            )
            await asyncio.gather(a, b, c)
        await asyncio.wait_for(settled(store), 10)
        d.cancel()


async def test_nothing_is_taken_together_with_a_message_that_was_deleted(at):
    one, two = message("one"), message("two")
    async with at() as store:
        await put(store, one, lane=LANE, memory=LANE)
        (turn,) = await claim(store)  # running, in its debounce
        await put(store, two, lane=LANE, memory=LANE)
        await store.lanes.withdraw(deletion(one.message))
        turn = await store.lanes.gather(turn)
        following = (
            await store.lanes.finish(turn, Result(outcome="declined", revision=turn.revision))
            if turn.steps.get("forgotten")
            else turn
        )
        assert following is not None
        assert "two" in following.event.words


async def test_fail_after_edit_keeps_the_edit(at):
    one = message("typo")
    async with at() as store:
        await put(store, one, lane=LANE, memory=LANE)
        (turn,) = await claim(store)
        await store.lanes.amend(edit(one, "fixed"), within=60)
        await store.lanes.save(turn, "answered", {"revision": 1})
        await store.lanes.fail(turn, not_before=0, counted=False)
        (again,) = await claim(store)
        assert (again.event.text, again.revision) == ("fixed", 1)


async def test_a_deleted_message_that_is_given_up_leaves_no_letter(at, tmp_path):
    one = message("secret words")
    async with at() as store:
        await put(store, one, lane=LANE, memory=LANE)
        (turn,) = await claim(store)
        await store.lanes.withdraw(deletion(one.message))
        # what the dispatcher does once the attempts are spent, or on Gone
        await store.lanes.finish(turn, Result(outcome="dead", reason="gave up"))
    assert sql(tmp_path, "select * from letters") == []


async def test_a_deletion_reaches_a_dead_letter(at, tmp_path):
    one = message("secret words")
    async with at() as store:
        t = await put(store, one, lane=LANE, memory=LANE)
        (turn,) = await claim(store)
        await store.lanes.finish(turn, Result(outcome="dead", reason="gave up"))
        await store.lanes.withdraw(deletion(one.message))
        assert not await store.backlog.retry(t.id)
    assert sql(tmp_path, "select * from letters") == []


async def test_a_turn_of_a_place_that_was_left_leaves_no_letter(at, tmp_path):
    one = message("secret words")
    async with at() as store:
        await put(store, one, lane=LANE, memory=LANE)
        (turn,) = await claim(store)
        await store.places.leave(PLACE, forget=True)
        await store.lanes.finish(
            turn, Result(outcome="dead", reason="the place is closed to the bot")
        )
    assert sql(tmp_path, "select * from letters") == []


async def test_gather_again_keeps_what_was_gathered_before(at):
    async with at() as store:
        for w in ("one", "two"):
            await put(store, message(w), lane=LANE, memory=LANE)
        (turn,) = await claim(store)
        turn = await store.lanes.gather(turn)
        assert turn.event.words == "one\ntwo"
    async with at() as store:  # killed before `admitted` was committed
        await put(store, message("three"), lane=LANE, memory=LANE)
        (turn,) = await claim(store)
        assert not turn.steps
        assert not turn.attempts
        turn = await store.lanes.gather(turn)
        assert turn.event.words == "one\ntwo\nthree"


async def test_a_surplus_part_that_is_taken_away_does_not_take_the_answer_out_of_memory(at):
    async with at() as store:
        event = message("typo")
        await answered(store, event, shown=("1", "2"))
        await store.lanes.amend(edit(event, "fixed"), within=60)
        (turn,) = await claim(store)
        # the new answer is shorter: the sender deletes part "2", Discord and Slack report it
        await store.lanes.finish(turn, Result(lines=said("fixed", "new"), receipt=Receipt(("1",))))
        await store.lanes.withdraw(deletion("2"))
        assert await texts(store, key=LANE) == ["fixed", "new"]


@pytest.mark.parametrize("before", [0, 1])
async def test_a_move_spares_what_runs_in_the_new_place_also_when_it_is_told_twice(at, before):
    new = replace(PLACE, channel="N")
    async with at() as store:
        for _ in range(before):
            await store.places.move(PLACE, new)
        await put(store, message("x", conversation=new), lane=str(new), memory=str(new))
        (turn,) = await claim(store)
        await store.lanes.save(turn, "admitted", {})
        await store.lanes.save_part(turn, Part(index=0, id="77"))
        await store.places.move(PLACE, new)
    async with at() as store:
        (turn,) = await claim(store)
        assert [p.id for p in turn.parts] == ["77"]


async def test_a_letter_follows_the_move(at):
    new = replace(PLACE, channel="N")
    async with at() as store:
        t = await put(store, message("x"), lane=LANE, memory=LANE)
        (turn,) = await claim(store)
        await store.lanes.finish(turn, Result(outcome="dead", reason="gave up"))
        await store.places.move(PLACE, new)
        assert await store.backlog.retry(t.id)
        (turn,) = await claim(store)
        assert turn.event.conversation == new


async def test_a_place_that_is_left_ends_what_is_just_being_stored(at):
    async with at() as store:
        a = asyncio.ensure_future(put(store, message("x"), lane=LANE, memory=LANE))
        await asyncio.sleep(0)
        await store.places.leave(PLACE, forget=True)
        await a
        await nothing_ready(store)


async def test_a_turn_that_fails_after_its_place_has_moved_goes_on_in_the_new_one(at):
    new = replace(PLACE, channel="N")
    async with at() as store:
        await put(store, message("x"), lane=LANE, memory=LANE)
        (turn,) = await claim(store)
        await store.places.move(PLACE, new)
        await store.lanes.fail(turn, not_before=0, counted=False)
        await put(store, message("y", conversation=new), lane=str(new), memory=str(new))
        got = await claim(store)
        assert len(got) == 1
        assert got[0].lane == str(new)
