"""Reading lines: from a pipe one after another, from a person as they come."""

import asyncio
import io
import sys
import time

import pytest

from adapters.console.descriptor import DESCRIPTOR
from adapters.console.settings import ConsoleSettings
from bot.core.health import Beat
from bot.domain.conversation import Address
from bot.domain.events import CommandGiven
from bot.domain.replies import Finished, Text
from bot.ports.platform import Surroundings


class Screen(io.StringIO):
    """An input that says whether it is a terminal."""

    def __init__(self, text, *, terminal):
        super().__init__(text)
        self.terminal = terminal

    def isatty(self):
        return self.terminal


class Core:
    """Takes lines, and answers them when it is told to."""

    def __init__(self, *, concerned=True):
        self.events = []
        self.concerned = concerned
        self.sender = None

    async def accept(self, event):
        self.events.append(event)
        return self.concerned

    async def answer(self, event):
        async def reply():
            yield Text(f"re: {said(event)}")
            yield Finished()

        to = Address(conversation=event.conversation, answers=event.message, private=True)
        await self.sender.deliver(to, reply(), None)

    async def until(self, count):
        async with asyncio.timeout(5):
            while len(self.events) < count:
                await asyncio.sleep(0.002)


class Prompt(Core):
    """Answers each line at once."""

    async def accept(self, event):
        await super().accept(event)
        asyncio.get_running_loop().create_task(self.answer(event))
        return True


def said(event):
    return f"/{event.name}" if isinstance(event, CommandGiven) else event.text


@pytest.fixture
def reads(monkeypatch):
    """Listen to a text as the engine does; returns the task and the core."""

    def listen(text, core=None, *, terminal=False, pulse=None, **settings):
        monkeypatch.setattr(sys, "stdin", Screen(text, terminal=terminal))
        surroundings = Surroundings(
            bot_name="Parley",
            streaming="edit",
            marks=None,
            pulse=pulse or Beat("test", time.time),
            secret=lambda _: "",
        )
        adapter = DESCRIPTOR.build(ConsoleSettings(enabled=True, **settings), surroundings)
        core = core or Core()
        core.sender = adapter.sender
        return asyncio.create_task(adapter.receiver.listen(core)), core

    return listen


async def test_a_piped_line_waits_for_the_answer_to_the_line_before(reads):
    listening, core = reads("one\ntwo\nthree\n")
    for count in (1, 2, 3):
        await core.until(count)
        await asyncio.sleep(0.01)
        assert [said(event) for event in core.events] == ["one", "two", "three"][:count]
        assert not listening.done()
        await core.answer(core.events[-1])
    await asyncio.wait_for(listening, 5)


async def test_piped_answers_stand_in_the_order_of_the_questions(reads, capsys):
    listening, _ = reads("one\n/help\n\n   \nlast, without a line end", Prompt())
    await asyncio.wait_for(listening, 5)
    assert capsys.readouterr().out.split("\n\n") == [
        "re: one", "re: /help", "re: last, without a line end", "",
    ]  # fmt: skip


async def test_a_terminal_is_heard_as_soon_as_it_is_read(reads):
    beat = Beat("console", time.time)
    listening, core = reads("one\n", pulse=beat)
    await core.until(1)

    assert beat.reason == ""
    await core.answer(core.events[-1])
    await asyncio.wait_for(listening, 5)


async def test_an_empty_input_ends_at_once(reads, capsys):
    listening, core = reads("")
    await asyncio.wait_for(listening, 5)
    assert (core.events, capsys.readouterr().out) == ([], "")


@pytest.mark.parametrize("word", ["/quit", "/exit", "/bye", " /QUIT "])
async def test_who_leaves_is_not_read_any_further(reads, word):
    listening, core = reads(f"one\n{word}\ntwo\n", Prompt())
    await asyncio.wait_for(listening, 5)
    assert [said(event) for event in core.events] == ["one"]


@pytest.mark.parametrize("terminal", [True, False])
async def test_one_message_given_beforehand_is_the_only_one(reads, capsys, terminal):
    listening, core = reads("typed\n", Prompt(), terminal=terminal, once="given")
    await asyncio.wait_for(listening, 5)
    assert [said(event) for event in core.events] == ["given"]
    assert capsys.readouterr().out == "re: given\n"


async def test_a_person_may_type_ahead_and_sees_all_answers_before_the_end(reads, capsys):
    listening, core = reads("one\ntwo\n", terminal=True)
    await core.until(2)
    assert not listening.done()
    await core.answer(core.events[0])
    await asyncio.sleep(0.01)
    assert not listening.done()
    await core.answer(core.events[1])
    await asyncio.wait_for(listening, 5)
    screen = capsys.readouterr().out
    assert screen.index("re: one") < screen.index("re: two")


async def test_the_name_is_the_one_that_was_given_or_that_of_the_account(reads, monkeypatch):
    monkeypatch.setenv("LOGNAME", "bob")
    for settings, name in (({"name": "Ann"}, "Ann"), ({}, "bob")):
        listening, core = reads("hi\n", Prompt(), **settings)
        await asyncio.wait_for(listening, 5)
        assert core.events[0].author.name == name


async def test_a_line_that_the_core_does_not_want_is_not_waited_for(reads):
    listening, core = reads("one\ntwo\n", Core(concerned=False))
    await asyncio.wait_for(listening, 2)
    assert [said(event) for event in core.events] == ["one", "two"]
