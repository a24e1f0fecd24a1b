"""What an answer that was cut short is taken to have cost."""

from bot.core.draft import Draft
from bot.domain.dialogue import IMAGE_TOKENS, Image, Line, Prompt
from bot.domain.replies import Usage
from bot.ports.store import Turn
from tests.events import message


def draft():
    return Draft(Turn(id=1, lane="l", memory="l", epoch=0, event=message("hi")))


def test_nothing_was_asked_and_nothing_is_estimated():
    assert draft().estimate() == Usage()


def test_four_characters_are_a_token_and_a_picture_has_its_own():
    asked = draft()
    picture = Image(type="image/png", data=b"p")
    lines = (Line("system", "s" * 40), Line("user", "u" * 60))
    asked.asks("main", Prompt(lines=lines, images=(picture, picture)))
    asked.spoken = 80
    assert asked.estimate() == Usage(
        model="main", input_tokens=26 + 2 * IMAGE_TOKENS, output_tokens=21, estimated=True
    )
