"""What the gateway could not deliver is read back: after a restart, after a lost session."""

import pytest

from bot.domain.conversation import Conversation
from tests.fakes.discord import FORUM, GUILD, OTHER, POST, TEXT, THREAD, FakeDiscord, person
from tests.fakes.script import Delay, ServerError
from tests.integration.discord_rig import Inbox, Marks, listening

READ = "GET /channels/#/messages"


@pytest.fixture
async def discord():
    async with FakeDiscord() as fake:
        yield fake


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
def marks():
    return Marks()


async def test_what_was_said_while_the_bot_was_down_is_read_back_in_order(discord, inbox, marks):
    discord.members["501"] = {"roles": ["77"], "nick": "Ann"}
    places = {"direct": "", "text": TEXT, "thread": THREAD}
    async with listening(discord, inbox, marks):
        for place in places.values():
            discord.say("before", channel=place)
        await discord.until(lambda: len(inbox.events) == 3)
    discord.gateway.forget()
    for number in range(130):
        discord.say(f"text {number}", channel=TEXT)
    discord.say("direct", channel="")
    discord.say("thread", channel=THREAD)
    discord.say("a post nobody has seen begin", channel=POST)
    async with listening(discord, inbox, marks):
        discord.say("live", channel=TEXT)
        await discord.until(lambda: len(inbox.events) == 3 + 130 + 3 + 1)
    in_text = [e for e in inbox.events if e.conversation.channel == TEXT and e.text != "thread"]
    in_text = [e for e in in_text if not e.conversation.thread]
    expected = ["before", *(f"text {number}" for number in range(130)), "live"]
    assert [e.text for e in in_text] == expected
    assert in_text[1].author == in_text[0].author  # the same name, the same roles
    assert in_text[1].author.roles == ("77",)
    post = next(e for e in inbox.events if e.text.startswith("a post"))
    assert post.conversation == Conversation(
        platform="discord", workspace=GUILD, channel=FORUM, thread=POST
    )


async def test_channels_without_news_are_not_read_back(discord, inbox, marks):
    async with listening(discord, inbox, marks):
        discord.say("hello", channel=TEXT)
        discord.say("hello", channel=OTHER)
        await discord.until(lambda: len(inbox.events) == 2)
    discord.calls.clear()
    discord.gateway.forget()
    discord.say("news", channel=OTHER)
    async with listening(discord, inbox, marks):
        await discord.until(lambda: len(inbox.events) == 3)
    assert [call.args["path"] for call in discord.made(READ)] == [
        f"/api/v10/channels/{OTHER}/messages"
    ]


async def test_reading_back_keeps_within_its_bounds(discord, inbox, marks):
    long_ago = "1000000000000000000"  # a day in 2022
    marks.newest = {"discord::7501:": long_ago}
    discord.direct("501")
    old = discord.message("7501", "too old", person("501"))
    discord.history["7501"] = [{**old, "id": str(int(long_ago) + 1)}]
    for number in range(12):
        discord.say(str(number))
    async with listening(discord, inbox, marks, backfill_messages=5):
        await discord.until(lambda: len(inbox.events) == 5)
        live = discord.say("live")
        await discord.until(lambda: len(inbox.events) == 6)
    assert inbox.texts == ["0", "1", "2", "3", "4", "live"]
    assert marks.newest["discord::7501:"] == live


async def test_an_archived_thread_is_read_back_and_a_forbidden_channel_is_skipped(
    discord, inbox, marks
):
    async with listening(discord, inbox, marks):
        discord.say("hello", channel=THREAD)
        discord.say("hello", channel=TEXT)
        await discord.until(lambda: len(inbox.events) == 2)
    discord.gateway.forget()
    discord.say("then archived", channel=THREAD)
    discord.say("for good", channel=THREAD)
    discord.say("then closed to the bot", channel=TEXT)
    discord.archived.append(discord.channels[THREAD])
    discord.forbidden.add(TEXT)
    async with listening(discord, inbox, marks):
        await discord.until(lambda: len(inbox.events) == 4)
        discord.say("live", channel=TEXT)
        await discord.until(lambda: len(inbox.events) == 5)
    assert inbox.texts == ["hello", "hello", "then archived", "for good", "live"]
    assert {event.conversation.thread for event in inbox.events[2:4]} == {THREAD}
    (read,) = [call for call in discord.made(READ) if THREAD in call.args["path"]]
    assert read.args["query"]["after"] == inbox.events[0].message


async def test_a_failing_read_back_is_repeated_and_live_messages_wait_behind_it(
    discord, inbox, marks
):
    async with listening(discord, inbox, marks):
        discord.say("one")
        await discord.until(lambda: len(inbox.events) == 1)
    discord.gateway.forget()
    discord.say("two")
    discord.script.on(READ, ServerError(503), Delay(0.3))
    async with listening(discord, inbox, marks):
        discord.say("three")
        await discord.until(lambda: len(inbox.events) == 3)
    assert inbox.texts == ["one", "two", "three"]


async def test_a_resumed_session_has_no_gap_and_reads_nothing_back(discord, inbox, marks):
    async with listening(discord, inbox, marks):
        discord.say("one")
        await discord.until(lambda: len(inbox.events) == 1)
        discord.gateway.drop(4000)
        discord.say("two")
        await discord.until(lambda: len(inbox.events) == 2)
        discord.say("three")
        await discord.until(lambda: len(inbox.events) == 3)
    assert inbox.texts == ["one", "two", "three"]
    assert (discord.gateway.resumes, len(discord.gateway.identifies)) == (1, 1)
    assert discord.made(READ) == []


@pytest.mark.parametrize("how", ["invalidate", "forget", "garble"])
async def test_a_lost_session_is_opened_anew_and_its_gap_is_read_back(discord, inbox, marks, how):
    async with listening(discord, inbox, marks):
        discord.say("one")
        await discord.until(lambda: len(inbox.events) == 1)
        getattr(discord.gateway, how)()
        discord.say("two")
        await discord.until(lambda: len(inbox.events) == 2)
        discord.say("three")
        await discord.until(lambda: len(inbox.events) == 3)
    assert inbox.texts == ["one", "two", "three"]
    assert len(discord.gateway.identifies) == 2


async def test_a_message_that_comes_before_its_server_is_known_waits_for_what_was_missed(
    discord, inbox, marks
):
    async with listening(discord, inbox, marks):
        discord.say("one", channel=TEXT)
        await discord.until(lambda: len(inbox.events) == 1)
    discord.gateway.forget()
    discord.say("two", channel=TEXT)
    discord.in_order = False
    async with listening(discord, inbox, marks):
        discord.say("three", channel=TEXT)
        await discord.until(lambda: len(inbox.events) == 3)
    assert inbox.texts == ["one", "two", "three"]


async def test_an_outage_of_a_server_is_no_farewell_and_its_messages_are_read_back(
    discord, inbox, marks
):
    async with listening(discord, inbox, marks):
        discord.say("one", channel=TEXT)
        await discord.until(lambda: len(inbox.events) == 1)
        discord.dispatch("GUILD_DELETE", {"id": GUILD, "unavailable": True})
        discord.silent = True
        discord.say("two", channel=TEXT)
        discord.silent = False
        discord.dispatch("GUILD_CREATE", discord.guild())
        discord.say("three", channel=TEXT)
        await discord.until(lambda: len(inbox.events) == 3)
    assert inbox.texts == ["one", "two", "three"]
