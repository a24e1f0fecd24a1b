"""What memory keeps of a message with files."""

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.attachments import noted, unnoted
from bot.domain.events import Attachment

FILES = (Attachment(name="a.pdf"), Attachment(name="b]\n.txt"))


@given(st.text().map(str.strip))
def test_what_is_noted_can_be_told_from_what_was_written(text):
    assert unnoted(noted(text, FILES)) == text
    assert noted(text, ()) == text


def test_names_are_safe_and_the_content_is_said_to_be_gone():
    assert noted("When?", FILES) == "When?\n\n[attached then, not shown any more: a.pdf, b .txt]"
    assert noted("", FILES[:1]) == "[attached then, not shown any more: a.pdf]"
