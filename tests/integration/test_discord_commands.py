"""Commands and buttons: answered for the asker alone, registered when they change."""

import pytest

from bot.domain.commands import Command, Option
from bot.domain.conversation import Address, Conversation
from bot.domain.errors import Gone
from bot.domain.events import CommandGiven
from tests.fakes.discord import GUILD, ME, TEXT, FakeDiscord, person
from tests.fakes.script import Delay, Refuse
from tests.integration.discord_rig import Inbox, Outbox, answer_to, built, listening, saying

COMMANDS = "/applications/#/commands"
PLACE = Conversation(platform="discord", workspace=GUILD, channel=TEXT)


@pytest.fixture
async def discord():
    async with FakeDiscord() as fake:
        yield fake
    for call in fake.calls:
        body = call.args["json"]
        if isinstance(body, dict) and "content" in body:
            assert body["allowed_mentions"] == {"parse": [], "replied_user": False}
            assert body["flags"] & 4


@pytest.fixture
async def sender(discord):
    adapter = built(discord)
    await adapter.sender.open()
    yield adapter.sender
    await adapter.sender.close()


async def command_given(discord, inbox, **options):
    token = discord.interact("help", **options)
    await discord.until(lambda: inbox.of(CommandGiven))
    return token, inbox.of(CommandGiven)[0]


async def test_the_answer_to_a_command_fills_the_deferred_message_for_the_asker_alone(discord):
    inbox = Inbox()
    discord.script.on("POST /interactions/#/#/callback", Delay(0.2))
    async with listening(discord, inbox) as adapter:
        token, event = await command_given(discord, inbox)
        address = answer_to(event, hidden=True, reply_via=event.reply_via)
        await adapter.sender.deliver(address, saying("word " * 700), Outbox())
    assert len(discord.whispers[token]) == 2
    assert discord.shown(TEXT) == []
    (follow_up,) = discord.made("POST /webhooks/#/#")
    assert follow_up.args["json"]["flags"] == 64 | 4
    assert len(discord.made("PATCH /webhooks/#/#/messages/@original")) == 1


async def test_the_answer_to_a_button_leaves_its_message_alone(discord, sender):
    inbox = Inbox()
    async with listening(discord, inbox) as adapter:
        token = discord.press("why", discord.message(TEXT, "an answer", person(ME)))
        await discord.until(lambda: inbox.events)
        event = inbox.events[0]
        address = answer_to(event, hidden=True, reply_via=event.reply_via)
        await adapter.sender.deliver(address, saying("be", "cause", pause=0.4), Outbox())
    assert [whisper["content"] for whisper in discord.whispers[token]] == ["because"]
    assert not discord.made("PATCH /webhooks/#/#/messages/@original")


@pytest.mark.parametrize("hidden", [True, False])
async def test_an_expired_way_back_ends_in_the_channel_unless_that_would_tell_others(
    discord, sender, hidden
):
    address = Address(conversation=PLACE, key="turn1", hidden=hidden, reply_via="4242/itoken-1")
    if hidden:
        with pytest.raises(Gone, match="expired"):
            await sender.deliver(address, saying("Hello"), Outbox())
    else:
        await sender.deliver(address, saying("Hel", "lo", pause=0.4), Outbox())
    assert discord.shown(TEXT) == ([] if hidden else ["Hello"])


async def test_commands_are_registered_once_and_again_only_when_they_change(discord, sender):
    topic = Option(name="topic", about="About what?", choices=("setup", "privacy"))
    catalogue = (
        Command(name="help", about="What I can do.", options=(topic,), aliases=("hilfe",)),
    )
    await sender.publish(catalogue)
    await discord.until(lambda: discord.commands)
    assert [command["name"] for command in discord.commands] == ["help", "hilfe"]
    await sender.publish(catalogue)
    await discord.until(lambda: len(discord.made(f"GET {COMMANDS}")) == 2)
    await sender.publish((*catalogue, Command(name="stop", about="Stop.")))
    await discord.until(lambda: len(discord.commands) == 3)
    assert len(discord.made(f"PUT {COMMANDS}")) == 2


async def test_a_failing_registration_is_one_line_in_the_log(discord, sender, caplog):
    discord.script.on(f"GET {COMMANDS}", Refuse("50001", 403))
    await sender.publish((Command(name="help", about="What I can do."),))
    await discord.until(lambda: "could not be registered" in caplog.text)
    address = Address(conversation=PLACE, answers="1", key="turn1")
    await sender.deliver(address, saying("still here"), Outbox())
    assert discord.shown(TEXT) == ["still here"]
