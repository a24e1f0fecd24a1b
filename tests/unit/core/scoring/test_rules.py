"""What rules prefer in an answer, and what they must not punish."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.scoring import RulesScorer
from bot.domain.chains import BestOfSettings
from bot.domain.dialogue import Line, Material, Prompt
from bot.domain.languages import same_language

ASKED = Prompt(lines=(Line("user", "When are you open, and is it the same in the holidays?"),))
GOOD = "We are open from 9 to 5, and it is the same in the holidays."


async def scores(*candidates, prompt=ASKED, **settings):
    found = await RulesScorer(BestOfSettings(**settings)).score(prompt, candidates)
    assert found.by == "rules"
    return found.scores


async def test_an_answer_that_keeps_every_rule_has_all():
    assert await scores(GOOD, must=("open",), must_not=("guarantee",)) == (1.0,)


@pytest.mark.parametrize(
    ("worse", "settings"),
    [
        ("We guarantee it.", {"must_not": ("guarantee",)}),
        ("We are not.", {"must": ("open",)}),
        ("As an AI language model I have no hours.", {}),
        ("I'm sorry, but I can't help with that.", {}),
        ("I am unable to assist you with this.", {}),
        ("Als KI habe ich dazu keine Angaben.", {}),
        ("Wir sind von 9 bis 5 da, und das ist in den Ferien auch so, wie Sie wissen.", {}),
        ("Мы открыты с девяти до пяти.", {}),
        ("Yes.", {"shortest": 10}),
        (f"{GOOD} " * 10, {"longest": 100}),
        ("", {}), ("  \n", {}),
    ],
)  # fmt: skip
async def test_what_breaks_a_rule_has_less(worse, settings):
    good, bad = await scores(GOOD, worse, **settings)

    assert good > bad


@pytest.mark.parametrize(
    "fine",
    ["The AI Act is a law of the EU.", "Sorry to hear that you waited; we are open now.",
     "I can do that for you.", "9 to 5"],
)  # fmt: skip
async def test_what_only_looks_like_a_refusal_is_fine(fine):
    assert await scores(fine) == (1.0,)


async def test_sources_are_to_be_cited_where_there_are_some():
    with_sources = Prompt(lines=ASKED.lines, material=Material(documents="[1] Hours: 9 to 5"))

    cited, bare = await scores(f"{GOOD} [1]", GOOD, prompt=with_sources)

    assert (cited, bare < cited) == (1.0, True)
    assert await scores(GOOD) == (1.0,)


async def test_the_language_is_that_of_the_question_whatever_the_documents_are_written_in():
    question = "Wie lange ist das Geschäft offen, und ist es auch in den Ferien so?"
    prompt = Prompt(
        lines=(Line("user", f"{GOOD} And this is what the house says of it.\n\n{question}"),),
        material=Material(question=question),
    )

    german, english = await scores(
        "Es ist von 9 bis 5 offen, und das ist auch in den Ferien so.", GOOD, prompt=prompt
    )

    assert german > english


async def test_a_forbidden_word_weighs_more_than_a_missing_citation_and_a_wrong_length():
    with_sources = Prompt(lines=ASKED.lines, material=Material(documents="[1] Hours"))

    forbidden, plain = await scores(
        f"{GOOD} [1] guaranteed", "no", prompt=with_sources, must_not=("guaranteed",), shortest=5
    )

    assert plain > forbidden


@given(st.text(), st.text(), st.lists(st.text(), max_size=3))
async def test_every_score_lies_between_0_and_1(question, answer, words):
    prompt = Prompt(lines=(Line("user", question),))

    (score,) = await scores(answer, prompt=prompt, must=tuple(words), must_not=tuple(words))

    assert 0 <= score <= 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("What is the price of this?", "It is the best in town and you can have it.", True),
        ("What is the price of this?", "Das ist nicht billig, und ich habe es für Sie.", False),
        ("Wie ist das?", "ok", True), ("hello", "bonjour", True), ("東京", "とうきょう", True),
        ("こんにちは", "hello there", False), ("123", "привет", True), ("", "", True),
        ("Où est la gare et quand est le train?", "La plaza y el centro no son lo que es la estación.", False),
    ],
)  # fmt: skip
def test_languages_are_told_apart_only_where_that_is_sure(one, other, same):
    assert same_language(one, other) is same
    assert same_language(other, one) is same
