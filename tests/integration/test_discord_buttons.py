"""Buttons on Discord: the real SDK on a fake server."""

import pytest

from bot.domain.conversation import Address, Conversation
from bot.domain.events import CommandGiven
from bot.domain.replies import Button, Finished, Text
from tests.fakes.discord import GUILD, TEXT, FakeDiscord
from tests.fakes.script import DropAfterAccept
from tests.integration.discord_rig import Inbox, Outbox, answer_to, listening, saying

ASK = Button(label="Talk to a person", action="person", value="7")
PLACE = Conversation(platform="discord", workspace=GUILD, channel=TEXT)


@pytest.fixture
async def discord():
    async with FakeDiscord() as fake:
        yield fake


async def asking(words):
    yield Text(words)
    yield Finished(buttons=(ASK,))


def below(discord, messages):
    return [[button["label"] for button in discord.buttons(message)] for message in messages]


async def test_a_post_that_is_repeated_for_its_buttons_adds_them_to_what_is_there(discord):
    async with listening(discord, Inbox()) as adapter:
        to = Address(conversation=PLACE, key="turn1")
        await adapter.sender.deliver(to, saying("hello"), Outbox())
        await adapter.sender.deliver(to, asking("hello"), Outbox())
        assert below(discord, discord.history[TEXT]) == [[ASK.label]]
        assert len(discord.made("POST /channels/#/messages")) == 2


async def test_a_post_of_unknown_fate_has_its_buttons_once(discord):
    async with listening(discord, Inbox()) as adapter:
        discord.script.on("POST /channels/#/messages", DropAfterAccept())
        to = Address(conversation=PLACE, key="turn1")
        await adapter.sender.deliver(to, asking("hello"), Outbox())
        assert below(discord, discord.history[TEXT]) == [[ASK.label]]
        assert not discord.made("PATCH /channels/#/messages/#")


async def test_the_answer_to_a_command_has_them_below_its_last_message(discord):
    inbox = Inbox()
    async with listening(discord, inbox) as adapter:
        token = discord.interact("help")
        await discord.until(lambda: inbox.of(CommandGiven))
        event = inbox.of(CommandGiven)[0]
        to = answer_to(event, hidden=True, reply_via=event.reply_via)
        await adapter.sender.deliver(to, asking("word " * 700), Outbox())
        assert below(discord, discord.whispers[token]) == [[], [ASK.label]]
        assert discord.shown(TEXT) == []
