"""Where files lie: what arrives with a message can be fetched, and no token goes elsewhere."""

import logging
from contextlib import asynccontextmanager

import aiohttp
import pytest

from bot.domain.errors import FileRefused, RetryLater, Unreachable
from bot.domain.events import Attachment
from tests.fakes.discord import TEXT, FakeDiscord
from tests.fakes.script import Refuse, Reset, TooMany
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import TOKEN, FakeTelegram
from tests.integration import discord_rig, slack_rig, telegram_rig

CONTENT = b"%PDF-1.7 harmless"


async def fetch(location):
    async with (
        aiohttp.ClientSession() as http,
        http.get(location.url, headers=location.headers) as r,
    ):
        return r.status, await r.read()


async def the_file(files, event):
    """Fetch the one file of an event; it says the truth about itself."""
    (attachment,) = event.attachments
    assert (attachment.name, attachment.type, attachment.size) == (
        "plan.pdf", "application/pdf", len(CONTENT),
    )  # fmt: skip
    location = await files.locate(attachment)
    assert location.hosts == ("127.0.0.1",)
    assert "127.0.0.1:" not in repr((location, attachment))
    return await fetch(location)


async def test_a_file_in_slack_is_fetched_with_the_token():
    inbox = slack_rig.Inbox()
    async with FakeSlack() as slack, slack_rig.listening(slack, inbox):
        slack.say("look", files=[slack.upload("plan.pdf", CONTENT, "application/pdf")])
        await slack.until(lambda: inbox.events)
        (event,) = inbox.events.values()
        assert await the_file(slack_rig.built(slack).files, event) == (200, CONTENT)


async def test_a_file_in_discord_is_fetched_without_any():
    inbox = discord_rig.Inbox()
    async with FakeDiscord() as discord, discord_rig.listening(discord, inbox) as adapter:
        file = discord.upload("plan.pdf", CONTENT, "application/pdf")
        discord.say("look", channel=TEXT, mention=True, attachments=[file])
        await discord.until(lambda: inbox.texts)
        event = inbox.events[-1]
        assert await the_file(adapter.files, event) == (200, CONTENT)
        assert [call.args["auth"] for call in discord.made("GET /attachments")] == [""]


async def test_a_file_in_telegram_is_asked_for_and_fetched():
    inbox = telegram_rig.Inbox()
    async with FakeTelegram() as telegram:
        adapter = telegram_rig.built(telegram)
        async with telegram_rig.listening(adapter, inbox):
            document = telegram.upload("plan.pdf", CONTENT, "application/pdf")
            telegram.say("", document=document, caption="look")
            await telegram.until(lambda: inbox.events)
            (event,) = inbox.events.values()
            assert await the_file(adapter.files, event) == (200, CONTENT)
        assert telegram.called("getFile") == [{"file_id": document["file_id"]}]


FORGED = [
    "https://evil.example/files.slack.com/a.pdf",
    "https://files.slack.com@evil.example/a.pdf",
    "https://files.slack.com.evil.example/a.pdf",
    "http://files.slack.com/a.pdf",
    "http://169.254.169.254/latest/meta-data",
    "https://drive.example/a",
    "file:///etc/passwd",
    "",
]


@pytest.mark.parametrize("url", FORGED)
@pytest.mark.parametrize("rig", [slack_rig, discord_rig], ids=["slack", "discord"])
@pytest.mark.parametrize("official", [True, False])
async def test_a_forged_address_is_refused_before_a_token_is_shown(url, rig, official):
    async with FakeSlack() as slack, FakeDiscord() as discord:
        fake = slack if rig is slack_rig else discord
        own = {slack_rig: {"base_url": "https://slack.com/api/"},
               discord_rig: {"api_base_url": "https://discord.com/api/v10"}}  # fmt: skip
        files = rig.built(fake, **(own[rig] if official else {})).files
        with pytest.raises(FileRefused):
            await files.locate(Attachment(name="a.pdf", source=url))
        assert not fake.calls


async def test_the_real_platforms_keep_files_on_their_own_hosts():
    slack = slack_rig.DESCRIPTOR.build(slack_rig.SlackSettings(), _surroundings())
    private = "https://files.slack.com/files-pri/T1-F1/download/plan.pdf"
    found = await slack.files.locate(Attachment(name="plan.pdf", source=private))
    assert (found.url, found.headers) == (private, {"Authorization": "Bearer xoxb-1"})
    assert "files.slack.com" in found.hosts
    assert "xoxb" not in repr((found, slack.files))
    discord = discord_rig.DESCRIPTOR.build(discord_rig.DiscordSettings(), _surroundings())
    signed = "https://cdn.discordapp.com/attachments/1/2/plan.pdf?ex=1&is=2&hm=3"
    found = await discord.files.locate(Attachment(name="plan.pdf", source=signed))
    assert (found.url, dict(found.headers)) == (signed, {})


def _surroundings():
    return slack_rig.Surroundings(bot_name="P", streaming="edit", marks=slack_rig.Marks(),
                                  pulse=telegram_rig.beat(), secret=lambda _: "xoxb-1")  # fmt: skip


@asynccontextmanager
async def telegram_files(**files):
    async with FakeTelegram() as telegram:
        adapter = telegram_rig.built(telegram)
        await adapter.sender.open()
        telegram.files |= files
        try:
            yield telegram, adapter.files
        finally:
            await adapter.sender.close()


async def test_telegram_is_not_asked_for_what_has_no_file():
    async with telegram_files() as (telegram, files):
        with pytest.raises(FileRefused):
            await files.locate(Attachment(name="location"))
        assert not telegram.called("getFile")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (None, FileRefused),
        (Refuse("Bad Request: file is too big"), FileRefused),
        (Refuse("Forbidden: bot was blocked", 403), FileRefused),
        (TooMany(9), RetryLater),
        (Reset(), Unreachable),
    ],
)
async def test_what_telegram_says_is_told_without_the_token(fault, error, caplog):
    caplog.set_level(logging.DEBUG)
    async with telegram_files(one=b"x") as (telegram, files):
        if fault:
            telegram.script.on("getFile", fault)
        with pytest.raises(error) as caught:
            await files.locate(Attachment(name="a", source="one" if fault else "unknown"))
    assert TOKEN not in str(caught.value)
    assert TOKEN not in caplog.text


async def test_an_address_of_telegrams_is_a_secret(caplog):
    caplog.set_level(logging.DEBUG)
    async with telegram_files(**{"a b": b"x"}) as (_, files):
        found = await files.locate(Attachment(name="a", source="a b"))
        assert await fetch(found) == (200, b"x")
    assert found.url.endswith(f"{TOKEN}/documents/a%20b")
    assert TOKEN not in repr(found)
    assert TOKEN not in caplog.text
