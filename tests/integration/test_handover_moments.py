"""A way to a person, at bad moments and from bad people."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from bot.domain.conversation import Conversation, Person
from bot.domain.errors import RetryLater
from bot.domain.events import Moved
from bot.domain.handovers import HandoverSettings
from bot.domain.permissions import Roles
from tests.events import ANN
from tests.harness import running
from tests.integration.conftest import begun, slow
from tests.integration.test_handover import (
    BOB,
    CUSTOMER,
    STAFF,
    asks,
    post,
    posts,
    pressed,
    staff,
    wants,
)

EVE = Person(platform="fake", user="eve", name="**Eve**\n👤 <b>[Anna](http://x)`")
GROUP = Conversation(platform="fake", workspace="W", channel="GROUP")


@pytest.fixture
def config(config):
    return replace(config, handover=HandoverSettings(channel="fake:W:STAFF"))


async def test_a_request_that_a_kill_kept_back_is_posted_by_the_next_process(config, platform):
    async with running(config, platform):
        pass
    with closing(sqlite3.connect(config.data_dir / "parley.db")) as db, db:
        db.execute(
            "insert into handovers (lane, person, private, staff, at, heard, question)"
            " values (?, ?, 1, ?, unixepoch(), unixepoch(), 'help')", (str(CUSTOMER), str(ANN), str(STAFF)),
        )  # fmt: skip
    async with running(config, platform):
        await platform.inbox.accept(wants("help"))
        await post(platform, STAFF, "🙋 **Ann**")
        await post(platform, CUSTOMER, "I have asked a person")


async def test_what_is_said_later_does_not_overtake(config, platform):
    async with running(config, platform):
        await platform.inbox.accept(wants("help"))
        request = await post(platform, STAFF, "🙋")
        await post(platform, CUSTOMER, "I have asked")
        platform.failures.append(RetryLater(0.1))
        await platform.inbox.accept(asks("one"))
        await platform.inbox.accept(asks("two"))
        await post(platform, STAFF, "**Ann**:\n> two")
        platform.failures.append(RetryLater(0.1))
        await platform.inbox.accept(staff("three", request))
        await platform.inbox.accept(staff("four", request))
        await post(platform, CUSTOMER, "👤 **Bob**: four")
    assert [text[-3:] for _, text in posts(platform, STAFF)[1:]] == ["one", "two"]
    assert [text for _, text in posts(platform, CUSTOMER)[1:]] == [
        "👤 **Bob**: three", "👤 **Bob**: four",
    ]  # fmt: skip


async def test_the_staff_may_sit_in_a_topic(config, platform):
    config = replace(config, handover=HandoverSettings(channel="fake:W:STAFF:7"))
    topic = replace(STAFF, thread="7")
    async with running(config, platform):
        await platform.inbox.accept(wants("help"))
        request = await post(platform, topic, "🙋")
        await platform.inbox.accept(replace(staff("hello", request), conversation=topic))
        await post(platform, CUSTOMER, "👤 **Bob**: hello")


async def test_neither_bots_nor_blocked_people_answer_customers(config, platform):
    access = replace(config.access, group_policy="allowlist", allow_bots=True)
    config = replace(config, access=access, roles=Roles(blocked=(str(EVE),)))
    robot = replace(BOB, user="robot", bot=True)
    async with running(config, platform):
        await platform.inbox.accept(wants("help"))
        request = await post(platform, STAFF, "🙋")
        for author in (robot, EVE):
            assert not await platform.inbox.accept(replace(staff("psst", request), author=author))


async def test_names_are_nothing_but_names(config, platform):
    async with running(config, platform):
        await platform.inbox.accept(replace(wants("help"), author=EVE))
        request = await post(platform, STAFF, "🙋")
        await platform.inbox.accept(replace(staff("hello", request), author=EVE))
        told = await post(platform, CUSTOMER, "👤")
    name = "Eve 👤 b Anna (http://x)"
    assert dict(posts(platform, STAFF))[request].startswith(f"🙋 **{name}** would like")
    assert dict(posts(platform, CUSTOMER))[told] == f"👤 **{name}**: hello"
    assert "eve" not in str(posts(platform, STAFF))  # her id


async def test_an_answer_that_is_being_written_ends_and_what_waits_behind_it_goes_to_the_staff(
    config, platform, model
):
    slow(model)
    async with running(config, platform):
        await platform.inbox.accept(asks("long story"))
        await begun(platform)
        await platform.inbox.accept(asks("and this?"))
        await platform.inbox.accept(wants("help"))
        await post(platform, STAFF, "**Ann**:\n> and this?")
        assert any("word39" in text for _, text in posts(platform, CUSTOMER))
    assert len(model.calls) == 1


async def test_an_answer_that_a_restart_found_half_done_is_ended_by_the_bot(
    config, platform, model
):
    slow(model)
    async with running(config, platform) as engine:
        await platform.inbox.accept(asks("long story"))
        await begun(platform)
        await platform.inbox.accept(wants("help"))
        await post(platform, STAFF, "🙋")
        engine.drain_s = 0.0
        platform.hold = asyncio.Event()
        for task in engine.dispatcher._tasks:  # as a kill does: nothing is finished
            task.cancel()
    platform.hold = None
    async with running(config, platform):
        await platform.until(lambda: any("word" in text for _, text in posts(platform, CUSTOMER)))
    assert all("long story" not in text for _, text in posts(platform, STAFF)[1:])


async def test_who_did_not_ask_does_not_end_it_in_company(config, platform):
    async with running(config, platform):
        here = {"conversation": GROUP, "private": False}
        await platform.inbox.accept(replace(wants("help"), **here))
        await post(platform, STAFF, "🙋")
        await platform.inbox.accept(replace(wants("end"), author=EVE, **here))
        await post(platform, GROUP, "Nobody was asked here, or somebody else")
        await platform.inbox.accept(replace(wants("end"), **here))
        await post(platform, GROUP, "I answer here again.")


async def test_what_the_staff_said_is_remembered_where_the_asker_is(config, platform, model):
    config = replace(config, memory=replace(config.memory, scope="person"))
    here = {"conversation": GROUP, "private": False}
    async with running(config, platform):
        await platform.inbox.accept(replace(wants("help"), **here))
        request = await post(platform, STAFF, "🙋")
        await platform.inbox.accept(staff("The code is 1234.", request))
        await post(platform, GROUP, "👤 **Bob**: The code")
        await platform.inbox.accept(replace(wants("end"), **here))
        await post(platform, GROUP, "I answer here again.")
        await platform.inbox.accept(replace(asks("what was it?"), **here))
        await platform.until(lambda: model.calls)
    assert "1234" in str(model.calls[0].args["messages"])


async def test_done_twice_and_late_is_said_and_changes_nothing(config, platform):
    async with running(config, platform):
        await platform.inbox.accept(wants("help"))
        request = await post(platform, STAFF, "🙋")
        (button,) = platform.shown[int(request) - 1].finished.buttons
        first = pressed(button, BOB, STAFF)
        await asyncio.gather(*(platform.inbox.accept(replace(first, id=f"p{n}")) for n in range(3)))
        await post(platform, CUSTOMER, "I answer here again.")
        await platform.inbox.accept(replace(first, id="late"))
        await post(platform, STAFF, "This conversation was given back already.")
    assert str(posts(platform, CUSTOMER)).count("I answer here again.") == 1
    assert str(posts(platform, STAFF)).count("✅") == 1


async def test_the_staffs_own_place_is_not_handed_over(config, platform):
    async with running(config, platform):
        await platform.inbox.accept(replace(wants("help"), conversation=STAFF, private=False))
        await post(platform, STAFF, "This is where people answer.")


async def test_a_long_silence_ends_it_and_all_are_told(config, platform, model):
    config = replace(config, handover=replace(config.handover, timeout_h=0.0001))
    async with running(config, platform) as engine:
        await platform.inbox.accept(wants("hello"))
        await post(platform, STAFF, "🙋")
        clock = engine.inbox.clock
        asked = clock.now()
        await platform.until(lambda: clock.now() > asked + 0.4)
        await platform.inbox.accept(asks("anybody?"))
        await post(platform, CUSTOMER, "Nobody has written here for long")
        await post(platform, STAFF, "✅")
        await platform.until(lambda: model.calls)


@pytest.mark.parametrize("restarted", [False, True])
async def test_groups_that_get_another_name_are_followed_on_both_sides(
    config, platform, model, restarted
):
    new_group, new_staff = replace(GROUP, channel="NEW"), replace(STAFF, channel="NEWSTAFF")

    async def ask():
        await platform.inbox.accept(
            replace(wants("help"), conversation=GROUP, private=False, id="c1")
        )
        await post(platform, STAFF, "🙋")
        for old, new in ((GROUP, new_group), (STAFF, new_staff)):
            moved = Moved(id=f"moved:{old}", at=1.0, conversation=old, to=new)
            await platform.inbox.accept(moved)

    async def talk():
        here = {"conversation": new_group, "private": False}
        await platform.inbox.accept(replace(asks("hello?"), **here))
        relay = await post(platform, new_staff, "**Ann**:\n> hello?")
        await platform.inbox.accept(replace(staff("hi", relay), conversation=new_staff))
        await post(platform, new_group, "👤 **Bob**: hi")
        await platform.inbox.accept(replace(wants("end"), **here))
        await post(platform, new_group, "I answer here again.")

    async with running(config, platform):
        await ask()
        if not restarted:
            await talk()
    if restarted:
        async with running(config, platform):
            await talk()
    assert model.calls == []
