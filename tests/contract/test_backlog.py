"""What an operator may do about messages that are not answered, in a running bot and beside one."""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest

from bot.backends.sqlite.store import at_rest, opened
from bot.ports.store import Result
from tests.events import command, message


@asynccontextmanager
async def sqlite(folder):
    async with opened(folder / "parley.db") as store:
        yield store


STORES = [sqlite]


@pytest.fixture(params=STORES, ids=lambda store: store.__name__)
def at(request, tmp_path):
    """Open the store of one folder; open it again to restart."""
    return lambda: request.param(tmp_path)


async def put(store, event, lane="lane"):
    turn = await store.lanes.ingest(event, lane=lane, memory="memory")
    return turn.id


async def claim(store):
    return await asyncio.wait_for(store.lanes.claim(10), 5)


async def nothing_ready(store):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(store.lanes.claim(10), 0.05)


async def buried(store, event, reason="the model is gone"):
    """Let a message be given up; returns its number."""
    id = await put(store, event)
    (turn,) = await claim(store)
    await store.lanes.save(turn, "answered", {"text": "half"})
    await store.lanes.finish(turn, Result(outcome="dead", reason=reason))
    return id


async def states(store):
    return {entry.id: entry.state for entry in await store.backlog.entries(limit=100)}


async def test_everything_that_is_not_answered_is_listed_in_its_order(at):
    async with at() as store:
        dead = await buried(store, message("dead"))
        running = await put(store, message("running"))
        waiting = await put(store, message("waiting"))
        await put(store, message("resting"), lane="other")
        turns = {turn.lane: turn for turn in await claim(store)}
        resting = turns["other"]
        await store.lanes.fail(resting, not_before=time.time() + 50)
        beside = await put(store, command("status"), lane="third")
        assert await states(store) == {
            dead: "dead", running: "running", waiting: "waiting", resting.id: "resting",
            beside: "running",
        }  # fmt: skip
        first, *_ = await store.backlog.entries(limit=1)
        assert (first.id, first.reason, first.lane) == (dead, "the model is gone", "lane")
        entries = {entry.id: entry for entry in await store.backlog.entries(limit=100)}
        assert entries[resting.id].attempts == 1


async def test_one_of_them_is_found_with_its_event_and_a_closed_one_is_not(at):
    async with at() as store:
        question = message("What is it?")
        id = await put(store, question)
        entry, event = await store.backlog.find(id)
        assert (entry.id, entry.event, entry.at, event) == (id, question.id, question.at, question)
        (turn,) = await claim(store)
        await store.lanes.finish(turn, Result())
        assert await store.backlog.find(id) is None
        assert await store.backlog.find(4711) is None
        dead = await buried(store, message("dead"))
        entry, event = await store.backlog.find(dead)
        assert (entry.state, event.text) == ("dead", "dead")


async def test_a_dead_letter_is_tried_again_as_if_for_the_first_time(at):
    async with at() as store:
        question = message("again?")
        id = await buried(store, question)
        assert await store.backlog.letters() == 1
        assert await store.backlog.retry(id) is True
        assert await store.backlog.letters() == 0
        (turn,) = await claim(store)
        assert (turn.id, turn.event.text, turn.attempts) == (id, "again?", 0)
        assert (turn.steps, turn.parts, turn.resumed) == ({}, (), False)
        assert turn.event.id != question.id, "a platform would show the apology again"
        assert turn.event.at > time.time() - 60, "an old one would be stale at once"
        assert await store.lanes.finish(turn, Result(revision=turn.revision)) is None
        assert await states(store) == {}
        assert await store.backlog.retry(id) is False
        assert await store.lanes.ingest(question, lane="lane", memory="memory") is None


async def test_a_dead_letter_that_is_tried_again_survives_a_restart(at):
    async with at() as store:
        id = await buried(store, message("again?"))
        await store.backlog.retry(id)
    async with at() as store:
        (turn,) = await claim(store)
        assert (turn.id, turn.event.text, turn.attempts, turn.steps) == (id, "again?", 0, {})


async def test_only_a_dead_letter_is_tried_again(at):
    async with at() as store:
        id = await put(store, message("waiting"))
        assert await store.backlog.retry(id) is False
        assert await store.backlog.retry(4711) is False
        assert len(await claim(store)) == 1
        await nothing_ready(store)


async def test_what_waits_is_dropped_and_its_lane_goes_on(at):
    async with at() as store:
        await put(store, message("first"))
        second = await put(store, message("second"))
        await put(store, message("third"))
        (turn,) = await claim(store)
        assert await store.backlog.drop(second) is True
        assert await store.backlog.drop(second) is False
        following = await store.lanes.finish(turn, Result())
        assert following.event.text == "third"
        assert store.lanes.waiting.count == 1
    async with at() as store:
        assert [turn.event.text for turn in await claim(store)] == ["third"]


async def test_what_rests_is_dropped_and_the_next_one_need_not_rest(at):
    async with at() as store:
        id = await put(store, message("poison"))
        await put(store, message("next"))
        (turn,) = await claim(store)
        await store.lanes.fail(turn, not_before=time.time() + 50)
        assert await store.backlog.drop(id) is True
        assert [turn.event.text for turn in await claim(store)] == ["next"]


async def test_what_runs_is_not_dropped(at):
    async with at() as store:
        id = await put(store, message())
        beside = await put(store, command("status"), lane="other")
        (turn,) = await claim(store)
        assert await store.backlog.drop(id) is False
        assert await store.backlog.drop(beside) is False
        assert await store.lanes.finish(turn, Result()) is None


async def test_a_dead_letter_is_dropped_for_good(at):
    async with at() as store:
        id = await buried(store, message())
        assert await store.backlog.drop(id) is True
        assert await store.backlog.retry(id) is False
        assert await states(store) == {}


async def test_without_a_bot_the_same_is_done_on_the_file_alone(at, tmp_path):
    async with at() as store:
        dead = await buried(store, message("dead"))
        again = await buried(store, message("again"))
        await put(store, message("begun"))
        (turn,) = await claim(store)
        await store.lanes.save(turn, "admitted", {})
        waiting = await put(store, message("waiting"), lane="other")
    for _ in range(3):  # looking counts no attempt
        async with at_rest(tmp_path / "parley.db") as resting:
            backlog = resting.backlog
            entries = await backlog.entries(limit=10)
            assert [entry.state for entry in entries] == ["dead", "dead", "waiting", "waiting"]
            assert entries[2].attempts == 0
    async with at_rest(tmp_path / "parley.db") as resting:
        backlog = resting.backlog
        assert await backlog.drop(dead) is True
        assert await backlog.drop(waiting) is True
        assert await backlog.retry(again) is True
    async with at() as store:
        (turn,) = await claim(store)
        assert (turn.event.text, turn.attempts) == ("again", 0)
        following = await store.lanes.finish(turn, Result(revision=turn.revision))
        assert (following.event.text, following.attempts) == ("begun", 1)
