"""Buttons as Discord's components."""

from adapters.discord.bubbles import rows
from bot.domain.replies import Button

LARGEST = Button(label="x" * 75, action="a" * 12, value="v" * 51)


def test_a_row_has_five_buttons_at_most():
    buttons = [Button(label=str(n), action="pick", value=str(n)) for n in range(12)]
    shown = rows(buttons)
    assert [len(row["components"]) for row in shown] == [5, 5, 2]
    labels = [button["label"] for row in shown for button in row["components"]]
    assert labels == [str(n) for n in range(12)]


def test_the_largest_button_fits():
    ((button,),) = [row["components"] for row in rows([LARGEST])]
    assert len(button["label"]) <= 80
    assert len(button["custom_id"]) <= 100


def test_no_buttons_are_no_rows():
    assert rows(()) == []
