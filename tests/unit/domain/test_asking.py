"""Words of questions."""

import pytest

from bot.domain.asking import (
    MOST_WORDS,
    Vocabulary,
    carries_topic,
    continues,
    leans,
    one_slip,
    plain,
    words,
)


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


@pytest.mark.parametrize(
    ("asked", "topic", "goes_on"),
    [
        ("how much", 0, True),
        ("and then", 0, True),
        ("what is it about now", 0, False),  # long, and about nothing
        ("", 0, False),
        ("number 42", 0, False),
        ("on sundays", 1, True),
        ("on sundays in december", 2, True),
        ("on sundays in december with children", 3, False),
    ],
)
def test_a_short_question_may_go_on_with_the_one_before(asked, topic, goes_on):
    assert continues(asked.split(), topic) is goes_on


@pytest.mark.parametrize(
    ("question", "back"),
    [
        ("is it washable?", True),
        ("and on Sundays?", True),
        ("und am Sonntag?", True),
        ("what about children under twelve?", True),
        ("how much?", True),
        ("do they ship their heavy furniture abroad without customs papers?", False),
        ("which opening hours apply during Easter holidays?", False),
        ("", False),
        ("android phones with chargers included?", False),  # it does not begin with "and"
    ],
)
def test_a_question_points_back_by_its_words(question, back):
    assert leans(question) is back


def test_a_short_prefix_is_joined_to_its_word_and_a_long_one_is_not():
    assert plain("e-mail, T-shirt and well-known Wi-Fi - yes") == (
        "email, Tshirt and well-known WiFi - yes"
    )
