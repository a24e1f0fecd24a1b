"""A button is made only if every platform can carry it."""

import pytest

from bot.domain.replies import Button


@pytest.mark.parametrize(
    ("label", "action", "value"),
    [("x" * 75, "a" * 12, "v" * 51), ("é", "why", ""), ("A person, please", "ask_person", "a:b.c")],
)
def test_what_fits_everywhere_is_a_button(label, action, value):
    button = Button(label=label, action=action, value=value)
    assert button.data == f"{action}:{value}"


@pytest.mark.parametrize(
    ("label", "action", "value"),
    [
        ("", "why", "1"),
        (" \n", "why", "1"),
        ("x" * 76, "why", "1"),
        ("Why?", "", "1"),
        ("Why?", "Why", "1"),
        ("Why?", "why:", "1"),
        ("Why?", "why.2", "1"),
        ("Why?", "why\n", "1"),
        ("Why?", "a" * 13, "1"),
        ("Why?", "a" * 12, "v" * 52),
        ("Why?", "why", "é" * 31),
        ("Why?", "why", "\ud800"),
    ],
)
def test_what_some_platform_would_refuse_is_an_error_of_ours(label, action, value):
    with pytest.raises(ValueError, match=r".+"):
        Button(label=label, action=action, value=value)
