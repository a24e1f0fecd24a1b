"""The command menus that Telegram shows: one for everyone, one for administrators of a group."""

import pytest

from bot.domain.commands import Command
from tests.fakes.script import TooMany
from tests.fakes.telegram import FakeTelegram
from tests.integration.telegram_rig import sending


@pytest.fixture
async def fake():
    async with FakeTelegram() as telegram:
        yield telegram


@pytest.fixture
async def sender(fake):
    async with sending(fake) as opened:
        yield opened


CATALOGUE = (
    Command(name="help", about="What I can do"),
    Command(name="admin", about="For moderators", rank="moderator"),
)


async def test_menus_are_published_where_they_differ(fake, sender):
    await sender.publish(CATALOGUE)
    everyone = [{"command": "help", "description": "What I can do"}]
    moderators = [*everyone, {"command": "admin", "description": "For moderators"}]
    assert fake.commands == {
        "default": everyone,
        "all_private_chats": everyone,
        "all_chat_administrators": moderators,
    }
    await sender.publish(CATALOGUE)
    assert len(fake.called("setMyCommands")) == 3


async def test_menus_that_cannot_be_published_stop_nothing(fake, sender, caplog):
    fake.script.on("getMyCommands", TooMany(9))
    await sender.publish(CATALOGUE)
    assert len(caplog.records) == 1
