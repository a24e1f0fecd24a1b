"""Buttons on Telegram: the real SDK on a fake Bot API."""

import asyncio

import pytest

from bot.domain.replies import Button, Finished
from tests.fakes.script import Refuse
from tests.fakes.telegram import FakeTelegram
from tests.integration.telegram_rig import Outbox, address, answer, reply, sending

OLD, NEW = -5, -1005
ASK = Button(label="Talk to a person", action="person", value="7")
END = Finished(buttons=(ASK,))


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


def below(fake, chat):
    shown = fake.shown(chat)
    return [[button["callback_data"] for button in message.buttons] for message in shown]


@pytest.mark.parametrize("refusals", [0, 1, 2])
async def test_buttons_stay_when_telegram_takes_only_plainer_text(fake, sender, refusals):
    refused = Refuse("Bad Request: can't parse entities: Unexpected end")
    fake.script.on("editMessageText", *[refused] * refusals)
    await answer(sender, address(), "one **word**", END)
    assert below(fake, 42) == [[ASK.data]]


async def test_buttons_that_are_there_already_are_no_trouble(fake, sender):
    outbox = Outbox()
    await answer(sender, address(), "hello", END, outbox=outbox)
    await answer(sender, address(), "hello", END, outbox=Outbox(outbox.known, resumed=True))
    assert below(fake, 42) == [[ASK.data]]


async def test_an_answer_whose_group_moves_has_its_buttons_in_the_new_one(fake, sender):
    gate = asyncio.Event()
    to = address(OLD, private=False, answers="1")
    growing = asyncio.create_task(
        sender.deliver(to, reply("One. ", "Two.", END, gate=gate), Outbox())
    )
    await fake.until(lambda: [message.text for message in fake.shown(OLD)] == ["One. "])
    fake.chats.migrated[OLD] = NEW
    gate.set()
    await growing
    assert below(fake, NEW) == [[ASK.data]]
    assert below(fake, OLD) == [[]]
