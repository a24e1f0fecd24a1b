"""Languages, as far as scripts and common words tell."""

import pytest

from bot.domain.languages import foreign, language, same_language, script

ENGLISH = "What is the price of this, and when do you open for the season?"
GERMAN = "Wie kann ich das zurückgeben, und was ist mit der Gebühr für die Post?"
FRENCH = "Quand est-ce que vous êtes ouverts, et pour quand est la livraison des produits?"
SPANISH = "¿Cuándo abren y cómo puedo devolver los zapatos que no me quedan?"


@pytest.mark.parametrize(
    ("text", "known"),
    [(ENGLISH, "en"), (GERMAN, "de"), (FRENCH, "fr"), (SPANISH, "es"), ("opening hours", ""), ("", "")],
)  # fmt: skip
def test_a_language_is_known_by_its_common_words(text, known):
    assert language(text) == known


@pytest.mark.parametrize(
    ("text", "name"),
    [("abc", "LATIN"), ("Как", "CYRILLIC"), ("你好", "CJK"), ("これは", "CJK"), ("カード", "CJK"),
     ("مرحبا", "ARABIC"), ("12 ?!", ""), ("", ""), ("a Привет", "CYRILLIC")],
)  # fmt: skip
def test_a_script_is_that_of_most_letters(text, name):
    assert script(text) == name


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (ENGLISH, ENGLISH, True),
        (ENGLISH, GERMAN, False),
        (ENGLISH, "Как вернуть товар?", False),
        ("你好吗", "これはペンです", True),  # Japanese may be written in Chinese signs alone
        ("price?", GERMAN, True),  # too short to tell
        ("42", "Как", True),
    ],
)
def test_only_what_surely_differs_is_two_languages(one, other, same):
    assert same_language(one, other) is same
    assert same_language(other, one) is same


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("are you open on sundays?", False),
        ("opening hours", False),
        ("QX7391Z", False),
        ("", False),
        ("habt ihr am Sonntag auf?", True),
        ("wo ist mein Paket", True),
        ("où est mon colis", True),
        ("где моя посылка", True),
        ("退货", True),
    ],
)
def test_even_a_short_question_may_be_foreign(text, other):
    assert foreign(text) is other
