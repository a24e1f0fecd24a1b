"""Where messages are looked for after an interruption, and where not."""

import asyncio
import time
from datetime import UTC, datetime

import pytest

from bot.domain.conversation import Conversation
from bot.domain.events import MessageReceived
from tests.fakes.discord import FORUM, GUILD, ME, OTHER, POST, TEXT, THREAD, FakeDiscord, person
from tests.fakes.script import Refuse, TooMany
from tests.integration.discord_rig import Inbox, Marks, listening

READ = "GET /channels/#/messages"
NEW, BRANCH = "9300", "9310"
SEE = 1 << 10


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


def read_back(discord):
    return [call.args["path"].split("/")[-2] for call in discord.made(READ)]


async def start_and_stop(discord, inbox, marks, *said):
    """Let the bot run for a while, hear something, and lose its session."""
    async with listening(discord, inbox, marks):
        for channel in said:
            discord.say("before", channel=channel)
        await discord.until(lambda: len(inbox.events) == len(said))
        await discord.until(lambda: f"discord:{GUILD}::" in marks.newest)
    discord.gateway.forget()


async def test_places_that_were_silent_or_did_not_exist_are_found(discord, inbox, marks):
    await start_and_stop(discord, inbox, marks, TEXT)
    discord.open_channel(NEW)
    discord.open_channel(BRANCH, type=11, parent_id=NEW)
    for channel in (OTHER, NEW, BRANCH, POST, THREAD):
        discord.say(f"first in {channel}", channel=channel)
        discord.say(f"second in {channel}", channel=channel)
    async with listening(discord, inbox, marks):
        discord.say("live", channel=NEW)
        await discord.until(lambda: len(inbox.events) == 1 + 10 + 1)
    in_new = Conversation(platform="discord", workspace=GUILD, channel=NEW)
    assert [e.text for e in inbox.events if e.conversation == in_new] == [
        f"first in {NEW}", f"second in {NEW}", "live",
    ]  # fmt: skip
    assert {str(e.conversation) for e in inbox.events} == {
        f"discord:{GUILD}:{TEXT}:", f"discord:{GUILD}:{OTHER}:", f"discord:{GUILD}:{NEW}:",
        f"discord:{GUILD}:{NEW}:{BRANCH}", f"discord:{GUILD}:{FORUM}:{POST}",
        f"discord:{GUILD}:{TEXT}:{THREAD}",
    }  # fmt: skip
    assert FORUM not in read_back(discord)  # its newest "message" is a post


async def test_a_lost_session_finds_them_too(discord, inbox, marks):
    async with listening(discord, inbox, marks):
        discord.say("before", channel=TEXT)
        await discord.until(lambda: inbox.events)
        discord.gateway.invalidate()
        discord.open_channel(NEW)
        discord.say("missed", channel=NEW)
        await discord.until(lambda: len(inbox.events) == 2)
    assert inbox.texts == ["before", "missed"]


async def test_the_first_start_ever_answers_no_history_but_the_second_one_what_it_missed(
    discord, inbox, marks
):
    discord.say("long before", channel=TEXT)
    discord.say("before", channel=OTHER)
    await start_and_stop(discord, inbox, marks)
    assert discord.made(READ) == []
    discord.say("missed", channel=OTHER)
    async with listening(discord, inbox, marks):
        await discord.until(lambda: inbox.events)
        discord.say("live", channel=TEXT)
        await discord.until(lambda: len(inbox.events) == 2)
    assert inbox.texts == ["missed", "live"]
    assert read_back(discord) == [OTHER]


async def test_marks_of_an_older_version_count_from_the_newest(discord, inbox, marks):
    discord.say("history", channel=OTHER)
    marks.newest = {f"discord:{GUILD}:{TEXT}:": discord.say("handled", channel=TEXT)}
    discord.say("missed", channel=OTHER)
    async with listening(discord, inbox, marks):
        await discord.until(lambda: inbox.events)
        discord.say("live", channel=TEXT)
        await discord.until(lambda: len(inbox.events) == 2)
    assert inbox.texts == ["missed", "live"]


async def test_what_was_said_before_the_bot_came_does_not_concern_it(discord, inbox, marks):
    marks.newest = {"discord::7501:": discord.new_id()}
    discord.say("before it came", channel=TEXT)
    await asyncio.sleep(0.01)
    discord.joined_at = datetime.now(UTC).isoformat()
    await asyncio.sleep(0.01)
    discord.say("after it came", channel=TEXT)
    async with listening(discord, inbox, marks):
        await discord.until(lambda: inbox.events)
    assert inbox.texts == ["after it came"]


async def test_a_crash_while_some_places_were_read_back_loses_none_of_the_others(
    discord, inbox, marks
):
    await start_and_stop(discord, inbox, marks, TEXT)
    discord.say("one", channel=OTHER)
    discord.say("two", channel=TEXT)
    discord.failing.add(OTHER)
    async with listening(discord, inbox, marks):
        discord.say("three", channel=TEXT)
        discord.say("direct")
        await discord.until(lambda: len(inbox.events) == 4)
    discord.gateway.forget()
    discord.failing.clear()
    async with listening(discord, inbox, marks):
        await discord.until(lambda: len(inbox.events) == 5)
    assert inbox.texts[-1] == "one"
    assert len(set(inbox.texts)) == 5


async def test_places_that_cannot_be_read_do_not_hold_others_back(discord, inbox, marks, caplog):
    await start_and_stop(discord, inbox, marks, TEXT, OTHER, THREAD)
    discord.forbidden.add(TEXT)
    discord.failing.add(OTHER)
    discord.script.on(READ, None, None, None, TooMany(0.3))
    for channel in (TEXT, OTHER, THREAD, POST):
        discord.say("missed", channel=channel)
    with caplog.at_level("INFO"):
        async with listening(discord, inbox, marks):
            discord.say("direct")
            await discord.until(lambda: len(inbox.events) == 3 + 3)
            await discord.until(lambda: len(read_back(discord)) > 6)
            discord.failing.clear()
            await discord.until(lambda: len(inbox.events) == 3 + 4)
    for channel, said in ((TEXT, "cannot be read back"), (OTHER, "has to wait")):
        lines = [r for r in caplog.records if f"{GUILD}:{channel}: {said}" in r.getMessage()]
        assert len(lines) == 1
    assert "Traceback" not in caplog.text


async def test_discord_is_obeyed_when_it_asks_to_read_later(discord, inbox, marks):
    await start_and_stop(discord, inbox, marks, TEXT)
    discord.say("missed", channel=TEXT)
    discord.script.on(READ, TooMany(31))
    began = time.monotonic()
    async with listening(discord, inbox, marks):
        await discord.until(lambda: discord.made(READ))
        discord.say("live", channel=OTHER)
        await discord.until(lambda: len(inbox.events) == 2)
        await asyncio.sleep(max(0.0, 0.5 - (time.monotonic() - began)))
        assert len(discord.made(READ)) == 1
    assert inbox.texts == ["before", "live"]


async def test_hidden_channels_and_threads_in_them_are_not_asked_for(discord, inbox, marks):
    await start_and_stop(discord, inbox, marks)
    discord.overwrites[TEXT] = [{"id": GUILD, "type": 0, "allow": "0", "deny": str(SEE)}]
    for channel in (TEXT, THREAD, OTHER):
        discord.say("missed", channel=channel)
    async with listening(discord, inbox, marks):
        await discord.until(lambda: inbox.events)
    assert read_back(discord) == [OTHER]


async def test_the_bots_own_answers_are_no_reason_to_read_back(discord, inbox, marks):
    async with listening(discord, inbox, marks):
        discord.say("a question", channel=TEXT)
        await discord.until(lambda: inbox.events)
        answer = discord.message(TEXT, "an answer", person(ME))
        discord.keep(answer)
        discord.say("direct")
        await discord.until(lambda: len(inbox.events) == 2)
    discord.gateway.forget()
    assert marks.newest[f"discord:{GUILD}:{TEXT}:"] == answer["id"]
    async with listening(discord, inbox, marks):
        discord.say("live", channel=TEXT)
        await discord.until(lambda: len(inbox.events) == 3)
    assert TEXT not in read_back(discord)


async def test_the_mark_does_not_jump_over_waiting_messages_to_an_own_answer(discord, inbox, marks):
    inbox.gate = asyncio.Event()
    async with listening(discord, inbox, marks):
        question = discord.say("a question", channel=TEXT)
        await discord.until(lambda: inbox.asked)
        discord.keep(discord.message(TEXT, "an answer", person(ME)))
        discord.interact("help")
        await discord.until(lambda: inbox.asked == 2)
    assert marks.newest[f"discord:{GUILD}:{TEXT}:"] == str(int(question) - 1)


async def test_messages_that_mean_nothing_ask_for_no_member(discord, inbox, marks):
    await start_and_stop(discord, inbox, marks)
    for user in range(5):
        last = discord.say("", channel=TEXT, user=str(600 + user))
    async with listening(discord, inbox, marks):
        await discord.until(lambda: TEXT in read_back(discord))
        discord.say("live", channel=TEXT)
        await discord.until(lambda: inbox.events)
    discord.gateway.forget()
    assert int(marks.newest[f"discord:{GUILD}:{TEXT}:"]) > int(last)
    assert not discord.made("GET /guilds/#/members/#")


async def test_a_place_that_was_read_back_in_vain_counts_as_read(discord, inbox, marks):
    await start_and_stop(discord, inbox, marks)
    last = discord.say("", channel=TEXT)
    async with listening(discord, inbox, marks):
        await discord.until(lambda: marks.newest.get(f"discord:{GUILD}:{TEXT}:") == last)


async def test_a_new_place_heard_before_its_server_is_known_waits_for_what_was_missed(
    discord, inbox, marks
):
    await start_and_stop(discord, inbox, marks, TEXT)
    discord.say("missed", channel=OTHER)
    discord.in_order = False
    async with listening(discord, inbox, marks):
        discord.say("live", channel=OTHER)
        await discord.until(lambda: len(inbox.events) == 3)
        discord.dispatch("GUILD_CREATE", discord.guild())
        discord.say("later", channel=OTHER)
        await discord.until(lambda: len(inbox.events) == 4)
    assert inbox.texts == ["before", "missed", "live", "later"]


async def test_a_thread_that_was_deleted_meanwhile_costs_nothing(discord, inbox, marks):
    await start_and_stop(discord, inbox, marks, THREAD)
    discord.close_channel(THREAD)
    async with listening(discord, inbox, marks):
        discord.say("live", channel=TEXT)
        await discord.until(lambda: len(inbox.events) == 2)


async def test_an_answer_that_is_no_list_is_tried_again(discord, inbox, marks):
    await start_and_stop(discord, inbox, marks, TEXT)
    discord.say("missed", channel=TEXT)
    discord.script.on(READ, Refuse("a proxy's page", 200))
    async with listening(discord, inbox, marks):
        await discord.until(lambda: len(inbox.of(MessageReceived)) == 2)
    assert inbox.texts == ["before", "missed"]
