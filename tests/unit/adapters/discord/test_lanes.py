"""Order within a channel, room for a burst, and no jump over what was missed."""

import asyncio
import time

import pytest

from adapters.discord.lanes import Gap, Lanes
from adapters.discord.marks import Bookmarks
from bot.domain.conversation import Conversation, Person
from bot.domain.errors import RetryLater, StoreBusy, Unreachable
from bot.domain.events import MessageDeleted, MessageReceived
from tests.integration.discord_rig import Marks

ANN = Person(platform="discord", user="1")


def place(channel="10"):
    return Conversation(platform="discord", channel=channel)


def message(number, channel="10"):
    return MessageReceived(
        id=f"discord:{number}", at=0.0, conversation=place(channel), author=ANN,
        text=str(number), message=str(number), addressed=True,
    )  # fmt: skip


async def until(predicate):
    deadline = time.monotonic() + 3
    while not predicate():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


class World:
    """An inbox and a history to fetch from."""

    def __init__(self):
        self.taken = []
        self.failures = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.fetched = []
        self.history = {}

    async def accept(self, event):
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append(event.id.removeprefix("discord:"))
        return True

    async def fetch(self, conversation, after):
        self.fetched.append(after)
        if self.failures:
            raise self.failures.pop(0)
        history = self.history.get(conversation.channel, [])
        found = [m for m in history if int(m.message) > after]
        return found, max((int(m.message) for m in found), default=after)


@pytest.fixture
def world():
    return World()


@pytest.fixture
async def lanes(world):
    lanes = Lanes(world.accept, world.fetch, Bookmarks(Marks()), room=5)
    yield lanes
    await lanes.close()


async def test_a_stuck_channel_does_not_hold_others_back(world, lanes):
    world.gate.clear()
    lanes.put(message(1))
    await asyncio.sleep(0)
    lanes.accept = World.accept.__get__(other := World())
    lanes.put(message(2, "20"))
    await until(lambda: other.taken == ["2"])
    assert world.taken == []


async def test_a_failure_is_retried_before_anything_behind_it(world, lanes):
    world.failures = [StoreBusy("full"), StoreBusy("full")]
    lanes.put(message(1))
    lanes.put(message(2))
    await until(lambda: len(world.taken) == 2)
    assert world.taken == ["1", "2"]
    assert lanes.bookmarks.newest == {place(): 2}


async def test_a_defect_costs_one_event_and_says_so(world, lanes, caplog):
    world.failures = [RuntimeError("a defect")]
    lanes.put(message(1))
    lanes.put(message(2))
    await until(lambda: world.taken == ["2"])
    assert "was not taken" in caplog.text


async def test_what_does_not_fit_is_read_back_later_in_order(world, lanes):
    world.gate.clear()
    messages = [message(number) for number in range(1, 13)]
    world.history["10"] = messages
    for each in messages[:9]:
        lanes.put(each)
    world.gate.set()
    await until(lambda: len(world.taken) >= 12)
    assert world.taken == [str(number) for number in range(1, 13)]
    assert world.fetched == [5]
    lanes.put(message(13))
    await until(lambda: world.taken[-1] == "13")
    assert lanes.bookmarks.newest == {place(): 13}


async def test_an_overflow_while_a_gap_is_read_leaves_another_gap(world, lanes):
    reading = asyncio.Event()
    released = asyncio.Event()

    async def slow_fetch(conversation, after):
        found = await world.fetch(conversation, after)
        reading.set()
        await released.wait()
        return found

    lanes.fetch = slow_fetch
    world.history["10"] = [message(1)]
    lanes.put(Gap(place(), 0))
    await reading.wait()
    lanes.room = 0
    lanes.put(message(2))
    world.history["10"].append(message(2))
    released.set()
    await until(lambda: "2" in world.taken)
    assert world.fetched == [0, 1]


async def test_deletions_and_farewells_are_taken_also_when_there_is_no_room(world, lanes):
    lanes.room = 0
    gone = MessageDeleted(id="discord:1:delete", at=0.0, conversation=place(), messages=("1",))
    lanes.put(gone)
    await until(lambda: world.taken == ["1:delete"])


async def test_live_events_wait_behind_a_gap_that_cannot_be_read_yet(world, lanes):
    world.failures = [Unreachable("silent"), Unreachable("silent")]
    world.history["10"] = [message(1), message(2)]
    lanes.put(Gap(place(), 0))
    lanes.put(message(3))
    await until(lambda: len(world.taken) == 3)
    assert world.taken == ["1", "2", "3"]


async def test_marks_are_written_at_first_sight_and_then_in_bulk():
    store = Marks()
    bookmarks = Bookmarks(store)
    bookmarks.meet(place(), 4)
    bookmarks.meet(place(), 5)
    for number in (5, 7, 6):
        bookmarks.note(place(), number)
    assert store.put_in_order == [("discord::10:", "4")]
    bookmarks.flush()
    bookmarks.flush()
    assert store.put_in_order == [("discord::10:", "4"), ("discord::10:", "7")]
    again = Bookmarks(store)
    await again.load()
    assert again.newest == {place(): 7}


async def test_a_place_that_was_never_heard_is_known_before_anything_of_it_is_taken(world, lanes):
    world.gate.clear()
    lanes.put(message(7, "20"))
    lanes.put(Gap(place("30"), 5))
    lanes.room = 0
    lanes.put(message(9, "40"))
    assert lanes.bookmarks.store.newest == {
        "discord::20:": "6", "discord::30:": "5", "discord::40:": "8",
    }  # fmt: skip
    world.history["40"] = [message(9, "40")]
    world.gate.set()
    await until(lambda: sorted(world.taken) == ["7", "9"])


async def test_a_gap_in_which_nothing_matters_counts_as_read(world, lanes):
    async def nothing(conversation, after):
        return [], after + 30

    lanes.fetch = nothing
    lanes.put(Gap(place(), 5))
    await until(lambda: lanes.bookmarks.newest == {place(): 35})


async def test_a_platform_that_asks_to_wait_is_asked_no_earlier(world, lanes):
    world.failures = [RetryLater(0.4)]
    world.history["10"] = [message(1)]
    began = time.monotonic()
    lanes.put(Gap(place(), 0))
    await until(lambda: world.taken == ["1"])
    assert time.monotonic() - began >= 0.4
