"""Listening to Discord: the real SDK against a gateway that breaks in every way it can."""

import asyncio
import json
import logging

import pytest

from bot.domain.errors import ConfigError, Unreachable
from bot.domain.events import (
    CommandGiven,
    Joined,
    Left,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    Pressed,
    Rated,
)
from tests.fakes.discord import (
    FORUM,
    GUILD,
    ME,
    POST,
    TEXT,
    THREAD,
    FakeDiscord,
    person,
)
from tests.fakes.script import Refuse, ServerError
from tests.integration.discord_rig import Inbox, Marks, built, listening

READ = "GET /channels/#/messages"
CALLBACK = "POST /interactions/#/#/callback"


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


async def test_messages_arrive_from_direct_conversations_channels_threads_and_forum_posts(
    discord, inbox
):
    async with listening(discord, inbox):
        discord.say("privately")
        discord.say("aloud", channel=TEXT, mention=True)
        discord.say("in a thread", channel=THREAD)
        discord.say("in a post", channel=POST)
        await discord.until(lambda: len(inbox.events) == 4)
    assert [(str(e.conversation), e.text, e.addressed, e.private) for e in inbox.events] == [
        ("discord::7501:", "privately", True, True),
        (f"discord:{GUILD}:{TEXT}:", "aloud", True, False),
        (f"discord:{GUILD}:{TEXT}:{THREAD}", "in a thread", False, False),
        (f"discord:{GUILD}:{FORUM}:{POST}", "in a post", False, False),
    ]


async def test_edits_deletions_ratings_and_moves_of_the_bot_arrive_as_such(discord, inbox):
    async with listening(discord, inbox):
        asked = discord.say("a question")
        discord.unfurl(asked)
        discord.edit(asked, "another question")
        answered = discord.message("7501", "an answer", person(ME))
        discord.keep(answered)
        discord.react("7501", answered["id"], "👍")
        discord.react("7501", answered["id"], "👍", remove=True)
        discord.delete("7501", asked)
        discord.dispatch("GUILD_CREATE", {**discord.guild(), "id": "9999"})
        discord.dispatch("GUILD_DELETE", {"id": "9999"})
        await discord.until(lambda: len(inbox.events) == 7)
    assert [type(event) for event in inbox.events if event.conversation.workspace != "9999"] == [
        MessageReceived, MessageEdited, Rated, Rated, MessageDeleted,
    ]  # fmt: skip
    assert [event.text for event in inbox.of(MessageEdited)] == ["another question"]
    assert [event.value for event in inbox.of(Rated)] == [1, 0]
    assert [event.messages for event in inbox.of(MessageDeleted)] == [(asked,)]
    assert [event.conversation.workspace for event in inbox.of(Joined) + inbox.of(Left)] == [
        "9999", "9999",
    ]  # fmt: skip


async def test_what_is_deleted_or_closed_to_the_bot_is_left(discord, inbox):
    async with listening(discord, inbox):
        discord.say("a question", channel=THREAD)
        discord.close_channel(THREAD)
        discord.close_channel(TEXT)
        discord.dispatch("GUILD_DELETE", {"id": GUILD, "unavailable": True})
        discord.dispatch("GUILD_DELETE", {"id": GUILD})
        await discord.until(lambda: len(inbox.events) == 4)
    assert {str(event.conversation) for event in inbox.of(Left)} == {
        f"discord:{GUILD}:{TEXT}:{THREAD}", f"discord:{GUILD}:{TEXT}:", f"discord:{GUILD}::",
    }  # fmt: skip
    in_thread = [type(event) for event in inbox.events if event.conversation.thread]
    assert in_thread == [MessageReceived, Left]


async def test_events_of_one_channel_keep_their_order_although_many_are_under_way(discord, inbox):
    async with listening(discord, inbox):
        for number in range(60):
            discord.say(str(number), user=str(500 + number % 4))
        await discord.until(lambda: len(inbox.events) == 60)
    for user in range(4):
        mine = [e.text for e in inbox.events if e.author.user == str(500 + user)]
        assert mine == [str(number) for number in range(user, 60, 4)]


async def test_a_busy_store_loses_nothing_and_swaps_nothing(discord, inbox, marks):
    inbox.busy = 4
    async with listening(discord, inbox, marks):
        for number in range(5):
            discord.say(str(number))
        await discord.until(lambda: len(inbox.events) == 5)
    assert inbox.texts == ["0", "1", "2", "3", "4"]


async def test_a_mark_moves_only_after_the_inbox_has_accepted(discord, inbox, marks):
    inbox.gate = asyncio.Event()
    async with listening(discord, inbox, marks):
        first = discord.say("first")
        second = discord.say("second")
        await discord.until(lambda: inbox.asked)
        assert marks.newest["discord::7501:"] == str(int(first) - 1)
        inbox.gate.set()
        await discord.until(lambda: marks.newest["discord::7501:"] == second)
        third = discord.say("third")
        await discord.until(lambda: len(inbox.events) == 3)
    assert marks.newest["discord::7501:"] == third


async def test_a_payload_of_unknown_shape_ends_nothing(discord, inbox):
    async with listening(discord, inbox):
        for name in ("MESSAGE_CREATE", "GUILD_CREATE", "THREAD_CREATE", "INTERACTION_CREATE"):
            discord.dispatch(name, {"id": 7, "type": "?", "channel_id": None})
        discord.dispatch("THREAD_LIST_SYNC", {"threads": None})
        for payload in (None, [], "?", {"author": {"id": []}, "id": "1", "content": {}}):
            discord.dispatch("MESSAGE_UPDATE", payload)
            discord.dispatch("CHANNEL_DELETE", payload)
        strange = {**discord.message(TEXT, "hello", person("501")), "channel_id": ["?"]}
        discord.dispatch("MESSAGE_CREATE", strange)
        discord.dispatch("MESSAGE_CREATE", {**strange, "channel_id": None})
        discord.dispatch("MESSAGE_CREATE", {**strange, "channel_id": 7, "type": 7})
        discord.dispatch("SOMETHING_NEW", {"id": "7"})
        discord.say("still there?")
        await discord.until(lambda: inbox.texts)
    assert inbox.texts == ["still there?"]
    assert len(discord.gateway.identifies) == 1


async def test_only_the_needed_intents_are_asked_for(discord, inbox):
    async with listening(discord, inbox):
        pass
    async with listening(discord, inbox, message_content=False):
        discord.say("not for the bot", channel=TEXT)
        discord.say("for the bot", channel=TEXT, mention=True)
        await discord.until(lambda: inbox.texts)
    wanted = [data["intents"] for data in discord.gateway.identifies]
    assert wanted == [38401 + 8192, 38401 + 8192 - (1 << 15)]
    assert inbox.texts == ["for the bot"]


@pytest.mark.parametrize("slow", [False, True])
async def test_interactions_are_deferred_in_time_also_when_storing_is_slow(discord, inbox, slow):
    inbox.gate = asyncio.Event()
    if not slow:
        inbox.gate.set()
    async with listening(discord, inbox):
        discord.say("something before it", channel=TEXT)
        discord.interact("model", name="big", how="now please")
        button = discord.message(TEXT, "an answer", person(ME))
        discord.press("rate:up", button)
        began = asyncio.get_running_loop().time()
        await discord.until(lambda: len(discord.made(CALLBACK)) == 2)
        assert asyncio.get_running_loop().time() - began < 2.9
        inbox.gate.set()
        await discord.until(lambda: len(inbox.events) == 3)
    bodies = [call.args["json"] for call in discord.made(CALLBACK)]
    assert sorted(bodies, key=json.dumps) == [{"type": 5, "data": {"flags": 64}}, {"type": 6}]
    command, pressed = inbox.of(CommandGiven)[0], inbox.of(Pressed)[0]
    assert (command.name, command.words, command.author.user) == ("model", "big now please", "501")
    assert (pressed.action, pressed.value, pressed.message) == ("rate", "up", button["id"])
    assert "itoken" not in repr(command) + repr(pressed)


async def test_an_interaction_that_cannot_be_stored_is_not_acknowledged(discord, inbox, caplog):
    inbox.busy = 1_000
    async with listening(discord, inbox):
        discord.interact("help")
        await discord.until(lambda: "could not be stored" in caplog.text)
        inbox.busy = 0
        discord.interact("help")
        await discord.until(lambda: discord.made(CALLBACK))
    assert len(discord.made(CALLBACK)) == len(inbox.events) == 1


async def test_a_command_that_nobody_answers_does_not_think_for_ever(discord, inbox):
    inbox.concerned = False
    async with listening(discord, inbox):
        discord.interact("help")
        await discord.until(lambda: discord.made("DELETE /webhooks/#/#/messages/@original"))


async def test_a_refused_token_is_one_sentence_for_the_operator(discord, inbox):
    discord.script.on("GET /users/@me", *(Refuse("401: Unauthorized", 401),) * 2)
    adapter = built(discord)
    with pytest.raises(ConfigError, match="Discord refuses the bot token"):
        await adapter.sender.open()
    with pytest.raises(ConfigError, match="Discord refuses the bot token"):
        await adapter.receiver.listen(inbox)
    await adapter.sender.close()


@pytest.mark.parametrize(
    ("code", "sentence"),
    [(4004, "refuses the bot token"), (4014, "Privileged Gateway Intents"), (4013, "intents")],
)
async def test_a_gateway_that_refuses_for_good_is_one_sentence_too(discord, inbox, code, sentence):
    discord.gateway.refuse_with = code
    adapter = built(discord)
    with pytest.raises(ConfigError, match=sentence):
        await adapter.receiver.listen(inbox)


async def test_an_unreachable_discord_is_waited_for(discord, inbox, caplog):
    discord.script.on("GET /users/@me", ServerError(503), ServerError(503))
    adapter = built(discord)
    with pytest.raises(Unreachable):
        await adapter.sender.open()
    task = asyncio.create_task(adapter.receiver.listen(inbox))
    await discord.until(lambda: discord.gateway.session)
    discord.say("hello")
    await discord.until(lambda: inbox.texts)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await adapter.sender.close()
    assert "Traceback" not in caplog.text


async def test_logs_hold_neither_words_nor_tokens(discord, inbox, caplog):
    caplog.set_level(logging.DEBUG)
    async with listening(discord, inbox):
        discord.say("a secret word")
        token = discord.interact("help", topic="a secret word")
        await discord.until(lambda: len(inbox.events) == 2 and discord.made(CALLBACK))
        discord.gateway.drop()
        discord.say("a secret word")
        await discord.until(lambda: len(inbox.events) == 3)
    for secret in ("secret word", token, "NDI0Mg.fake.token"):
        assert secret not in "\n".join(
            r.getMessage() for r in caplog.records if r.name != "asyncio"
        )
