"""Printing answers: as they come, and to a person with a prompt around them."""

import asyncio
import io
import sys
import time

import pytest

from adapters.console.descriptor import DESCRIPTOR
from adapters.console.inbound import PLACE
from adapters.console.settings import ConsoleSettings
from bot.core.health import Beat
from bot.domain.commands import Command
from bot.domain.conversation import Address
from bot.domain.replies import Button, Finished, Receipt, Retraction, Status, Text
from bot.ports.platform import Surroundings

TO = Address(conversation=PLACE, answers="7", person="me", private=True)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def sender(monkeypatch):
    """Build a sender as for a person, a pipe, or one message."""

    def build(*, person=False, **settings):
        monkeypatch.setattr(sys, "stdin", Terminal() if person else io.StringIO())
        surroundings = Surroundings(
            bot_name="Parley",
            streaming="edit",
            marks=None,
            pulse=Beat("test", time.time),
            secret=lambda _: "",
        )
        return DESCRIPTOR.build(ConsoleSettings(enabled=True, **settings), surroundings).sender

    return build


async def reply(*pieces):
    for piece in pieces:
        yield piece
    yield Finished()


async def shown(sender, capsys, *pieces):
    await sender.deliver(TO, reply(*pieces), None)
    return capsys.readouterr().out


async def test_words_are_printed_as_they_come(sender, capsys):
    spoken, gate = asyncio.Event(), asyncio.Event()

    async def growing():
        yield Text("one ")
        spoken.set()
        await gate.wait()
        yield Text("two")
        yield Finished()

    answering = asyncio.create_task(sender(once="?").deliver(TO, growing(), None))
    await spoken.wait()
    assert capsys.readouterr().out == "one "
    gate.set()
    await answering
    assert capsys.readouterr().out == "two\n"


async def test_one_answer_is_its_words_and_a_line_end(sender, capsys):
    assert await shown(sender(once="?"), capsys, Status(), Text("**Hi** "), Text("you")) == (
        "**Hi** you\n"
    )


async def test_piped_answers_are_parted_by_a_blank_line(sender, capsys):
    piped = sender()
    assert await shown(piped, capsys, Text("one")) == "one\n\n"
    assert await shown(piped, capsys, Text("two")) == "two\n\n"


async def test_a_person_sees_who_speaks_and_where_to_write(sender, capsys):
    screen = await shown(sender(person=True), capsys, Text("Hello"))
    assert screen.split() == ["parley>", "Hello", "you>"]
    assert screen.endswith("\nyou> ")


async def test_words_that_are_taken_back_are_said_to_be(sender, capsys):
    screen = await shown(sender(), capsys, Text("The code is 1234"), Retraction("I cannot say."))
    first, second = screen.strip().splitlines()
    assert first == "The code is 1234"
    assert "I cannot say." in second
    assert "taken back" in second


async def test_nothing_but_a_person_is_told_about_commands(sender, capsys):
    catalogue = (
        Command(name="help", about="What I can do"), Command(name="reset", about="Anew"),
        Command(name="why", about="Not for everybody", rank="moderator"),
    )  # fmt: skip
    await sender().publish(catalogue)
    await sender(once="?").publish(catalogue)
    assert capsys.readouterr().out == ""
    await sender(person=True).publish(catalogue)
    assert "/help /reset /quit" in capsys.readouterr().out


async def test_the_receipt_names_the_line_that_was_answered(sender):
    assert await sender().deliver(TO, reply(Text("hi")), None) == Receipt(("7",))
    nowhere = Address(conversation=PLACE)
    assert await sender().deliver(nowhere, reply(Text("hi")), None) == Receipt(())


async def test_opening_and_closing_costs_nothing(sender, capsys):
    console = sender(person=True)
    await console.open()
    await console.close()
    assert capsys.readouterr().out == ""


BUTTONS = (Button(label="Yes", action="yes"), Button(label="No", action="no"))


async def test_a_person_is_told_what_to_type_for_each_button(sender, capsys):
    screen = await shown(sender(person=True), capsys, Text("Sure?"), Finished(buttons=BUTTONS))
    assert "Sure?\n\n[/1] Yes\n[/2] No\n" in screen
    assert screen.endswith("\nyou> ")


@pytest.mark.parametrize("settings", [{}, {"once": "?"}, {"once": "?", "person": True}])
async def test_where_nobody_can_press_there_are_no_buttons(sender, capsys, settings):
    console = sender(**settings)
    screen = await shown(console, capsys, Text("Sure?"), Finished(buttons=BUTTONS))
    assert screen.strip() == "Sure?"
    assert console.offer.buttons == ()


async def test_what_the_bot_says_by_itself_answers_no_line(sender):
    console = sender()
    console.unanswered.begin()
    await console.deliver(Address(conversation=PLACE), reply(Text("by the way")), None)
    waiting = asyncio.create_task(console.unanswered.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    await console.deliver(TO, reply(Text("hi")), None)
    await waiting
