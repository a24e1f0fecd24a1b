"""Lanes, store, platforms and crashes, where an earlier engine went wrong."""

import asyncio
import sqlite3
import time
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace

import pytest

from bot.app.engine import assemble
from bot.backends.sqlite.lanes import SqliteLanes
from bot.backends.sqlite.store import opened
from bot.config import Secrets
from bot.config.sections import TurnSettings
from bot.core.journal import TurnJournal
from bot.domain.conversation import Conversation
from bot.domain.errors import DeliveryError, StoreBusy, StoreError
from bot.domain.policy import MemoryPolicy, Policy
from bot.domain.replies import Part
from bot.ports.platform import Adapter
from bot.ports.store import Result
from tests.events import command, message
from tests.harness import MemoryPlatform, Shown, running
from tests.integration.conftest import begun, deletion, slow, stored

DAY = 86400.0


class Unreachable(MemoryPlatform):
    """A platform that is down all the time."""

    async def open(self):
        raise DeliveryError("down")


@dataclass
class Tripping(MemoryPlatform):
    """A platform whose receiver breaks down when it listens for the first time."""

    tripped: bool = False

    async def listen(self, inbox):
        if not self.tripped:
            self.tripped = True
            raise KeyError("an unexpected payload")
        await super().listen(inbox)


@dataclass
class Menuless(MemoryPlatform):
    """A platform that refuses the commands once it listens."""

    listens: bool = False

    async def publish(self, catalogue):
        await self.ready.wait()
        raise ValueError("bad menu")

    async def listen(self, inbox):
        self.listens = True
        try:
            await super().listen(inbox)
        finally:
            self.listens = False


@dataclass
class Halfway(MemoryPlatform):
    """A platform that shows the beginning of its first answer and then fails."""

    known: dict = field(default_factory=dict)  # the parts that the last delivery was told of

    async def deliver(self, to, reply, outbox):
        if not self.shown:
            self.shown.append(Shown(to, "half an ans"))
            await outbox.sent(Part(index=0, id="1"))
            raise ZeroDivisionError("bug behind the first post")
        self.known = dict(outbox.known)
        return await super().deliver(to, reply, outbox)


class Scheduling(SqliteLanes):
    """Lanes that are told of one more timer whenever a timer fires, in the same commit."""

    async def ingest(self, event, *, lane, memory):
        later = self.schedule(message(), lane="later", memory=memory, due=time.time() + DAY)
        told = asyncio.create_task(later)
        await asyncio.sleep(0)  # the new timer is queued now
        turn = await super().ingest(event, lane=lane, memory=memory)
        await told
        return turn


@asynccontextmanager
async def beside(config, other, platform, parallel=512):
    """Run the engine for a platform of some kind, "other", beside a sound one, "fake"."""
    both = {"other": other, "fake": platform}
    adapters = {name: Adapter(receiver=one, sender=one) for name, one in both.items()}
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(config.data_dir / "parley.db"))
        secrets = Secrets({"OPENAI_API_KEY": "k"})
        engine = await assemble(config, secrets, store, adapters, stack)
        engine.dispatcher.parallel = parallel
        stop = asyncio.Event()
        task = asyncio.create_task(engine.run(stop))
        try:
            await platform.until(platform.ready.is_set)
            yield
        finally:
            for lane in tuple(engine.dispatcher._tasks):  # do not wait for a platform that is down
                lane.cancel()
            stop.set()
            await task


@asynccontextmanager
async def taken(folder, lanes):
    """Let somebody else write to the database meanwhile, so that it is busy for the bot."""
    await lanes._connection.run(lambda db: db.execute("pragma busy_timeout=0"))
    with closing(sqlite3.connect(folder / "parley.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        yield


@contextmanager
def refused(folder, change):
    """Let the database refuse a change of some kind meanwhile."""
    with closing(sqlite3.connect(folder / "parley.db", isolation_level=None)) as other:
        other.execute(f"create trigger t before {change} begin select raise(abort, 'no'); end")
        yield
        other.execute("drop trigger t")


async def put(store, event, lane=None):
    place = lane or str(event.conversation)
    return await store.lanes.ingest(event, lane=place, memory=place)


async def claim(store):
    return await asyncio.wait_for(store.lanes.claim(5), 5)


async def killed(folder, event):
    """Leave a message as a process does that is killed while it answers it."""
    async with opened(folder / "parley.db") as store:
        await put(store, event)
        (turn,) = await claim(store)
        await store.lanes.save(turn, "admitted", {})


def elsewhere(channel="1"):
    return Conversation(platform="other", channel=channel)


def set_clock(monkeypatch, seconds):
    """Move the system's clock."""
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + seconds)


def tasks():
    return {task.get_name() for task in asyncio.all_tasks()}


def modes(folder):
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


async def test_an_apology_that_fails_too_leaves_the_lane_alive(config, platform):
    config = replace(config, turns=TurnSettings(attempts=1))
    platform.failures = [ZeroDivisionError("bug"), ZeroDivisionError("bug")]
    async with running(config, platform):
        await platform.inbox.accept(message("poison"))
        await platform.inbox.accept(message("next"))
        assert await platform.answers(1) == ["You said: next"]


async def test_an_end_that_cannot_be_stored_leaves_the_lane_alive(
    config, platform, caplog, tmp_path
):
    platform.hold = asyncio.Event()
    async with running(config, platform):
        await platform.inbox.accept(message("one"))
        await platform.inbox.accept(message("two"))
        await platform.until(lambda: stored(tmp_path, "select 1 from steps where name='answered'"))
        with refused(tmp_path, "update of state on inbox"):
            platform.hold.set()
            await platform.until(lambda: "does not write" in caplog.text)
        assert await platform.answers(2) == ["You said: one", "You said: two"]


async def test_a_turn_that_is_cancelled_from_inside_leaves_the_lane_alive(config, platform):
    platform.failures = [asyncio.CancelledError()]
    async with running(config, platform):
        await platform.inbox.accept(message("one"))
        assert await platform.answers(1) == ["You said: one"]


async def test_a_message_is_answered_although_its_delivery_was_cancelled(config, platform):
    event = message("precious")
    async with running(config, platform):
        delivery = asyncio.create_task(platform.inbox.accept(event))
        await asyncio.sleep(0)  # it is queued now, and not yet written
        delivery.cancel()
        with suppress(asyncio.CancelledError):
            await delivery
        await platform.inbox.accept(event)
        assert await platform.answers(1) == ["You said: precious"]


async def test_a_value_that_the_database_cannot_hold_fails_alone(tmp_path):
    async with opened(tmp_path / "parley.db") as store:
        await put(store, message("q"))
        (turn,) = await claim(store)
        immense = Part(index=10**30)
        with pytest.raises(StoreError):
            await asyncio.wait_for(store.lanes.save_part(turn, immense), 2)
        assert await asyncio.wait_for(put(store, message("r")), 2)


async def test_a_message_that_kills_the_process_each_time_is_given_up(
    config, platform, model, tmp_path
):
    killer = message("killer")
    await killed(tmp_path, killer)
    await killed(tmp_path, killer)
    async with running(replace(config, turns=TurnSettings(attempts=2)), platform):
        (text,) = await platform.answers(1)
    assert "could not finish" in text
    assert not model.calls


async def test_an_attempt_after_a_kill_counts_before_anything_is_done_in_it(tmp_path):
    await killed(tmp_path, message("killer"))
    async with opened(tmp_path / "parley.db") as store:
        (turn,) = await asyncio.wait_for(store.lanes.claim(1), 5)
        policy = Policy(model="main", system_prompt="", memory=MemoryPolicy())
        await TurnJournal(store.lanes, turn).admit(policy, lambda _: True)
        assert stored(tmp_path, "select started from inbox") == [(1,)]


async def test_a_command_counts_as_begun_before_it_is_answered(config, platform, tmp_path):
    platform.hold = asyncio.Event()
    async with running(config, platform):
        await platform.inbox.accept(command("help"))
        await platform.until(lambda: platform.shown)
        await platform.until(lambda: stored(tmp_path, "select started from inbox") == [(1,)])
        platform.hold.set()


async def test_messages_that_failed_for_a_dead_platform_do_not_hold_back_another(
    config, platform, tmp_path
):
    async with opened(tmp_path / "parley.db") as store:
        await put(store, message("x", conversation=elsewhere()))
        await put(store, message("hi"))
        for _ in range(2):
            for turn in await claim(store):
                await store.lanes.fail(turn, not_before=0.0)
    async with beside(config, Unreachable(), platform):
        assert await platform.answers(1, timeout=3) == ["You said: hi"]


async def test_a_platform_that_never_connects_does_not_take_all_lanes(config, platform, tmp_path):
    async with opened(tmp_path / "parley.db") as store:
        for n in range(3):
            await put(store, message("x", conversation=elsewhere(str(n))))
    async with beside(config, Unreachable(), platform, parallel=3):
        await platform.inbox.accept(message("hi"))
        assert await platform.answers(1, timeout=9) == ["You said: hi"]


async def test_a_receiver_that_breaks_down_listens_again(config, platform):
    other = Tripping()
    async with beside(config, other, platform):
        await other.until(other.ready.is_set)


async def test_a_menu_that_is_refused_leaves_the_platform_listening(config, platform, caplog):
    other = Menuless()
    async with beside(config, other, platform):
        await other.until(lambda: "other did not take the commands" in caplog.text)
        assert other.listens


async def test_an_answer_that_meets_a_busy_store_is_not_paid_twice(
    config, platform, model, tmp_path
):
    slow(model, words=5)
    async with running(config, platform) as engine:
        await platform.inbox.accept(message("hi"))
        await begun(platform)
        async with taken(tmp_path, engine.dispatcher.lanes):
            await begun(platform, "word4")
            await platform.until(lambda: "draft" not in tasks())  # the answer is to be stored now
            with pytest.raises(StoreBusy):
                await platform.inbox.accept(message("refused, after the answer was"))
        await platform.answers(1)
    assert len(model.calls) == 1


async def test_an_apology_takes_the_place_of_what_was_posted(config):
    platform = Halfway()
    async with running(replace(config, turns=TurnSettings(attempts=1)), platform):
        await platform.inbox.accept(message("hi"))
        (text,) = await platform.answers(1)
    assert "could not finish" in text
    assert platform.known[0].id == "1"
    assert len(platform.shown) == 1


async def test_a_shutdown_begins_no_new_turn(config, platform, model):
    slow(model, words=6)
    async with running(config, platform):
        for n in range(4):
            await platform.inbox.accept(message(str(n)))
        await begun(platform, "word0")
    assert len(model.calls) == 1


async def test_a_deletion_that_met_a_busy_store_holds_when_it_comes_again(tmp_path):
    first, event = message("first"), message("gone")
    async with opened(tmp_path / "parley.db") as store:
        await put(store, first)
        await claim(store)
        await put(store, event)
        async with taken(tmp_path, store.lanes):
            with pytest.raises(StoreBusy):
                await store.lanes.withdraw(deletion(event))
        await store.lanes.withdraw(deletion(event))
    async with opened(tmp_path / "parley.db") as store:
        (turn,) = await claim(store)
        assert turn.event.text == "first"
        assert await store.lanes.finish(turn, Result()) is None


async def test_a_clock_that_is_set_back_does_not_freeze_a_lane(tmp_path, monkeypatch):
    async with opened(tmp_path / "parley.db") as store:
        await put(store, message("q"))
        (turn,) = await claim(store)
        await store.lanes.fail(turn, not_before=time.time() + 0.2)
        set_clock(monkeypatch, -DAY)
        assert await claim(store)


async def test_a_stop_that_comes_too_late_leaves_nothing_behind(tmp_path):
    async with opened(tmp_path / "parley.db") as store:
        await put(store, message("q"))
        (turn,) = await claim(store)
        await store.lanes.finish(turn, Result())
        await store.lanes.cancel(turn)
    assert stored(tmp_path, "select * from steps") == []


async def test_a_new_turn_does_not_inherit_the_id_of_one_long_closed(tmp_path, monkeypatch):
    async with opened(tmp_path / "parley.db") as store:
        await put(store, message("q"))
        (old,) = await claim(store)
        await store.lanes.finish(old, Result())
    set_clock(monkeypatch, 8 * DAY)
    async with opened(tmp_path / "parley.db") as store:
        assert stored(tmp_path, "select * from inbox") == []
        new = await put(store, message("r"))
        assert new.id != old.id


async def test_one_row_that_cannot_be_read_does_not_keep_the_others_from_running(tmp_path):
    async with opened(tmp_path / "parley.db") as store:
        newer = await put(store, message("q"), lane="one")
        await put(store, message("r"), lane="another")
    with closing(sqlite3.connect(tmp_path / "parley.db", isolation_level=None)) as db:
        unknown = '{"kind": "FromANewerVersion"}'
        db.execute("update inbox set payload = ? where id = ?", (unknown, newer.id))
    async with opened(tmp_path / "parley.db") as store:
        assert [turn.event.text for turn in await claim(store)] == ["r"]


async def test_a_timer_that_fires_while_another_is_set_is_not_lost(tmp_path):
    async with opened(tmp_path / "parley.db") as store:
        await store.lanes.stop()
        lanes = Scheduling(store.lanes._writer, store.lanes._connection)
        await lanes.boot()
        await lanes.schedule(message("a"), lane="now", memory="m", due=time.time() + 0.05)
        turns = await asyncio.wait_for(lanes.claim(5), 5)
        await lanes.stop()
    assert [turn.event.text for turn in turns] == ["a"]


async def test_no_file_of_the_store_is_readable_by_others(tmp_path):
    tmp_path.chmod(0o755)
    async with opened(tmp_path / "parley.db") as store:
        await put(store, message("q"))
        assert len(modes(tmp_path)) > 2
        assert set(modes(tmp_path).values()) == {0o600}


async def test_directories_are_made_for_the_owner_alone(tmp_path):
    async with opened(tmp_path / "data" / "chat" / "parley.db"):
        assert modes(tmp_path) == {"data": 0o700}
        assert modes(tmp_path / "data") == {"chat": 0o700}
