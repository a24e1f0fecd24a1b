"""Receiving from Telegram: nothing is confirmed that is not stored, and nothing ends the loop."""

import asyncio
import logging

import pytest

from bot.domain.commands import Command
from bot.domain.errors import ConfigError, StoreBusy
from bot.domain.events import CommandGiven, MessageReceived, Pressed, Rated
from tests.fakes.script import Delay, DropAfterAccept, Refuse, Reset, ServerError, TooMany
from tests.fakes.telegram import TOKEN, FakeTelegram
from tests.integration.telegram_rig import Inbox, built, free_port, listening

CATALOGUE = (
    Command(name="help", about="What I can do"),
    Command(name="reset", about="Begin anew", aliases=("new",)),
    Command(name="admin", about="For moderators", rank="moderator"),
)


@pytest.fixture
async def fake():
    async with FakeTelegram() as telegram:
        yield telegram


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_messages_arrive_in_order_and_are_confirmed_after_they_were_stored(fake):
    inbox = Inbox(hold=asyncio.Event())
    async with listening(built(fake), inbox):
        for number in range(5):
            fake.say(f"m{number}")
        await fake.until(lambda: inbox.calls)
        assert not any(fake.acked(update) for update in range(5000, 5005))
        inbox.hold.set()
        await fake.until(lambda: fake.acked(5004))
    assert inbox.texts == [f"m{number}" for number in range(5)]
    assert [event.text for event in inbox.calls[:5]] == inbox.texts
    assert next(iter(inbox.events)) == f"telegram:{fake.me['id']}:5000"


async def test_a_batch_shares_one_wait(fake):
    for number in range(20):
        fake.say(f"m{number}", chat=number + 1)
    inbox = Inbox(hold=asyncio.Event())
    async with listening(built(fake), inbox):
        await fake.until(lambda: len(inbox.calls) == 20)
        assert len(fake.called("getUpdates")) == 1
        inbox.hold.set()
        await fake.until(lambda: fake.acked(5019))


async def test_a_store_that_is_busy_leaves_the_update_with_telegram(fake, caplog):
    inbox = Inbox(failures=[StoreBusy("full"), StoreBusy("full")])
    async with listening(built(fake), inbox):
        fake.say("keep me")
        await fake.until(lambda: fake.acked(5000))
    assert inbox.texts == ["keep me"]
    assert len(inbox.calls) == 3
    assert len(warnings(caplog)) == 1


async def test_a_batch_that_was_stored_in_part_comes_again_as_a_whole(fake):
    inbox = Inbox(failures=[StoreBusy("full")])
    for number in range(3):
        fake.say(f"m{number}")
    async with listening(built(fake), inbox):
        await fake.until(lambda: fake.acked(5002))
    assert sorted(inbox.texts) == ["m0", "m1", "m2"]
    assert len(inbox.calls) == 6


async def test_an_unexpected_error_is_logged_and_the_update_comes_again(fake, caplog):
    inbox = Inbox(failures=[OSError("disk")])
    async with listening(built(fake), inbox):
        fake.say("keep me")
        await fake.until(lambda: fake.acked(5000))
    assert inbox.texts == ["keep me"]
    assert [record for record in caplog.records if record.exc_info]


async def test_cancelling_confirms_nothing_that_is_not_stored(fake):
    inbox = Inbox(hold=asyncio.Event())
    async with listening(built(fake), inbox):
        fake.say("one")
        fake.say("two")
        await fake.until(lambda: inbox.calls)
    assert inbox.events == {}
    assert not fake.acked(5000)
    later = Inbox()
    async with listening(built(fake), later):
        await fake.until(lambda: fake.acked(5001))
    assert later.texts == ["one", "two"]


async def test_a_restart_fetches_the_last_batch_again_under_the_same_ids(fake):
    inbox = Inbox()
    adapter = built(fake)
    fake.script.on("getUpdates", None, Delay(60))
    async with listening(adapter, inbox):
        fake.say("one")
        await fake.until(lambda: inbox.events)
    async with listening(built(fake), inbox):
        await fake.until(lambda: fake.acked(5000))
    assert len(inbox.calls) == 2
    assert inbox.texts == ["one"]


async def test_updates_that_are_numbered_anew_after_a_quiet_week_are_read(fake):
    inbox = Inbox()
    async with listening(built(fake, poll_timeout_s=1), inbox):
        fake.say("before")
        await fake.until(lambda: fake.acked(5000))
        polls = len(fake.called("getUpdates"))
        await fake.until(lambda: len(fake.called("getUpdates")) > polls)
        fake.push({"update_id": 17, "message": {
            "message_id": 9, "date": 1, "text": "after", "from": fake.person(42),
            "chat": fake.chat(42).plain(),
        }})  # fmt: skip
        await fake.until(lambda: fake.acked(17))
    assert inbox.texts == ["before", "after"]


async def test_every_kind_that_is_read_is_asked_for(fake):
    async with listening(built(fake), Inbox()):
        await fake.until(lambda: fake.called("getUpdates"))
    (poll,) = fake.called("getUpdates")
    assert set(poll["allowed_updates"]) == {
        "message", "edited_message", "callback_query", "message_reaction", "my_chat_member",
        "stopped_message_generation",
    }  # fmt: skip
    assert [call.method for call in fake.calls] == ["getMe", "getUpdates"]


async def test_a_second_poller_is_named_once_and_both_live(fake, caplog):
    one, two = Inbox(), Inbox()
    async with listening(built(fake), one), listening(built(fake), two):
        await fake.until(lambda: len(fake.called("getUpdates")) > 12)
    said = warnings(caplog)
    assert len(said) == 2  # once by each of the two
    assert all("another process polls with this bot's token" in sentence for sentence in said)
    assert not any(record.exc_info for record in caplog.records)


async def test_a_webhook_in_the_way_is_removed_without_losing_anything(fake):
    fake.updates.webhook = {"url": f"http://127.0.0.1:{free_port()}/gone"}
    fake.say("early")
    inbox = Inbox()
    async with listening(built(fake), inbox):
        await fake.until(lambda: inbox.events)
    assert fake.called("deleteWebhook") == [{"drop_pending_updates": False}]
    assert inbox.texts == ["early"]


@pytest.mark.parametrize("token", ["123456789:" + "W" * 35, "nonsense"])
async def test_a_wrong_token_is_one_sentence(fake, token):
    adapter = built(fake, secrets={"TELEGRAM_BOT_TOKEN": token})
    with pytest.raises(ConfigError, match="token in TELEGRAM_BOT_TOKEN") as caught:
        await adapter.sender.open()
    assert token not in str(caught.value)
    with pytest.raises(ConfigError):
        await adapter.receiver.listen(Inbox())
    await adapter.sender.close()


async def test_a_token_that_is_revoked_ends_the_receiver(fake):
    async with listening(built(fake), Inbox()) as task:
        await fake.until(lambda: fake.called("getUpdates"))
        fake.script.on("getUpdates", Refuse("Unauthorized", 401))
        fake.say("hi")
        with pytest.raises(ConfigError, match="refuses the token"):
            await task


async def test_a_storm_of_errors_is_survived_with_few_words(fake, caplog):
    storm = (ServerError(502), ServerError(500, "oops"), Reset(), TooMany(0.01), ServerError(200),
             DropAfterAccept(), Refuse("Bad Request: never heard of", 400), ServerError(404))  # fmt: skip
    fake.script.on("getMe", ServerError(502), Reset())
    fake.script.on("getUpdates", *storm)
    fake.say("one")
    inbox = Inbox()
    async with listening(built(fake), inbox):
        await fake.until(lambda: fake.acked(5000))
    assert inbox.texts == ["one"]
    assert len(warnings(caplog)) == len(set(warnings(caplog))) <= len(storm)
    assert not any(record.exc_info for record in caplog.records)
    assert not any(TOKEN in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(("home", "proxied"), [("telegram.example", True), ("127.0.0.1", False)])
async def test_a_proxy_is_used_but_not_for_this_machine(fake, monkeypatch, home, proxied):
    dead = free_port()
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{fake.port if proxied else dead}")
    monkeypatch.delenv("no_proxy", raising=False)
    adapter = built(fake, base_url=f"http://{home}{'' if proxied else f':{fake.port}'}/bot")
    await adapter.sender.open()
    assert fake.called("getMe")
    await adapter.sender.close()


async def test_an_unreachable_telegram_does_not_stop_the_start(caplog):
    async with FakeTelegram() as gone:
        adapter = built(gone)
    await adapter.sender.open()
    await adapter.sender.close()
    assert len(warnings(caplog)) == 1


async def test_neither_token_nor_text_is_logged(fake, caplog):
    caplog.set_level(logging.DEBUG)
    inbox = Inbox()
    async with listening(built(fake), inbox):
        fake.say("a secret thought")
        await fake.until(lambda: fake.acked(5000))
    assert not any(TOKEN in text or "thought" in text for text in caplog.messages)


async def test_a_pressed_button_is_stored_and_its_spinner_ends(fake):
    inbox = Inbox()
    async with listening(built(fake), inbox):
        message = fake.say("hi")
        pressed = fake.press(42, message, "rate:1")
        await fake.until(lambda: fake.answered == [pressed])
    event = list(inbox.events.values())[-1]
    assert isinstance(event, Pressed)
    assert (event.action, event.value) == ("rate", "1")


async def test_edits_ratings_and_topics_arrive(fake):
    inbox = Inbox()
    async with listening(built(fake), inbox):
        message = fake.say("hi", chat=-5, private=False, thread=3)
        fake.edit(-5, message, "hello")
        fake.react(-5, message, "👍")
        await fake.until(lambda: fake.acked(5002))
    received, edited, rated = inbox.events.values()
    assert isinstance(received, MessageReceived)
    assert str(received.conversation) == "telegram::-5:3"
    assert (edited.text, edited.conversation) == ("hello", received.conversation)
    assert isinstance(rated, Rated)


async def test_published_commands_are_recognised_and_others_are_words(fake):
    adapter, inbox = built(fake), Inbox()
    async with listening(adapter, inbox):
        await adapter.sender.publish(CATALOGUE)
        fake.say("/new now")
        fake.say("/nothing now")
        await fake.until(lambda: fake.acked(5001))
    command, words = inbox.events.values()
    assert isinstance(command, CommandGiven)
    assert (command.name, command.words) == ("reset", "now")
    assert (type(words), words.text) == (MessageReceived, "/nothing now")
