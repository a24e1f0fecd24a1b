"""One answer, also when the process died before it knew the message and Discord forgot the nonce."""

from dataclasses import replace

import pytest

from bot.domain.conversation import Address, Conversation
from bot.domain.replies import Part
from tests.fakes.discord import GUILD, ME, TEXT, THREAD, FakeDiscord, person
from tests.fakes.script import Refuse
from tests.integration.discord_rig import Outbox, built, saying

SEND = "POST /channels/#/messages"
READ = "GET /channels/#/messages"
DIRECT = "7501"
LONG = "\n\n".join("word " * 180 for _ in range(5))
PLACES = {
    DIRECT: Conversation(platform="discord", channel=DIRECT),
    TEXT: Conversation(platform="discord", workspace=GUILD, channel=TEXT),
    THREAD: Conversation(platform="discord", workspace=GUILD, channel=TEXT, thread=THREAD),
}
everywhere = pytest.mark.parametrize("place", PLACES, ids=["direct", "channel", "thread"])


@pytest.fixture
async def discord():
    async with FakeDiscord() as fake:
        fake.direct("501")
        yield fake


@pytest.fixture
async def sender(discord):
    adapter = built(discord)
    await adapter.sender.open()
    yield adapter.sender
    await adapter.sender.close()


def ask(discord, place, key="turn1"):
    question = discord.say("a question", channel="" if place == DIRECT else place)
    return Address(conversation=PLACES[place], answers=question, key=key)


class Amnesia(Outbox):
    """The journal of a process that was killed: it knows `told` ids, and that more was begun."""

    def __init__(self, receipt, told, begun):
        ids = [*receipt.messages[:told], *[""] * (begun - told)]
        super().__init__(*(Part(index=index, id=id_) for index, id_ in enumerate(ids)))
        self.resumed = True


async def killed(discord, sender, address, text, left):
    """Send an answer of which only the first `left` messages reached Discord."""
    receipt = await sender.deliver(address, saying(text), Outbox())
    channel = address.conversation.thread or address.conversation.channel
    for id_ in receipt.messages[left:]:
        discord.delete(channel, id_)
    discord.nonce_window = 0
    return receipt


@everywhere
@pytest.mark.parametrize("begun", [0, 1])
async def test_an_answer_of_which_nothing_was_noted_is_shown_once(discord, sender, place, begun):
    address = ask(discord, place)
    receipt = await killed(discord, sender, address, "an answer", 1)
    discord.say("somebody goes on", channel="" if place == DIRECT else place)
    again = await sender.deliver(address, saying("an answer"), Amnesia(receipt, 0, begun))
    assert discord.shown(place) == ["an answer"]
    assert again == receipt


@everywhere
@pytest.mark.parametrize(
    ("left", "told", "begun"), [(3, 3, 3), (3, 1, 2), (3, 0, 3), (2, 1, 2), (1, 0, 1)]
)
async def test_an_answer_of_several_parts_goes_on_at_the_missing_one(
    discord, sender, place, left, told, begun
):  # fmt: skip
    address = ask(discord, place)
    receipt = await killed(discord, sender, address, LONG, left)
    assert len(receipt.messages) == 3
    discord.keep(discord.message(place, "a notice of the bot", person(ME)))
    posted = len(discord.made(SEND))
    again = await sender.deliver(address, saying(LONG), Amnesia(receipt, told, begun))
    assert again.messages[:left] == receipt.messages[:left]
    assert len(discord.made(SEND)) - posted == 3 - left
    shown = [text for text in discord.shown(place) if text != "a notice of the bot"]
    assert " ".join(" ".join(shown).split()) == " ".join(LONG.split())
    assert "a notice of the bot" in discord.shown(place)


@everywhere
async def test_the_answers_to_other_questions_are_never_touched(discord, sender, place):
    for number in range(3):
        before = ask(discord, place, f"before{number}")
        await sender.deliver(before, saying(f"before {number}"), Outbox())
    address = ask(discord, place)
    between = ask(discord, place, "between")
    await sender.deliver(between, saying("between"), Outbox())
    discord.nonce_window = 0
    await sender.deliver(address, saying("mine"), Outbox(Part(index=0)))
    assert discord.shown(place) == ["before 0", "before 1", "before 2", "between", "mine"]


@everywhere
async def test_an_answer_is_found_behind_hundreds_of_messages(discord, sender, place):
    address = ask(discord, place)
    for number in range(250):
        discord.say(str(number), channel="" if place == DIRECT else place)
    receipt = await killed(discord, sender, address, "an answer", 1)
    await sender.deliver(address, saying("an answer"), Amnesia(receipt, 0, 1))
    assert discord.shown(place) == ["an answer"]
    assert len(discord.made(READ)) == 3


async def test_a_second_answer_to_a_question_goes_on_with_its_own_parts(discord, sender):
    first = ask(discord, TEXT)
    await sender.deliver(first, saying(LONG), Outbox())
    again = replace(first, key="retry")
    second = await killed(discord, sender, again, LONG, 2)
    resumed = await sender.deliver(again, saying(LONG), Amnesia(second, 0, 2))
    assert resumed.messages[:2] == second.messages[:2]
    assert len(discord.shown(TEXT)) == 6


async def test_only_the_first_part_replies_and_notifies(discord, sender):
    await sender.deliver(ask(discord, DIRECT), saying(LONG), Outbox())
    bodies = [call.args["json"] for call in discord.made(SEND)]
    assert ["message_reference" in body for body in bodies] == [True, False, False]
    assert [bool(body["flags"] & 4096) for body in bodies] == [False, True, True]


async def test_the_question_may_be_gone_when_the_answer_comes(discord, sender):
    address = ask(discord, DIRECT)
    discord.delete(DIRECT, address.answers)
    await sender.deliver(address, saying("an answer"), Outbox())
    assert discord.shown(DIRECT) == ["an answer"]


async def test_a_channel_that_may_not_be_read_back_is_answered_all_the_same(discord, sender):
    address = ask(discord, TEXT)
    discord.script.on(READ, Refuse("50001", 403))
    await sender.deliver(address, saying("an answer"), Outbox(Part(index=0)))
    assert discord.shown(TEXT) == ["an answer"]


async def test_of_several_replies_to_one_message_none_is_taken_for_another(discord, sender):
    first = replace(ask(discord, TEXT, "one"), several=True)
    await sender.deliver(first, saying("one"), Outbox())
    second, cut_short = replace(first, key="two"), Outbox()
    cut_short.resumed = True
    for _ in range(2):  # the second time Discord knows it by its nonce
        await sender.deliver(second, saying("two"), cut_short)
        cut_short.parts.clear()
    assert discord.shown(TEXT) == ["one", "two"]
