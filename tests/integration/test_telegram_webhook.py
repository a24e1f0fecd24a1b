"""Telegram's webhook: 200 only after the update was stored, nothing without the secret."""

from io import BytesIO

import aiohttp
import pytest

from bot.domain.errors import ConfigError, StoreBusy
from tests.fakes.script import Refuse, ServerError
from tests.fakes.telegram import TOKEN, FakeTelegram
from tests.integration.telegram_rig import SECRET, Inbox, built, free_port, listening


@pytest.fixture
async def fake():
    async with FakeTelegram() as telegram:
        yield telegram


@pytest.fixture
def hook():
    port = free_port()
    url = f"http://127.0.0.1:{port}/telegram/hook"
    return {"mode": "webhook", "webhook_url": url, "webhook_port": port}


def test_secrets_are_not_shown_by_accident(fake, hook):
    shown = repr(built(fake)) + repr(built(fake, **hook))
    assert TOKEN not in shown
    assert SECRET not in shown


async def test_a_webhook_is_answered_after_the_update_was_stored(fake, hook):
    inbox = Inbox(failures=[StoreBusy("full")])
    async with listening(built(fake, **hook), inbox):
        fake.say("one")
        await fake.until(lambda: fake.acked(5000))
        (wanted,) = fake.called("setWebhook")
    assert inbox.texts == ["one"]
    assert [status for _, status in fake.updates.deliveries if status] == [503, 200]
    assert (wanted["secret_token"], "message" in wanted["allowed_updates"]) == (SECRET, True)
    assert "drop_pending_updates" not in wanted
    assert fake.called("deleteWebhook") == []


@pytest.mark.parametrize("given", [None, "", "wrong", SECRET + "x", "ß"], ids=repr)
async def test_a_forged_update_is_refused(fake, hook, given):
    inbox = Inbox()
    headers = {} if given is None else {"X-Telegram-Bot-Api-Secret-Token": given}
    async with listening(built(fake, **hook), inbox), aiohttp.ClientSession() as session:
        await fake.until(lambda: fake.called("setWebhook"))
        async with session.post(hook["webhook_url"], json={}, headers=headers) as forged:
            assert forged.status == 401
    assert inbox.calls == []


async def test_what_is_no_update_is_refused_and_a_strange_one_is_taken(fake, hook):
    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    sent = {b"{": 400, b"7": 400, b"{}": 200, b'{"update_id": []}': 200, b" " * (2 << 20): 413}
    async with listening(built(fake, **hook), Inbox()), aiohttp.ClientSession() as session:
        await fake.until(lambda: fake.called("setWebhook"))
        for body, status in sent.items():
            data = BytesIO(body)
            async with session.post(hook["webhook_url"], data=data, headers=headers) as answer:
                assert answer.status == status
        async with session.get(hook["webhook_url"], headers=headers) as answer:
            assert answer.status == 405


@pytest.mark.parametrize("secret", ["", "  "])
def test_an_empty_secret_is_refused(fake, hook, secret):
    with pytest.raises(ConfigError, match="TELEGRAM_WEBHOOK_SECRET is empty"):
        built(fake, secrets={"TELEGRAM_WEBHOOK_SECRET": secret}, **hook)


def test_a_webhook_needs_an_address(fake):
    with pytest.raises(ConfigError, match="webhook_url"):
        built(fake, mode="webhook")


async def test_a_webhook_that_telegram_refuses_is_one_sentence(fake, hook):
    fake.script.on("setWebhook", ServerError(502), Refuse("Bad Request: bad webhook"))
    async with listening(built(fake, **hook), Inbox()) as task:
        with pytest.raises(ConfigError, match="Bad webhook"):
            await task


async def test_a_port_that_is_taken_is_one_sentence(fake, hook):
    hook["webhook_port"] = fake.port
    async with listening(built(fake, **hook), Inbox()) as task:
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{fake.port}"):
            await task
