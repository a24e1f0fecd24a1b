"""Speaking on Discord: one answer, once, whole, and without a ping, whatever Discord does."""

import asyncio
from dataclasses import replace

import pytest

from bot.domain.conversation import Address, Conversation
from bot.domain.errors import Gone
from bot.domain.replies import Finished, Part, Retraction, Text
from tests.fakes.discord import GUILD, ME, TEXT, THREAD, FakeDiscord, person
from tests.fakes.script import DropAfterAccept, Refuse, Reset, ServerError, TooMany
from tests.integration.discord_rig import (
    Echo,
    Marks,
    Outbox,
    built,
    listening,
    saying,
)

SEND = "POST /channels/#/messages"
EDIT = "PATCH /channels/#/messages/#"
COMMANDS = "/applications/#/commands"
SILENT = {"parse": [], "replied_user": False}


@pytest.fixture
async def discord():
    """Serve a fake, and look afterwards whether anything could have pinged or unfurled."""
    async with FakeDiscord() as fake:
        yield fake
    for call in fake.calls:
        body = call.args["json"]
        if isinstance(body, dict) and "content" in body:
            assert body["allowed_mentions"] == SILENT
            assert body["flags"] & 4


@pytest.fixture
async def sender(discord):
    adapter = built(discord)
    await adapter.sender.open()
    yield adapter.sender
    await adapter.sender.close()


def place(channel=TEXT, thread=""):
    return Conversation(platform="discord", workspace=GUILD, channel=channel, thread=thread)


def to(discord, channel=TEXT, **more):
    """Address an answer to a question that somebody asks now."""
    question = discord.say("a question", channel=channel)
    values = {"conversation": place(channel), "answers": question, "key": "turn1", **more}
    return Address(**values)


def direct(discord, **more):
    question = discord.say("a question")
    conversation = Conversation(platform="discord", channel="7501")
    return Address(conversation=conversation, answers=question, key="turn1", private=True, **more)


async def test_a_quick_answer_is_one_message_in_reply_to_the_question(discord, sender):
    address = to(discord)
    receipt = await sender.deliver(address, saying("Hello ", "@everyone"), Outbox())
    assert discord.shown(TEXT) == ["Hello @everyone"]
    assert receipt.messages == (discord.history[TEXT][-1]["id"],)
    (call,) = discord.made(SEND)
    assert call.args["json"]["message_reference"] == {
        "message_id": address.answers, "fail_if_not_exists": False,
    }  # fmt: skip
    assert call.args["json"]["enforce_nonce"]
    assert not discord.made("POST /channels/#/typing")


async def test_a_direct_answer_and_one_in_a_thread_go_where_they_belong(discord, sender):
    await sender.deliver(direct(discord), saying("here"), Outbox())
    asked = discord.say("there?", channel=THREAD)
    address = Address(conversation=place(TEXT, THREAD), answers=asked, key="turn2")
    await sender.deliver(address, saying("there"), Outbox())
    assert (discord.shown("7501"), discord.shown(THREAD)) == (["here"], ["there"])
    assert all("message_reference" in call.args["json"] for call in discord.made(SEND))


async def test_a_long_answer_is_split_and_nothing_is_lost(discord, sender):
    text = "\n\n".join(f"Paragraph {number}: " + "word 🙂 " * 60 for number in range(12))
    receipt = await sender.deliver(to(discord), saying(text), Outbox())
    shown = discord.shown(TEXT)
    assert len(shown) == len(receipt.messages) > 2
    assert " ".join(" ".join(shown).split()) == " ".join(text.split())
    assert all(len(part.encode("utf-16-le")) // 2 <= 2000 for part in shown)
    references = ["message_reference" in call.args["json"] for call in discord.made(SEND)]
    assert references == [True] + [False] * (len(shown) - 1)


async def test_a_growing_answer_is_edited_with_tables_as_grids(discord, sender):
    table = "| a | b |\n|---|---|\n| 1 | 22 |\n"
    words = ["Look:\n\n", table, "\ndone"]
    await sender.deliver(to(discord), saying(*words, pause=0.4), Outbox())
    assert discord.shown(TEXT) == ["Look:\n\n```\na | b\n--+---\n1 | 22\n```\n\ndone"]
    assert len(discord.made(SEND)) == 1
    assert discord.made(EDIT)
    assert discord.made("POST /channels/#/typing")


async def test_without_streaming_an_answer_is_shown_once_when_it_is_complete(discord):
    adapter = built(discord, streaming="off")
    await adapter.sender.open()
    await adapter.sender.deliver(to(discord), saying("one ", "two", pause=0.4), Outbox())
    await adapter.sender.close()
    assert discord.shown(TEXT) == ["one two"]
    assert not discord.made(EDIT)


async def test_a_retraction_replaces_everything(discord, sender):
    async def taken_back():
        yield Text("something awful, " * 200)
        await asyncio.sleep(0.4)
        yield Retraction("I would rather not say that.")
        yield Finished()

    receipt = await sender.deliver(to(discord), taken_back(), Outbox())
    assert discord.shown(TEXT) == ["I would rather not say that."]
    assert len(receipt.messages) == 1


@pytest.mark.parametrize("fault", [DropAfterAccept(), Reset(), ServerError(503), TooMany(0.2)])
async def test_an_answer_is_shown_once_whatever_happens_to_the_call(discord, sender, fault):
    discord.script.on(SEND, fault)
    await sender.deliver(to(discord), saying("Hello"), Outbox())
    assert discord.shown(TEXT) == ["Hello"]
    assert len(discord.made(SEND)) <= 2


async def test_a_rate_limit_is_obeyed(discord, sender):
    discord.script.on(SEND, TooMany(0.5))
    await sender.deliver(to(discord), saying("Hello"), Outbox())
    first, second = (call.args["at"] for call in discord.made(SEND))
    assert second - first >= 0.5


async def test_a_failing_edit_does_not_cost_the_rest(discord, sender):
    discord.script.on(EDIT, Reset(), ServerError(503))
    await sender.deliver(to(discord), saying("one ", "two ", "three", pause=0.4), Outbox())
    assert discord.shown(TEXT) == ["one two three"]


async def test_an_answer_that_somebody_deleted_while_it_grew_is_posted_anew(discord, sender):
    async def interrupted():
        yield Text("one ")
        await discord.until(lambda: discord.shown(TEXT))
        discord.delete(TEXT, discord.history[TEXT][-1]["id"])
        yield Text("two")
        yield Finished()

    await sender.deliver(to(discord), interrupted(), Outbox())
    assert discord.shown(TEXT) == ["one two"]


@pytest.mark.parametrize("channel", [TEXT, "123"])
async def test_a_closed_or_deleted_channel_is_gone(discord, sender, channel):
    address = Address(conversation=place(channel), answers="1", key="turn1")
    discord.forbidden.add(TEXT)
    with pytest.raises(Gone, match="status 40"):
        await sender.deliver(address, saying("Hello"), Outbox())
    assert len(discord.made(SEND)) == 1


async def test_a_refused_body_is_not_tried_for_ever(discord, sender):
    discord.script.on(SEND, Refuse("50035"))
    with pytest.raises(Gone, match="status 400, code 50035"):
        await sender.deliver(to(discord), saying("Hello"), Outbox())


async def test_a_resumed_answer_edits_what_it_knows_and_deletes_what_is_too_much(discord, sender):
    address = to(discord)
    first = await sender.deliver(address, saying("word " * 700), Outbox())
    assert len(first.messages) == 2
    known = [Part(index=i, end=1, digest="?", id=id_) for i, id_ in enumerate(first.messages)]
    receipt = await sender.deliver(address, saying("short"), Outbox(*known))
    assert discord.shown(TEXT) == ["short"]
    assert receipt.messages == first.messages[:1]


@pytest.mark.parametrize("window", [300, 0])
async def test_an_answer_whose_id_was_lost_in_a_crash_is_found_again(discord, sender, window):
    address = to(discord)
    discord.nonce_window = window
    await sender.deliver(address, saying("half of"), Outbox())
    discord.say("someone else")
    receipt = await sender.deliver(address, saying("half of it"), Outbox(Part(index=0)))
    assert discord.shown(TEXT) == ["half of it"]
    assert len(receipt.messages) == 1


async def test_later_parts_are_found_behind_the_first_and_other_answers_are_left_alone(
    discord, sender
):
    other = Address(conversation=place(), answers=discord.say("?", channel=TEXT), key="turn0")
    address = to(discord)
    await sender.deliver(other, saying("another answer"), Outbox())
    text = "\n\n".join("word " * 200 for _ in range(5))
    first = await sender.deliver(address, saying(text), Outbox())
    await sender.deliver(replace(other, key="turn2"), saying("one more"), Outbox())
    discord.nonce_window = 0
    begun = [Part(index=0, id=first.messages[0]), Part(index=1), Part(index=2)]
    again = await sender.deliver(address, saying(text), Outbox(*begun))
    assert again.messages == first.messages
    assert len(discord.shown(TEXT)) == 2 + len(first.messages)


async def test_a_part_that_was_never_sent_is_not_taken_for_somebody_elses_answer(discord, sender):
    address = to(discord)
    other = Address(conversation=place(), answers=discord.say("?", channel=TEXT), key="turn2")
    first = await sender.deliver(address, saying("word " * 300), Outbox())
    await sender.deliver(other, saying("another answer"), Outbox())
    begun = [Part(index=0, id=first.messages[0]), Part(index=1)]
    await sender.deliver(address, saying("word " * 600), Outbox(*begun))
    assert len(discord.shown(TEXT)) == 3
    assert "another answer" in discord.shown(TEXT)


async def test_a_direct_answer_whose_id_was_lost_is_brought_up_to_date_by_its_nonce(
    discord, sender
):
    address = direct(discord)
    await sender.deliver(address, saying("half of"), Outbox())
    await sender.deliver(address, saying("half of it"), Outbox(Part(index=0)))
    assert discord.shown("7501") == ["half of it"]


async def test_in_a_direct_conversation_an_old_answer_is_never_overwritten(discord, sender):
    address = direct(discord)
    discord.nonce_window = 0
    discord.keep(discord.message("7501", "an answer to something earlier", person(ME)))
    await sender.deliver(address, saying("mine"), Outbox(Part(index=0)))
    assert discord.shown("7501") == ["an answer to something earlier", "mine"]


async def test_a_fresh_process_doubles_nothing_and_answers_what_was_missed(discord):
    marks, first, second = Marks(), Echo(), Echo()
    async with listening(discord, first, marks):
        for user in range(20):
            discord.say("before", user=str(600 + user))
        await discord.until(lambda: all(discord.shown(f"7{600 + n}") for n in range(20)))
    discord.gateway.forget()
    for user in range(20):
        discord.say("while down", user=str(600 + user))
    second.known = first.known
    began = asyncio.get_running_loop().time()
    async with listening(discord, second, marks):
        answers = ["re: before", "re: while down"]
        await discord.until(lambda: all(discord.shown(f"7{600 + n}") == answers for n in range(20)))
    assert asyncio.get_running_loop().time() - began < 3
