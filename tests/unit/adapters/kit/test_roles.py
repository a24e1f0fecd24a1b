"""Roles are asked for once in a while, and nothing waits long for them or gets out of order."""

import asyncio
import logging
from dataclasses import dataclass, field

import pytest

from adapters.kit import roles
from adapters.kit.roles import FAILED, KEPT, Completing, Lately
from bot.domain.conversation import Conversation, Person
from bot.domain.errors import DeliveryError, RetryLater, StoreBusy
from bot.domain.events import (
    CommandGiven,
    Joined,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    Pressed,
    Rated,
    StopAsked,
)

HERE, THERE = (Conversation(platform="p", channel=channel) for channel in ("here", "there"))


class Platform:
    """Knows everybody; can be slow, and can fail."""

    def __init__(self):
        self.asked, self.now, self.failure = [], 1000.0, None
        self.gates = {}
        self.answers = Lately(self.ask, lambda: self.now)

    async def ask(self, key):
        self.asked.append(key)
        if key in self.gates:
            await self.gates[key].wait()
        if self.failure:
            raise self.failure
        return {"ann": ("admin", key), "bob": ()}


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(roles, "WITHIN", 0.05)


@pytest.fixture
async def platform():
    platform = Platform()
    yield platform
    await platform.answers.close()


async def test_many_who_wait_ask_once_and_an_answer_counts_for_a_while(platform):
    of = platform.answers.of
    answers = await asyncio.gather(of("ann", "k"), of("bob", "k"), of("eve", "k"))
    assert answers == [("admin", "k"), (), ()]
    platform.now += KEPT - 1
    assert await of("ann", "k") == ("admin", "k")
    assert platform.asked == ["k"]
    platform.now += 1
    assert await of("ann", "k") == ("admin", "k")
    assert platform.asked == ["k", "k"]


async def test_a_slow_answer_is_not_waited_for_and_counts_when_it_comes(platform):
    gate = platform.gates["k"] = asyncio.Event()
    async with asyncio.timeout(1):
        assert await platform.answers.of("ann", "k") is None
    gate.set()
    assert await platform.answers.of("ann", "k") == ("admin", "k")
    assert platform.asked == ["k"]


async def test_a_failure_gives_nothing_is_said_once_and_is_tried_again_later(platform, caplog):
    platform.failure = DeliveryError("out of order")
    for key in ("k", "k", "l"):
        assert await platform.answers.of("ann", key) is None
    assert platform.asked == ["k", "l"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "out of order" in caplog.text
    platform.now, platform.failure = platform.now + FAILED, None
    assert await platform.answers.of("ann", "k") == ("admin", "k")


async def test_an_old_answer_is_not_used_when_there_is_no_new_one(platform):
    assert await platform.answers.of("ann", "k")
    platform.now, platform.failure = platform.now + KEPT, DeliveryError("gone")
    assert await platform.answers.of("ann", "k") is None


async def test_a_platform_that_asks_for_patience_is_left_alone(platform):
    platform.failure = RetryLater(30)
    for key in "abc":
        assert await platform.answers.of("ann", key) is None
    assert platform.asked == ["a"]
    platform.now, platform.failure = platform.now + 30, None
    assert await platform.answers.of("ann", "b")


async def test_what_is_kept_and_what_is_open_has_a_bound(platform, monkeypatch):
    monkeypatch.setattr(roles, "ROOM", 3)
    monkeypatch.setattr(roles, "AT_ONCE", 2)
    for key in "abcd":
        await platform.answers.of("ann", key)
    await platform.answers.of("ann", "d")
    assert platform.asked == list("abcd")
    await platform.answers.of("ann", "a")  # the oldest went
    assert platform.asked == list("abcda")
    platform.gates |= {key: asyncio.Event() for key in "xyz"}
    assert await asyncio.gather(*(platform.answers.of("ann", key) for key in "xyz")) == [None] * 3
    assert platform.asked[5:] == ["x", "y"]


@dataclass
class Inbox:
    events: list = field(default_factory=list)

    async def accept(self, event):
        self.events.append(event)  # before it first waits, as the core's does
        await asyncio.sleep(0)
        return True


class Known:
    """Roles by user; a gate holds back who is asked about."""

    def __init__(self, **people):
        self.people, self.gates, self.asked = people, {}, []

    async def of(self, person, place):
        self.asked.append((person.user, place.channel))
        if person.user in self.gates:
            await self.gates[person.user].wait()
        return self.people.get(person.user, ())

    async def close(self):
        pass


def said(user, text="hi", place=HERE, **more):
    person = Person(platform="p", user=user, **more)
    return MessageReceived(id=f"{user}{text}", at=1.0, conversation=place, author=person, text=text,
                           message=text, addressed=True)  # fmt: skip


COMMON = {"id": "1", "at": 1.0, "conversation": HERE, "author": Person(platform="p", user="ann")}


@pytest.mark.parametrize(
    "event",
    [
        said("ann"),
        MessageEdited(**COMMON, message="1", text="x"),
        CommandGiven(**COMMON, name="reset"),
        Pressed(**COMMON, action="a"),
        Rated(**COMMON, message="1", value=1),
        StopAsked(**COMMON),
    ],
    ids=lambda event: type(event).__name__,
)
async def test_whatever_a_person_does_comes_with_their_roles(event):
    inbox = Inbox()
    assert await Completing(inbox, Known(ann=("admin",))).accept(event) is True
    assert inbox.events[0].author.roles == ("admin",)


@pytest.mark.parametrize(
    "event",
    [
        Joined(id="1", at=1.0, conversation=HERE),
        MessageDeleted(id="1", at=1.0, conversation=HERE, messages=("1",)),
        StopAsked(id="1", at=1.0, conversation=HERE),
        said("ann", bot=True),
    ],
    ids=["joined", "deleted", "stopped by nobody", "a bot"],
)
async def test_what_no_person_does_passes_as_it_is(event):
    inbox, known = Inbox(), Known(ann=("admin",))
    await Completing(inbox, known).accept(event)
    assert (inbox.events, known.asked) == ([event], [])


async def test_what_the_payload_says_of_roles_stays_and_is_not_said_twice():
    inbox = Inbox()
    told = said("ann", roles=("external", "admin"))
    await Completing(inbox, Known(ann=("admin", "S1"))).accept(told)
    assert inbox.events[0].author.roles == ("external", "admin", "S1")


async def test_nothing_overtakes_what_waits_in_its_conversation():
    inbox, known = Inbox(), Known()
    gate = known.gates["slow"] = asyncio.Event()
    door = Completing(inbox, known)
    deletion = MessageDeleted(id="d", at=1.0, conversation=HERE, messages=("1",))
    events = [said("slow", "1"), said("ann", "2"), deletion, said("ann", "elsewhere", THERE)]
    work = [asyncio.ensure_future(door.accept(event)) for event in events]
    async with asyncio.timeout(1):
        await work[3]
    assert inbox.events == [events[3]]
    gate.set()
    await asyncio.gather(*work)
    assert inbox.events[1:] == events[:3]


async def test_those_who_wait_ask_side_by_side(platform):
    class Slow(Known):
        async def of(self, person, place):
            return await platform.answers.of(person.user, person.user) or ()

    people = [f"u{number}" for number in range(20)]
    platform.gates = {user: asyncio.Event() for user in people}
    inbox = Inbox()
    door = Completing(inbox, Slow())
    began = asyncio.get_running_loop().time()
    await asyncio.gather(*(door.accept(said(user)) for user in people))
    assert asyncio.get_running_loop().time() - began < 10 * roles.WITHIN
    assert [event.author.user for event in inbox.events] == people


async def test_a_store_that_is_busy_says_so():
    class Busy(Inbox):
        async def accept(self, event):
            raise StoreBusy("full")

    door = Completing(Busy(), Known())
    with pytest.raises(StoreBusy):
        await door.accept(said("ann"))
    door.inbox = Inbox()
    assert await door.accept(said("ann")) is True
