"""The search: what it finds, in which order, and when it gives up."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.backends.documents.library import Library
from bot.backends.documents.reading import BUNDLED, Entry, read, synonyms
from tests.unit.backends.documents.questions import (
    HELD_OUT,
    OFF_TOPIC,
    OFF_TOPIC_HELD_OUT,
    TUNING,
    Labelled,
)


def library(*entries: tuple[str, str], same: tuple[str, ...] = ()) -> Library:
    made = [Entry(path=("Shop", title), body=body, file="a.md") for title, body in entries]
    return Library(made, same)


SHOP = library(
    ("Parking", "Cars can stand behind the house."),
    ("Dogs", "They are welcome on a lead."),
    ("Opening hours", "From ten to six, on Sunday from noon."),
    ("Café", "Crème brûlée, and a lift to the terrace."),
    same=("car, automobile", "dog, puppy"),
)


def found(question: str, before: str = "", *, shop: Library = SHOP) -> str | None:
    """The title of the entry that answers, if one does."""
    matches = shop.search(question, before)
    return matches[0].entry.title if matches and matches[0].fit.answers else None


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Where is the parking?", "Parking"),
        ("PARKING", "Parking"),
        ("are dogs welcome?", "Dogs"),
        ("openning hours", "Opening hours"),
        ("cafe", "Café"),
        ("creme brulee?", "Café"),
        ("Where do automobiles go?", "Parking"),
        ("are puppies welcome", "Dogs"),
        ("Is there a lift to the terrace?", "Café"),
    ],
)
def test_questions_find_their_entry(question, title):
    assert found(question) == title


@pytest.mark.parametrize(
    "question",
    [
        "",
        "???",
        "what is it?",
        "elephants",
        "is my dog an elephant or a giraffe?",
        "7 8 9",
        '"',
        "a*b",
        "_ __",
    ],
)
def test_questions_without_an_answer_find_none(question):
    assert found(question) is None


def test_the_search_language_of_the_index_cannot_be_spoken():
    for attack in (
        'dog" OR "parking',
        "title: dog",
        "NEAR(dog parking)",
        "dog NOT dog",
        "{title}",
        "'",
    ):
        SHOP.search(attack)


def test_a_short_question_may_continue_the_one_before():
    assert found("and on Sundays?", "When are you open?") == "Opening hours"
    assert found("how much?", "Is there parking?") == "Parking"
    assert found("elephants?", "Is there parking?") is None


def test_a_full_question_stands_alone():
    before = " ".join(f"elephant{number}" for number in range(40))
    assert found("Is there a lift to the terrace and crème brûlée?", before) == "Café"


def test_a_near_miss_is_related_when_its_title_is_named():
    (match, *_) = SHOP.search("can my dog fly?")
    assert (match.entry.title, match.fit.answers, match.fit.related) == ("Dogs", False, True)


def test_any_thread_may_search():
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(found, "parking").result() == "Parking"


# -- how good the search is on the bundled handbook; see questions.py


@pytest.fixture(scope="module")
def handbook() -> Library:
    return Library(read(BUNDLED), synonyms(BUNDLED))


def measured(handbook: Library, questions: Labelled) -> tuple[float, float, float]:
    """Return the shares of questions with the right entry first, answered, and answered rightly."""
    first = [(matches[0] if (matches := handbook.search(q)) else None, t) for q, t in questions]
    right = [match is not None and match.entry.title in titles for match, titles in first]
    answered = [match is not None and match.fit.answers for match, _ in first]
    both = [a and b for a, b in zip(right, answered, strict=True)]
    return sum(right) / len(right), sum(answered) / len(right), sum(both) / len(right)


def test_questions_in_the_domain_are_answered(handbook):
    right, answered, both = measured(handbook, TUNING)
    assert right >= 0.92
    assert both >= 0.85
    assert both / answered >= 0.95


def test_questions_that_were_never_tuned_for_are_answered(handbook):
    right, answered, both = measured(handbook, HELD_OUT)
    assert right >= 0.82
    assert both >= 0.7
    assert both / answered >= 0.9


def test_off_topic_questions_are_not_answered(handbook):
    asked = OFF_TOPIC + OFF_TOPIC_HELD_OUT
    answered = [question for question in asked if found(question, shop=handbook)]
    assert len(answered) <= 0.02 * len(asked), answered


def test_an_off_topic_question_stays_unanswered_in_a_conversation(handbook):
    before = "What are your opening hours on Sundays?"
    answered = [question for question in OFF_TOPIC if found(question, before, shop=handbook)]
    assert len(answered) <= 0.02 * len(OFF_TOPIC), answered


def test_every_entry_of_the_handbook_is_found_by_its_own_title(handbook):
    lost = [
        entry.name
        for entry in handbook.entries
        if entry not in [match.entry for match in handbook.search(f"{entry.name}?")[:2]]
    ]
    assert lost == []
