"""Typed lines as events, with plain values."""

import json

import pytest

from adapters.console.inbound import Offer, event_from
from bot.domain.conversation import Conversation
from bot.domain.events import CommandGiven, MessageReceived, Pressed, from_plain, to_plain
from bot.domain.replies import Button


def typed(line, number=1, at=1000.5, offer=None):
    return event_from(line, name="Ann", number=number, at=at, offer=offer or Offer())


def test_a_line_is_a_private_message_to_the_bot():
    event = typed("  when are you open?\n")
    assert isinstance(event, MessageReceived)
    assert (event.text, event.private, event.addressed) == ("when are you open?", True, True)
    assert (event.author.name, event.author.bot, event.at) == ("Ann", False, 1000.5)


def test_every_line_of_every_run_has_an_id_of_its_own_and_all_share_a_place():
    events = [typed("hi"), typed("hi", number=2), typed("hi", at=1000.500001), typed("/help")]
    assert len({event.id for event in events[:3]}) == 3
    assert len({event.conversation for event in events}) == 1


@pytest.mark.parametrize(
    ("line", "name", "words"),
    [
        ("/help", "help", ""),
        ("/HELP\r\n", "help", ""),
        ("/model big one", "model", "big one"),
        ("  /reset  ", "reset", ""),
    ],
)
def test_a_slash_and_a_letter_begin_a_command(line, name, words):
    event = typed(line)
    assert isinstance(event, CommandGiven)
    assert (event.name, event.words, event.private) == (name, words, True)


@pytest.mark.parametrize("line", ["/", "/ help", "/1", "//help", "help", "either/or", "\\help"])
def test_everything_else_is_a_message(line):
    assert isinstance(typed(line), MessageReceived)


@pytest.mark.parametrize("line", ["\ud800 and \0", "/help \udfff\0", "😀" * 5_000, "x" * 100_000])
def test_whatever_is_typed_can_be_stored(line):
    event = typed(line)
    assert from_plain(json.loads(json.dumps(to_plain(event)))) == event
    assert json.dumps(to_plain(event)).isascii()
    json.dumps(to_plain(event), ensure_ascii=False).encode()  # no lone surrogate is left
    assert Conversation.parse(str(event.conversation)) == event.conversation


OFFER = Offer(
    message="7",
    buttons=(Button(label="Yes", action="yes", value="a:b"), Button(label="No", action="no")),
)


def test_a_slash_and_a_number_press_a_button():
    event = typed(" /1 \n", offer=OFFER)
    assert isinstance(event, Pressed)
    assert (event.action, event.value, event.message) == ("yes", "a:b", "7")
    assert (event.private, event.author.user) == (True, "me")
    assert typed("/2", offer=OFFER).action == "no"
    assert from_plain(json.loads(json.dumps(to_plain(event)))) == event


@pytest.mark.parametrize("line", ["1", "/0", "/3", "/01", "/1 and more", "[/1] Yes"])
def test_whatever_names_no_button_is_a_message(line):
    assert isinstance(typed(line, offer=OFFER), MessageReceived)
