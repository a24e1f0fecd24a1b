"""What of a message is judged, and what stays of it."""

from dataclasses import replace

import pytest

from bot.core.moderation.samples import cleaned, judged_text, within, without
from bot.domain.events import Attachment
from bot.domain.moderation import Finding
from tests.events import message

EVENT = replace(
    message("third", quoted="quoted"),
    before=(("1", "first"), ("2", "second")),
    attachments=(Attachment(name="file.txt"), Attachment(name="last.txt")),
)
TEXT = "first\nsecond\nthird\nquoted\nfile.txt\nlast.txt"


def found(*spans):
    return Finding(category="hate", score=1.0, guard="local", spans=spans)


def words(event):
    return [*(text for _, text in event.before), event.text, event.quoted,
            *(file.name for file in event.attachments)]  # fmt: skip


def test_all_words_that_the_model_would_see_are_judged():
    assert judged_text(EVENT) == TEXT


@pytest.mark.parametrize("word", TEXT.split("\n"))
def test_what_is_found_goes_from_where_it_stands_and_nowhere_else(word):
    start = TEXT.index(word)

    changed = without(EVENT, (found((start, start + len(word))),))

    assert words(changed) == ["[…]" if one == word else one for one in TEXT.split("\n")]


def test_a_span_over_several_texts_goes_from_each():
    changed = without(EVENT, (found((3, len("first\nsecond\nth"))),))

    assert words(changed)[:3] == ["fir[…]", "[…]", "[…]ird"]


def test_a_span_of_a_message_that_begins_with_nothing_lies_where_the_guard_saw_it():
    event = message("", quoted="vile words")

    changed = without(event, (found((0, 4)),))

    assert (changed.text, changed.quoted) == ("", "[…] words")


def test_a_finding_without_a_place_takes_all_words():
    assert set(words(without(EVENT, (found(),)))) == {"[…]"}


def test_spans_elsewhere_are_no_findings_here():
    assert within((found((0, 3)), found()), 5, 9) == (found(),)
    assert within((found((4, 7)),), 5, 9) == (found((0, 2)),)


def test_what_nobody_sees_is_not_judged_and_not_asked():
    event = message("vi\u200ble", quoted="wo\u202erds")

    assert words(cleaned(event)) == ["vile", "words"]
    assert cleaned(EVENT) is EVENT
