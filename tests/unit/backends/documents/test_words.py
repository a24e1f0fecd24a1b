"""Words of questions."""

import pytest

from bot.backends.documents.words import MOST_WORDS, Vocabulary, carries_topic, one_slip, words


def test_words_are_distinct_and_in_order():
    assert words("Return, return the T-shirt by e-mail!") == [
        "return",
        "the",
        "tshirt",
        "by",
        "email",
    ]


def test_a_pasted_page_is_not_searched_whole():
    assert len(words(" ".join(map(str, range(1000))))) == MOST_WORDS


@pytest.mark.parametrize(
    ("word", "topic"), [("returns", True), ("please", False), ("what", False), ("42", False)]
)
def test_common_words_and_numbers_say_nothing_about_the_topic(word, topic):
    assert carries_topic(word) is topic


@pytest.mark.parametrize(
    ("typed", "meant", "slip"),
    [
        ("retrun", "return", True),
        ("shiping", "shipping", True),
        ("shippping", "shipping", True),
        ("warrenty", "warranty", True),
        ("return", "return", False),
        ("retrnu", "turner", False),
        ("", "a", True),
        ("ab", "ba", True),
        ("abc", "cba", False),
    ],
)
def test_one_slip_of_the_fingers(typed, meant, slip):
    assert one_slip(typed, meant) is slip


def test_only_long_words_are_corrected_and_only_to_known_ones():
    vocabulary = Vocabulary(["Returns and shipping of a reserved coat"])
    assert vocabulary.meant("shiping") == "shipping"
    assert vocabulary.meant("retrns") == "returns"
    assert vocabulary.meant("coad") is None
    assert vocabulary.meant("elephant") is None
    assert vocabulary.meant("123456") is None
