"""Roles that Slack and Telegram are asked for: rightly, rarely, and never at the cost of a message."""

import asyncio
import logging
from contextlib import asynccontextmanager

import pytest

from bot.domain.events import CommandGiven, MessageEdited, MessageReceived, Pressed, Rated
from tests.fakes.discord import ROLE, TEXT, FakeDiscord
from tests.fakes.script import Delay, Refuse, ServerError, TooMany
from tests.fakes.slack import BOT_USER, TEAM, FakeSlack
from tests.fakes.telegram import FakeTelegram
from tests.integration import discord_rig, slack_rig, telegram_rig

GROUP = -1001


def of(inbox, kind=MessageReceived):
    return [event for event in inbox.events.values() if isinstance(event, kind)]


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@asynccontextmanager
async def slack_hears(inbox, **people):
    """Give a Slack that says `people` of its users, while an adapter that asks for roles listens."""
    async with FakeSlack() as slack:
        slack.workspace.people |= people
        slack.workspace.groups |= {"S1": ["U7", "U8"], "S2": ["U8"]}
        async with slack_rig.listening(slack, inbox, roles=True):
            yield slack


async def slack_roles(user="U7", **flags):
    inbox = slack_rig.Inbox()
    async with slack_hears(inbox, **{user: flags}) as slack:
        slack.say("hi", "C1", user)
        await slack.until(lambda: inbox.events)
    return of(inbox)[0].author.roles


@pytest.mark.parametrize(
    ("user", "flags", "expected"),
    [
        ("U7", {}, ("S1",)),
        ("U9", {}, ()),
        ("U8", {"is_admin": True}, ("admin", "S1", "S2")),
        ("U9", {"is_admin": True, "is_owner": True}, ("owner", "admin")),
        ("U9", {"is_restricted": True}, ("guest",)),
        ("U9", {"is_restricted": True, "is_ultra_restricted": True}, ("guest",)),
        ("U7", {"is_stranger": True, "is_admin": True}, ("external",)),
        ("U7", {"team_id": "T2", "is_owner": True}, ("external",)),
        ("U7", {"team_id": "T2", "enterprise_user": {"enterprise_id": ""}}, ("external",)),
        ("U7", {"name": "owner", "is_admin": "true"}, ("S1",)),
    ],
)
async def test_slack_says_what_somebody_is(user, flags, expected):
    assert await slack_roles(user, **flags) == expected


async def test_slack_is_asked_once_about_a_person_and_for_no_list_of_members():
    inbox = slack_rig.Inbox()
    async with slack_hears(inbox) as slack:
        for number in range(5):
            slack.say(f"m{number}", "C1", "U7")
        slack.say("other", "C1", "U8")
        await slack.until(lambda: len(inbox.events) == 6)
        assert [call["user"] for call in slack.called("users.info")] == ["U7", "U8"]
        assert len(slack.called("usergroups.list")) == 1
        assert not slack.called("users.list")
    assert inbox.texts == ["m0", "m1", "m2", "m3", "m4", "other"]


async def test_who_comes_from_elsewhere_is_known_without_asking():
    inbox = slack_rig.Inbox()
    async with slack_hears(inbox, U7={"is_admin": True}) as slack:
        slack.say("hi", "C1", "U7", team="T2", user_team="T2")
        await slack.until(lambda: inbox.events)
        assert not slack.called("users.info")
    assert of(inbox)[0].author.roles == ("external",)


async def test_everything_that_a_person_does_in_slack_comes_with_roles():
    inbox = slack_rig.Inbox()
    async with slack_hears(inbox, U7={"is_admin": True}) as slack:
        ts = slack.say("first", "C1")
        slack.slash("reset")
        slack.press("rate", ts, "C1")
        slack.envelope({"type": "reaction_added", "user": "U7", "reaction": "+1", "event_ts": ts,
                        "item": {"type": "message", "channel": "C1", "ts": ts},
                        "item_user": BOT_USER})  # fmt: skip
        now = {"user": "U7", "text": "second", "ts": ts, "edited": {"user": "U7", "ts": ts}}
        slack.envelope({"type": "message", "subtype": "message_changed", "channel": "C1",
                        "message": now, "previous_message": {"text": "first"},
                        "event_ts": ts})  # fmt: skip
        await slack.until(lambda: len(inbox.events) == 5)
    kinds = {type(event): event.author.roles for event in inbox.events.values()}
    assert kinds == dict.fromkeys(
        (MessageReceived, CommandGiven, Pressed, Rated, MessageEdited), ("admin", "S1")
    )


async def test_what_is_read_back_comes_with_roles_too():
    inbox, marks = slack_rig.Inbox(), slack_rig.Marks()
    async with FakeSlack() as slack:
        slack.workspace.people["U7"] = {"is_admin": True}
        async with slack_rig.listening(slack, inbox, marks=marks, roles=True):
            slack.say("first", "C1")
            await slack.until(lambda: inbox.events)
        slack.say("missed", "C1", missed=True)
        async with slack_rig.listening(slack, inbox, marks=marks, roles=True):
            await slack.until(lambda: len(inbox.events) == 2)
    assert of(inbox)[1].author.roles == ("admin",)


@pytest.mark.parametrize("scope", ["users:read", "usergroups:read"])
async def test_a_missing_scope_is_named_once_and_costs_no_message(scope, caplog):
    inbox = slack_rig.Inbox()
    async with slack_hears(inbox, U7={"is_admin": True}, U8={"is_admin": True}) as slack:
        slack.workspace.missing.add(scope)
        for user in ("U7", "U7", "U8"):
            slack.say(f"from {user}", "C1", user)
        await slack.until(lambda: len(inbox.events) == 3)
    known = ("guest",) if scope == "users:read" else ("admin",)
    assert [event.author.roles for event in of(inbox)] == [known] * 3
    assert [scope in line and "add it" in line for line in warnings(caplog)] == [True]


@pytest.mark.parametrize(
    "fault", [ServerError(503), TooMany(30), Refuse("user_not_found"), Delay(9)], ids=str
)
async def test_a_slack_that_does_not_say_delays_nothing_and_makes_everybody_a_guest(fault, caplog):
    inbox = slack_rig.Inbox()
    async with slack_hears(inbox, U7={"is_admin": True}) as slack:
        slack.script.on("users.info", fault)
        began = asyncio.get_running_loop().time()
        slack.say("hi", "C1")
        slack.say("again", "C1")
        await slack.until(lambda: len(inbox.events) == 2)
        assert asyncio.get_running_loop().time() - began < 2.9
        assert len(slack.called("users.info")) == 1
    assert [event.author.roles for event in of(inbox)] == [("guest",)] * 2
    assert inbox.texts == ["hi", "again"]


async def test_nobody_is_asked_when_no_rule_needs_roles():
    inbox = slack_rig.Inbox()
    async with FakeSlack() as slack, slack_rig.listening(slack, inbox):
        slack.say("hi", "C1")
        await slack.until(lambda: inbox.events)
        assert not slack.called("users.info")
        assert not slack.called("usergroups.list")
    inbox = telegram_rig.Inbox()
    async with FakeTelegram() as telegram:
        async with telegram_rig.listening(telegram_rig.built(telegram), inbox):
            telegram.say("hi", chat=GROUP, private=False)
            await telegram.until(lambda: inbox.events)
        assert not telegram.called("getChatAdministrators")


async def test_a_bot_of_another_app_is_not_asked_about():
    inbox = slack_rig.Inbox()
    async with slack_hears(inbox, U8={"is_admin": True}) as slack:
        slack.say("beep", "C1", "U8", bot_profile={"id": "B2", "app_id": "A2", "team_id": TEAM})
        await slack.until(lambda: inbox.events)
        assert not slack.called("users.info")
    assert (of(inbox)[0].author.bot, of(inbox)[0].author.roles) == (True, ())


@asynccontextmanager
async def telegram_hears(inbox):
    """Give a Telegram with a group, while an adapter that asks for roles listens."""
    async with FakeTelegram() as telegram:
        group = telegram.chat(GROUP, "supergroup")
        group.ranks |= {42: "creator", 43: "administrator"}
        async with telegram_rig.listening(telegram_rig.built(telegram, roles=True), inbox):
            yield telegram


async def test_telegram_is_asked_once_who_administers_a_group():
    inbox = telegram_rig.Inbox()
    async with telegram_hears(inbox) as telegram:
        for person in (42, 43, 44, 42):
            telegram.say(f"from {person}", chat=GROUP, person=person, private=False)
        await telegram.until(lambda: len(inbox.events) == 4)
        assert telegram.called("getChatAdministrators") == [{"chat_id": GROUP}]
    roles = [event.author.roles for event in of(inbox)]
    assert roles == [("creator",), ("administrator",), (), ("creator",)]
    assert [event.text for event in inbox.calls[:4]] == [
        "from 42", "from 43", "from 44", "from 42",
    ]  # fmt: skip


async def test_everything_that_an_administrator_does_in_a_group_comes_with_roles():
    inbox = telegram_rig.Inbox()
    async with telegram_hears(inbox) as telegram:
        said = telegram.say("first", chat=GROUP, private=False)
        telegram.say("/reset", chat=GROUP, private=False)
        telegram.edit(GROUP, said, "second")
        telegram.press(GROUP, said, "rate:1")
        telegram.react(GROUP, said, "👍")
        await telegram.until(lambda: len(inbox.events) == 5)
    kinds = {type(event): event.author.roles for event in inbox.events.values()}
    assert kinds == dict.fromkeys(
        (MessageReceived, CommandGiven, MessageEdited, Pressed, Rated), ("creator",)
    )


async def test_roles_of_a_group_do_not_count_elsewhere():
    inbox = telegram_rig.Inbox()
    async with telegram_hears(inbox) as telegram:
        telegram.say("in private")
        telegram.say("elsewhere", chat=-1002, private=False)
        await telegram.until(lambda: len(inbox.events) == 2)
        assert telegram.called("getChatAdministrators") == [{"chat_id": -1002}]
    assert [event.author.roles for event in of(inbox)] == [(), ()]


async def test_nobody_asks_what_an_anonymous_administrator_or_a_channel_is():
    inbox = telegram_rig.Inbox()
    async with telegram_hears(inbox) as telegram:
        group = telegram.chats.known[GROUP].plain()
        telegram.say("me", chat=GROUP, private=False, sender_chat=group)
        telegram.say("it", chat=GROUP, private=False, sender_chat={"id": -7, "type": "channel"})
        await telegram.until(lambda: len(inbox.events) == 2)
        assert not telegram.called("getChatAdministrators")
    assert [event.author.roles for event in of(inbox)] == [("administrator",), ()]


@pytest.mark.parametrize(
    "fault", [ServerError(502), TooMany(30), Refuse("Forbidden: no", 403), Delay(9)], ids=str
)
async def test_a_telegram_that_does_not_say_delays_nothing_and_grants_nothing(fault):
    inbox = telegram_rig.Inbox()
    async with telegram_hears(inbox) as telegram:
        telegram.script.on("getChatAdministrators", fault)
        began = asyncio.get_running_loop().time()
        telegram.say("hi", chat=GROUP, private=False)
        telegram.say("again", chat=GROUP, private=False)
        await telegram.until(lambda: len(inbox.events) == 2)
        assert asyncio.get_running_loop().time() - began < 2.9
    assert [event.author.roles for event in of(inbox)] == [(), ()]


async def test_discord_says_what_people_may_do_also_of_what_is_read_back():
    inbox, marks = discord_rig.Inbox(), discord_rig.Marks()
    async with FakeDiscord() as discord:
        discord.members["501"] = {"roles": [ROLE], "nick": "owner"}
        discord.everyone |= 1 << 13
        async with discord_rig.listening(discord, inbox, marks):
            discord.say("live", channel=TEXT, mention=True)
            discord.say("in private")
            await discord.until(lambda: len(inbox.texts) == 2)
        discord.say("missed", channel=TEXT, mention=True)
        async with discord_rig.listening(discord, inbox, marks):
            await discord.until(lambda: len(inbox.texts) == 3)
    roles = {event.text: event.author.roles for event in inbox.of(MessageReceived)}
    member = (ROLE, "manage_messages")
    assert roles == {"live": member, "in private": (), "missed": member}
