"""Replies in Telegram: a placeholder that is only ever edited, and words that survive anything."""

import asyncio
import logging

import pytest

from adapters.telegram.sender import PLACEHOLDER
from bot.domain.errors import DeliveryError, Gone
from bot.domain.replies import Part, Retraction
from tests.fakes.script import DropAfterAccept, Refuse, Reset, ServerError, TooMany
from tests.fakes.telegram import FakeTelegram
from tests.integration.telegram_rig import Outbox, address, answer, reply, sending

GROUP, TOPIC = -1001, 12
MARKED = "# Title\n\nsome **bold** words & <b>tags</b>"


@pytest.fixture
async def fake():
    async with FakeTelegram() as telegram:
        telegram.chat(42)
        telegram.chat(GROUP, "supergroup", topics=(TOPIC,))
        yield telegram


@pytest.fixture
async def sender(fake):
    async with sending(fake) as opened:
        yield opened


def texts(fake, chat=42):
    return [message.text for message in fake.shown(chat)]


async def test_a_short_answer_is_a_placeholder_and_one_edit(fake, sender):
    outbox = Outbox()
    receipt = await answer(sender, address(answers="7"), "Hello ", "you", outbox=outbox)
    (shown,) = fake.shown(42)
    assert (shown.text, shown.reply_to, receipt.messages) == ("Hello you", None, (str(shown.id),))
    assert [text for _, text in fake.history[42]] == [PLACEHOLDER, "Hello you"]
    methods = [call.method for call in fake.calls]
    assert methods == ["getMe", "sendMessage", "editMessageText"]
    assert outbox.known[0].id == str(shown.id)


async def test_the_placeholder_is_journaled_before_it_is_edited(fake, sender):
    outbox = Outbox()
    await answer(sender, address(), "Hello", outbox=outbox)
    assert outbox.log[:2] == [("begin", 0), ("sent", 0)]


async def test_an_answer_grows_by_edits(fake, sender):
    gate = asyncio.Event()
    growing = asyncio.create_task(
        sender.deliver(address(), reply("One. ", "Two.", gate=gate), Outbox())
    )
    await fake.until(lambda: texts(fake) == ["One. "])
    gate.set()
    await growing
    assert [text for _, text in fake.history[42]] == [PLACEHOLDER, "One. ", "One. Two."]


async def test_without_streaming_the_answer_is_shown_when_it_is_complete(fake):
    gate = asyncio.Event()
    async with sending(fake, streaming="off") as sender:
        growing = asyncio.create_task(
            sender.deliver(address(), reply("One. ", "Two.", gate=gate), Outbox())
        )
        await fake.until(lambda: texts(fake) == [PLACEHOLDER])
        gate.set()
        await growing
    assert [text for _, text in fake.history[42]] == [PLACEHOLDER, "One. Two."]


async def test_a_group_sees_which_message_is_answered(fake, sender):
    asked = fake.say("hi", chat=GROUP)
    await answer(sender, address(GROUP, private=False, answers=str(asked)), "Hello")
    assert [message.reply_to for message in fake.shown(GROUP)] == [asked]


async def test_a_question_that_was_deleted_is_still_answered(fake, sender):
    await answer(sender, address(GROUP, private=False, answers="999"), "Hello")
    assert texts(fake, GROUP) == ["Hello"]


@pytest.mark.parametrize(("thread", "lands"), [(str(TOPIC), TOPIC), ("", None)])
async def test_a_topic_is_answered_in_the_topic(fake, sender, thread, lands):
    await answer(sender, address(GROUP, private=False, thread=thread), "Hello")
    assert [message.thread for message in fake.shown(GROUP)] == [lands]


async def test_a_private_answer_to_a_command_is_a_normal_reply(fake, sender):
    await answer(sender, address(GROUP, private=False, hidden=True), "Only for you")
    assert texts(fake, GROUP) == ["Only for you"]


async def test_a_long_answer_is_split_and_nothing_is_lost(fake, sender):
    lines = [f"line {number} with a 🎉 and some more words" for number in range(400)]
    receipt = await answer(sender, address(), "\n".join(lines))
    assert "".join(texts(fake)).split("\n") == lines
    assert len(receipt.messages) == len(fake.shown(42)) > 2


async def test_a_long_answer_in_a_group_of_mentions_still_fits(fake, sender):
    names = " ".join(f"@somebody{number}" for number in range(600))
    await answer(sender, address(GROUP, private=False), names)
    assert "".join(texts(fake, GROUP)).replace("\u2060", "") == names
    assert len(fake.shown(GROUP)) > 2


async def test_a_table_that_grows_when_it_is_drawn_is_shown_anyway(fake, sender):
    fake.chats.rich = False
    rows = "\n".join(f"|{number}|{'x' * (number % 40)}|" for number in range(200))
    await answer(sender, address(), f"|n|words|\n|-|-|\n{rows}")
    assert sum(text.count("x") for text in texts(fake)) == sum(n % 40 for n in range(200))


async def test_no_preview_is_ever_fetched(fake, sender):
    fake.script.on("editMessageText", Refuse("Bad Request: can't parse entities: x"))
    await answer(sender, address(), "[look](https://evil.example/?d=secret) **now**")
    sent = fake.called("sendMessage") + fake.called("editMessageText")
    assert len(sent) == 3
    assert all(args["link_preview_options"] == {"is_disabled": True} for args in sent)


async def test_markup_is_a_rich_message_made_of_our_own_tags(fake, sender):
    await answer(sender, address(), MARKED)
    (shown,) = fake.shown(42)
    assert (shown.markup, shown.text) == ("html", "Titlesome bold words & <b>tags</b>")
    assert shown.source == (
        "<h1>Title</h1><p>some <b>bold</b> words &amp; &lt;b&gt;tags&lt;/b&gt;</p>"
    )


async def test_a_server_from_before_rich_messages_is_asked_once(fake, sender):
    fake.chats.rich = False
    for _ in range(2):
        await answer(sender, address(), MARKED)
    assert [message.markup for message in fake.shown(42)] == ["HTML", "HTML"]
    assert texts(fake)[0] == "Title\n\nsome bold words & <b>tags</b>"
    assert sum("rich_message" in args for args in fake.called("editMessageText")) == 1


async def test_refused_markup_becomes_plain_text_with_the_words_intact(fake, sender):
    refused = Refuse("Bad Request: can't parse entities: Unexpected end")
    fake.script.on("editMessageText", refused, refused)
    await answer(sender, address(), MARKED)
    assert [(m.text, m.markup) for m in fake.shown(42)] == [(MARKED, "")]
    await answer(sender, address(), MARKED)
    assert fake.shown(42)[1].markup == "html"  # another reply may be luckier


async def test_nothing_that_the_model_writes_pings(fake, sender):
    evil = "@anna_b [x](tg://user?id=42) tg://user?id=42 **b** <a href='tg://user?id=1'>y</a>"
    fake.script.on("editMessageText", *[Refuse("Bad Request: can't parse entities")] * 2)
    await answer(sender, address(GROUP, private=False), evil)
    for args in fake.called("editMessageText"):
        content = args.get("text") or args["rich_message"]["html"]
        assert "tg://" not in content
        assert "@anna" not in content
        assert "<a href" not in content or "&lt;a" in content or "parse_mode" not in args


async def test_a_text_that_is_shown_already_is_no_error(fake, sender):
    shown = await answer(sender, address(), "Hello")
    outbox = Outbox(known={0: Part(index=0, id=shown.messages[0])}, resumed=True)
    again = await answer(sender, address(), "Hello", outbox=outbox)
    assert again == shown
    assert texts(fake) == ["Hello"]


async def test_a_resumed_answer_posts_no_second_placeholder(fake, sender):
    lines = "\n".join(f"line {number} of a long answer" for number in range(300))
    half = Outbox()
    first = await answer(sender, address(), lines, outbox=half)
    resumed = Outbox(known={0: half.known[0], 1: half.known[1]}, resumed=True)
    posts = len(fake.called("sendMessage"))
    again = await answer(sender, address(), lines, outbox=resumed)
    assert again.messages[:2] == first.messages[:2]
    assert len(fake.called("sendMessage")) - posts == len(first.messages) - 2


async def test_parts_that_are_left_over_are_deleted(fake, sender):
    kept, surplus = "…", "old"
    outbox = Outbox(resumed=True)
    for index, text in enumerate((kept, surplus, surplus)):
        id = (await answer(sender, address(), text)).messages[0]
        outbox.known[index] = Part(index=index, id=id)
    del fake.chats.known[42].messages[int(outbox.known[2].id)]  # somebody was faster
    await answer(sender, address(), "Short", outbox=outbox)
    assert texts(fake)[0] == "Short"
    assert int(outbox.known[0].id) == fake.shown(42)[0].id
    assert sorted(outbox.known) == [0]


async def test_a_retraction_replaces_what_was_said(fake, sender):
    await answer(sender, address(), "Something bad", Retraction("Taken back."))
    assert texts(fake) == ["Taken back."]


async def test_a_request_to_wait_is_obeyed_and_the_answer_still_comes(fake, sender):
    loop = asyncio.get_running_loop()
    fake.script.on("editMessageText", TooMany(0.8))
    started = loop.time()
    await answer(sender, address(), "Hello")
    assert loop.time() - started >= 0.8
    assert [text for _, text in fake.history[42]] == [PLACEHOLDER, "Hello"]
    assert len(fake.called("editMessageText")) == 2


async def test_other_chats_do_not_wait_for_a_flooded_one(fake, sender):
    fake.chat(43)
    fake.script.on("editMessageText", TooMany(3))
    slow = asyncio.create_task(answer(sender, address(42), "slow"))
    await fake.until(lambda: fake.called("editMessageText"))
    await asyncio.wait_for(answer(sender, address(43), "fast"), 2)
    assert texts(fake, 43) == ["fast"]
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)


async def test_an_answer_survives_edits_with_unknown_outcome(fake, sender):
    fake.script.on("editMessageText", DropAfterAccept(), ServerError(502), Reset())
    await answer(sender, address(), "Hello")
    assert texts(fake) == ["Hello"]


async def test_a_lost_placeholder_never_doubles_the_words(fake, sender):
    fake.script.on("sendMessage", DropAfterAccept())
    await answer(sender, address(), "Hello")
    assert texts(fake) == [PLACEHOLDER, "Hello"]


@pytest.mark.parametrize(
    "no",
    [
        Refuse("Forbidden: bot was blocked by the user", 403),
        Refuse("Forbidden: bot was kicked from the supergroup chat", 403),
        Refuse("Bad Request: chat not found"),
        Refuse("Bad Request: not enough rights to send text messages to the chat"),
        Refuse("Bad Request: message thread not found"),
        Refuse("Bad Request: TOPIC_CLOSED"),
    ],
    ids=lambda no: no.error,
)
async def test_a_closed_chat_is_gone(fake, sender, no):
    fake.script.on("sendMessage", no)
    with pytest.raises(Gone):
        await answer(sender, address(), "Hello")


@pytest.mark.parametrize("no", [Refuse("Bad Request: strange"), Refuse("Unauthorized", 401)])
async def test_what_telegram_refuses_otherwise_is_tried_later(fake, sender, no):
    fake.script.on("sendMessage", no)
    with pytest.raises(DeliveryError) as caught:
        await answer(sender, address(), "Hello")
    assert not isinstance(caught.value, Gone)


async def test_an_answer_that_somebody_deleted_stays_deleted(fake, sender, caplog):
    caplog.set_level(logging.INFO)
    gate = asyncio.Event()
    growing = asyncio.create_task(
        sender.deliver(address(), reply("One. ", "Two.", gate=gate), Outbox())
    )
    await fake.until(lambda: texts(fake) == ["One. "])
    fake.chats.known[42].shown.clear()
    gate.set()
    await growing
    assert texts(fake) == []
    assert any("is gone" in text for text in caplog.messages)


async def test_a_group_that_became_a_supergroup_gets_its_answer_there(fake, sender):
    fake.chat(-5, "group")
    fake.chats.migrated[-5] = GROUP
    await answer(sender, address(-5, private=False), "Hello")
    assert texts(fake, GROUP) == ["Hello"]
