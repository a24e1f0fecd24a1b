"""What becomes of a reply whose chat moves, whose question is withdrawn, or whose bubble is old."""

import asyncio

import pytest

from adapters.telegram.sender import PLACEHOLDER
from bot.domain.errors import Gone
from bot.domain.replies import Part
from tests.fakes.script import DropAfterAccept, Refuse
from tests.fakes.telegram import FakeTelegram
from tests.integration.telegram_rig import Outbox, address, answer, reply, sending

OLD, NEW = -5, -1005


@pytest.fixture
async def fake():
    async with FakeTelegram() as telegram:
        telegram.chat(42)
        telegram.chat(OLD, "group")
        telegram.chat(NEW, "supergroup")
        yield telegram


@pytest.fixture
async def sender(fake):
    async with sending(fake) as opened:
        yield opened


def texts(fake, chat):
    return [message.text for message in fake.shown(chat)]


def upgrade(fake):
    """Let the group become a supergroup, in which the bot has spoken already."""
    fake.chats.migrated[OLD] = NEW
    for _ in range(3):
        fake.chats.send({"chat_id": NEW, "text": "something else"})


def news(fake):
    """What the bot shows in the supergroup beside what it had said there before."""
    return [text for text in texts(fake, NEW) if text != "something else"]


def asked(**more):
    return address(OLD, private=False, answers="1", **more)


async def test_an_answer_to_a_group_that_moved_meanwhile_is_given_in_the_new_one(fake, sender):
    upgrade(fake)
    await answer(sender, asked(), "Hello")
    assert (texts(fake, OLD), news(fake)) == ([], ["Hello"])
    assert fake.shown(NEW)[-1].reply_to is None  # the number belongs to the old group
    assert len(fake.shown(NEW)) == 4


async def test_an_answer_that_grows_while_the_group_moves_is_completed_in_the_new_one(fake, sender):
    gate = asyncio.Event()
    delivery = sender.deliver(asked(), reply("One. ", "Two.", gate=gate), Outbox())
    growing = asyncio.create_task(delivery)
    await fake.until(lambda: texts(fake, OLD) == ["One. "])
    upgrade(fake)
    gate.set()
    await growing
    assert news(fake) == ["One. Two."]
    assert len(fake.shown(NEW)) == 4


async def test_all_parts_of_a_long_answer_move_and_no_other_message_is_touched(fake, sender):
    lines = "\n".join(f"line {number} of a long answer" for number in range(400))
    half = Outbox()
    first = await answer(sender, asked(), lines, outbox=half)
    upgrade(fake)
    resumed = Outbox(known={0: half.known[0], 1: half.known[1]}, resumed=True)
    await answer(sender, asked(), lines.upper(), outbox=resumed)
    assert "".join(news(fake)) == lines.upper()
    assert texts(fake, NEW)[:3] == ["something else"] * 3
    assert len(news(fake)) == len(first.messages)


async def test_a_move_with_unknown_outcome_doubles_no_words(fake, sender):
    placeholder = (await answer(sender, asked(), PLACEHOLDER)).messages[0]
    upgrade(fake)
    fake.script.on("sendMessage", DropAfterAccept())
    known = Outbox(known={0: Part(index=0, id=placeholder)}, resumed=True)
    await answer(sender, asked(), "Hello", outbox=known)
    assert news(fake) == [PLACEHOLDER, "Hello"]


async def test_a_part_that_was_posted_in_the_new_group_is_edited_there_after_a_restart(
    fake, sender
):
    upgrade(fake)
    outbox = Outbox()
    await answer(sender, asked(), "Hello", outbox=outbox)
    resumed = Outbox(known=dict(outbox.known), resumed=True)
    await answer(sender, asked(), "Hello again", outbox=resumed)
    assert news(fake) == ["Hello again"]


async def test_nothing_is_deleted_in_the_new_group_for_a_number_of_the_old_one(fake, sender):
    surplus = (await answer(sender, asked(), "old")).messages[0]
    upgrade(fake)
    known = Outbox(known={0: Part(index=0, id=surplus)}, resumed=True)
    await sender.deliver(asked(), reply(), known)
    assert texts(fake, NEW) == ["something else"] * 3
    assert known.known == {}


@pytest.mark.parametrize("number", [1, 3], ids=["one", "three"])
async def test_an_answer_that_is_withdrawn_takes_its_messages_away(fake, sender, number):
    known = Outbox(resumed=True)
    for index in range(number):
        id = (await answer(sender, address(), PLACEHOLDER)).messages[0]
        known.known[index] = Part(index=index, id=id)
    receipt = await sender.deliver(address(), reply(), known)
    assert texts(fake, 42) == []
    assert (receipt.messages, known.known) == ((), {})


@pytest.mark.parametrize(
    "words",
    [
        "message to delete not found",
        "message can't be deleted for everyone",
        "message can't be deleted",
        "MESSAGE_ID_INVALID",
    ],
)
async def test_a_message_that_cannot_be_deleted_is_left_and_not_tried_again(fake, sender, words):
    id = (await answer(sender, address(), PLACEHOLDER)).messages[0]
    fake.script.on("deleteMessage", Refuse(f"Bad Request: {words}"))
    known = Outbox(known={0: Part(index=0, id=id)}, resumed=True)
    await sender.deliver(address(), reply(), known)
    assert known.known == {}
    assert len(fake.called("deleteMessage")) == 1


async def test_a_message_that_cannot_be_deleted_since_the_chat_is_closed_ends_the_turn(
    fake, sender
):
    id = (await answer(sender, address(), PLACEHOLDER)).messages[0]
    fake.script.on("deleteMessage", Refuse("Forbidden: bot was blocked by the user", 403))
    known = Outbox(known={0: Part(index=0, id=id)}, resumed=True)
    with pytest.raises(Gone):
        await sender.deliver(address(), reply(), known)
    assert len(fake.called("deleteMessage")) == 1
