"""Buttons as Telegram's inline keyboard."""

from adapters.telegram.bubbles import keyboard
from bot.domain.replies import Button


def test_each_button_has_a_row_of_its_own():
    buttons = [Button(label=label, action="rate", value=label) for label in ("Good", "Bad")]
    assert keyboard(buttons) == {
        "reply_markup": {
            "inline_keyboard": [
                [{"text": "Good", "callback_data": "rate:Good"}],
                [{"text": "Bad", "callback_data": "rate:Bad"}],
            ]
        }
    }


def test_the_largest_button_fits():
    largest = Button(label="x", action="a" * 12, value="é" * 25)
    ((button,),) = keyboard([largest])["reply_markup"]["inline_keyboard"]
    assert len(button["callback_data"].encode()) <= 64


def test_without_buttons_nothing_is_said_of_them():
    assert keyboard(()) == {}
