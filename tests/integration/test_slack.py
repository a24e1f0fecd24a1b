"""Receiving from Slack: the real SDK on a fake workspace."""

import asyncio
import gc
import logging
import weakref
from contextlib import suppress

import pytest

from bot.domain.errors import ConfigError
from bot.domain.events import CommandGiven, MessageReceived, Pressed
from tests.fakes.script import Refuse, ServerError, TooMany
from tests.fakes.slack import BOT, BOT_USER, FakeSlack
from tests.integration.slack_rig import Inbox, built, listening
from tests.unit.adapters.slack.payload_book import events


async def test_a_message_is_stored_and_then_acknowledged():
    inbox = Inbox(delay=0.05)
    async with FakeSlack() as slack, listening(slack, inbox):
        slack.say("hello &amp; <https://a.example|there>")
        await slack.until(lambda: inbox.offered)
        assert not slack.acks
        await slack.until(lambda: slack.acks)
    (event,) = inbox.events.values()
    assert isinstance(event, MessageReceived)
    assert (event.text, event.private, event.addressed) == (
        "hello & there (https://a.example)",
        True,
        True,
    )


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_what_cannot_be_stored_is_not_acknowledged_and_comes_again(mode):
    inbox = Inbox(busy=2)
    async with FakeSlack(ack_timeout=0.05) as slack, listening(slack, inbox, mode=mode):
        slack.say("do not lose me")
        await slack.until(lambda: slack.acks)
    assert [retry for _, retry in slack.delivered] == [0, 1, 2]
    assert inbox.texts == ["do not lose me"]
    if mode == "http":
        assert slack.statuses == [503, 503, 200]


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_events_that_nobody_needs_are_acknowledged_too(mode):
    inbox = Inbox()
    async with FakeSlack() as slack, listening(slack, inbox, mode=mode):
        for kind in ("team_join", "im_open", "a_kind_of_next_year"):
            slack.envelope({"type": kind, "user": {"id": "U7"}, "event_ts": "1.000001"})
        await slack.until(lambda: len(slack.acks) == 3)
    assert not inbox.offered
    assert all(retry == 0 for _, retry in slack.delivered)


async def test_a_mention_comes_twice_and_is_one_event():
    inbox = Inbox()
    async with FakeSlack() as slack, listening(slack, inbox):
        slack.say(f"<@{BOT_USER}> what is up?", channel="C1", also_mention=True)
        await slack.until(lambda: len(inbox.offered) == 2)
    first, second = inbox.offered
    assert first == second
    assert (first.text, first.addressed, first.private) == ("what is up?", True, False)


async def test_an_event_that_comes_again_after_all_is_one_event():
    inbox = Inbox(delay=0.1)
    async with FakeSlack(ack_timeout=0.03) as slack, listening(slack, inbox):
        slack.say("slow store")
        await slack.until(lambda: len(inbox.offered) >= 2 and slack.acks)
    assert len(inbox.events) == 1


async def test_our_own_messages_are_acknowledged_and_dropped():
    inbox = Inbox()
    async with FakeSlack() as slack, listening(slack, inbox):
        slack.envelope({"type": "message", "channel": "D1", "user": BOT_USER, "bot_id": BOT,
                        "text": "me", "ts": "1.000001"})  # fmt: skip
        await slack.until(lambda: slack.acks)
    assert not inbox.offered


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_commands_and_buttons_are_stored_and_acknowledged_with_nothing_to_show(mode):
    inbox = Inbox()
    async with FakeSlack() as slack, listening(slack, inbox, mode=mode):
        command_url = slack.slash("Reset  the  thing ", channel="C1")
        message = slack.say("an answer", missed=True)
        press_url = slack.press("fb", message)
        await slack.until(lambda: len(slack.acks) == 2)
        assert set(map(str, slack.acks.values())) == {"{}"}
    command, press = sorted(inbox.events.values(), key=lambda event: isinstance(event, Pressed))
    assert isinstance(command, CommandGiven)
    assert (command.name, command.words, command.reply_via) == ("reset", "the  thing", command_url)
    assert (press.action, press.value, press.message) == ("fb", "1", message)
    assert press.reply_via == press_url


async def test_the_sdk_asks_who_we_are_once_however_many_events_come():
    inbox = Inbox()
    async with FakeSlack() as slack, listening(slack, inbox):
        for number in range(30):
            slack.say(f"{number}")
        await slack.until(lambda: len(slack.acks) == 30)
    assert [call.method for call in slack.calls] == ["auth.test", "apps.connections.open"]


class Forgetful(Inbox):
    """Waits for something that only the waiting task itself refers to."""

    async def accept(self, event):
        await super().accept(event)
        future = asyncio.get_running_loop().create_future()
        self.waiting = weakref.ref(future)
        await future


async def test_a_request_that_waits_for_the_store_survives_the_garbage_collector():
    inbox = Forgetful()
    async with FakeSlack(ack_timeout=5) as slack, listening(slack, inbox):
        slack.say("hold on")
        await slack.until(lambda: inbox.offered)
        gc.collect()
        inbox.waiting().set_result(None)
        await slack.until(lambda: slack.acks)


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_every_event_that_slack_documents_is_acknowledged_at_once(mode):
    inbox = Inbox()
    async with FakeSlack(echo=False, ack_timeout=5) as slack, listening(slack, inbox, mode=mode):
        for event in events():
            slack.envelope(event)
        await slack.until(lambda: len(slack.acks) == len(events()))
    assert len(slack.delivered) == len(events()) >= 90
    assert inbox.events


async def test_stopping_lets_what_is_being_stored_be_acknowledged():
    inbox = Inbox(delay=0.2)
    async with FakeSlack(ack_timeout=5) as slack:
        async with listening(slack, inbox):
            slack.say("last words")
            await slack.until(lambda: inbox.offered)
        await slack.until(lambda: slack.acks)
        await slack.until(lambda: not slack.sockets)


@pytest.mark.parametrize("how", ["disconnect", "cut", "close"])
async def test_a_lost_connection_is_replaced_and_nothing_is_lost(how):
    inbox = Inbox()
    async with FakeSlack(ack_timeout=0.2) as slack, listening(slack, inbox):
        slack.say("before")
        await slack.until(lambda: slack.acks)
        if how == "disconnect":
            await slack.disconnect()
        elif how == "cut":
            slack.cut()
        else:
            await slack.sockets[0].close()
        slack.say("meanwhile")
        await slack.until(lambda: slack.connections >= 2 and "meanwhile" in inbox.texts)
        slack.say("after")
        await slack.until(lambda: "after" in inbox.texts)


async def test_slack_in_trouble_is_asked_again_and_told_about_once(caplog):
    caplog.set_level(logging.WARNING)
    async with FakeSlack() as slack:
        slack.script.on("apps.connections.open", ServerError(502), ServerError(502), TooMany(0.1))
        async with listening(slack, Inbox()):
            await slack.until(lambda: slack.sockets)
    told = [record for record in caplog.records if "not connected" in record.message]
    assert len(told) == 2  # 502 twice, then the limit
    assert not any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize(
    ("method", "error", "key"),
    [
        ("auth.test", "invalid_auth", "bot_token_env"),
        ("auth.test", "account_inactive", "bot_token_env"),
        ("apps.connections.open", "not_authed", "app_token_env"),
        ("apps.connections.open", "missing_scope", "app_token_env"),
    ],
)
async def test_a_refused_token_ends_with_one_sentence(method, error, key):
    async with FakeSlack() as slack:
        slack.script.on(method, Refuse(error))
        with pytest.raises(ConfigError, match=rf"adapters\.slack\.{key}: .*{error}"):
            async with listening(slack, Inbox()) as task:
                await task


async def test_a_token_that_is_revoked_while_we_listen_ends_with_one_sentence():
    async with FakeSlack() as slack:
        with pytest.raises(ConfigError, match="token_revoked"):  # noqa: PT012
            async with listening(slack, Inbox()) as task:
                slack.script.on("auth.test", Refuse("token_revoked"))
                slack.cut()
                await task


class FaultyLine:
    """A line with a bug."""

    watched = False
    calls = 0

    async def serve(self, app, connected):
        self.calls += 1
        raise ZeroDivisionError


async def test_a_bug_does_not_end_the_platform(caplog):
    line = FaultyLine()
    async with FakeSlack() as slack:
        receiver = built(slack).receiver
        receiver.line = line
        task = asyncio.ensure_future(receiver.listen(Inbox()))
        await slack.until(lambda: line.calls >= 2)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert "an unexpected error" in caplog.text


async def test_http_requests_without_a_true_signature_are_refused():
    inbox = Inbox()
    payload = {"type": "event_callback", "event": {"type": "message", "channel": "D1", "user": "U7",
               "text": "forged", "ts": "1.000001"}}  # fmt: skip
    async with FakeSlack() as slack, listening(slack, inbox, mode="http"):
        assert await slack.post(payload, secret="x" * 32) == 401
        assert await slack.post(payload, age=301) == 401
        assert await slack.post(payload, age=-301) == 401
        assert await slack.post_raw("{broken") == 401
        assert (
            await slack.post_raw(
                "{}", {"X-Slack-Request-Timestamp": "now", "X-Slack-Signature": "v0=é"}
            )
            == 401
        )
        assert await slack.post_raw("x" * (1 << 20) + "x") == 413
        assert not inbox.offered
        assert await slack.post(payload) == 200
    assert inbox.texts == ["forged"]


async def test_slack_can_verify_our_url():
    async with FakeSlack() as slack, listening(slack, Inbox(), mode="http"):
        status = await slack.post({"type": "url_verification", "challenge": "c4", "token": "t"})
        assert (status, slack.answer) == (200, '{"challenge": "c4"}')


async def test_a_port_that_is_taken_is_a_sentence():
    async with FakeSlack() as slack:
        with pytest.raises(ConfigError, match=r"adapters\.slack\.http_port"):
            async with listening(slack, Inbox(), mode="http", http_port=slack.port) as task:
                await task
