"""Which passage fits, and whether it covers enough of a question."""

import pytest

from bot.domain.coverage import CANDIDATES, Fit, Word, candidates, fits, information


def word(weight, *passages, titles=()):
    return Word(weight, frozenset(passages), frozenset(titles))


def ordered(*topic, found=(1, 2, 3), ranks=None, titles=None):
    return fits(topic, found, ranks or {}, lambda id: (titles or {}).get(id, "Returns"))


def test_the_rarer_a_word_the_more_it_tells_and_one_nobody_has_most():
    told = [information(having, 100) for having in (0, 1, 50, 100)]
    assert told == sorted(told, reverse=True)
    assert told[-1] > 0


def test_passages_with_more_of_a_question_are_looked_at_first():
    assert candidates([word(1.0, 1, 2), word(2.0, 2, 3), word(0.1, 3)]) == [2, 3, 1]
    assert candidates([word(1.0, 1, 2, titles=[2])]) == [2, 1]
    assert candidates([]) == []
    assert len(candidates([word(1.0, *range(CANDIDATES * 2))])) == CANDIDATES


def test_a_word_that_no_document_knows_weighs_against_an_answer():
    (fit, *_) = ordered(word(1.0, 1), word(5.0), found=[1])
    assert (fit.found, fit.coverage) == (1, pytest.approx(1 / 6))
    assert not fit.answers


def test_what_covers_more_comes_first_then_what_has_it_in_its_title():
    topic = (word(1.0, 1, 2, 3, titles=[3]), word(1.0, 2, 3))
    assert [fit.passage for fit in ordered(*topic)] == [3, 2, 1]


def test_a_rank_only_decides_among_equals():
    topic = (word(1.0, 1, 2), word(1.0, 3), word(1.0, 3))
    assert [fit.passage for fit in ordered(*topic, ranks={1: 0.5, 2: 1.0})] == [3, 2, 1]


def test_a_title_that_is_named_whole_counts_more_than_a_part_of_one():
    titles = {1: "Returns of shoes and hats", 2: "Returns"}
    topic = (word(1.0, 1, 2, titles=[1, 2]),)
    assert [fit.passage for fit in ordered(*topic, found=[1, 2], titles=titles)] == [2, 1]


@pytest.mark.parametrize(
    ("found", "coverage", "answers"),
    [(2, 0.5, True), (2, 0.49, False), (1, 0.5, False), (1, 0.65, True), (0, 0.0, False)],
)
def test_one_word_has_to_cover_more_than_several(found, coverage, answers):
    fit = Fit(passage=1, found=found, titled=0, coverage=coverage, score=1.0)
    assert fit.answers is answers
    assert not fit.related


@pytest.mark.parametrize(("titled", "coverage", "related"), [(1, 0.3, True), (1, 0.2, False)])
def test_what_is_named_in_a_title_is_worth_a_mention(titled, coverage, related):
    assert Fit(passage=1, found=1, titled=titled, coverage=coverage, score=1.0).related is related


def test_no_words_fit_nothing():
    (fit,) = ordered(found=[1])
    assert (fit.coverage, fit.answers, fit.related) == (0.0, False, False)
