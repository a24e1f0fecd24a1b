"""The best of several: which one is heard, what a failure costs, what a resume draws again."""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.models.best_of import BestOf, Drawing
from bot.domain.dialogue import Line, Prompt
from bot.domain.errors import ContextTooLong, ModelError, OverBudget, StoreBusy
from bot.domain.replies import Usage
from bot.ports.scorer import Scored
from tests.unit.core.models.keeping import Kept, Killed, Said, told

ASKED = Prompt(lines=(Line("user", "why?"),), person="fake::ann")


@dataclass
class Points:
    """A scorer that knows its points by text."""

    points: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    async def score(self, prompt, candidates):
        self.asked.append(list(candidates))
        usage = Usage(model="judge", input_tokens=1, output_tokens=1)
        scores = tuple(self.points.get(text.strip(), 0.0) for text in candidates)
        return Scored(scores=scores, by="model", usage=usage)


async def admitted(prompt):
    """Let every answer pass."""


def best_of(models, scorer=None, kept=None, count=3, patience_s=5.0, admit=admitted):
    drawing = Drawing(
        count=count, models=models, scorer=scorer or Points(), patience_s=patience_s, admit=admit
    )
    return BestOf(drawing, kept or Kept())


async def test_the_best_is_heard_and_all_are_counted():
    models = [Said(["one"]), Said(["two two"], name="big"), Said(["three"])]
    kept = Kept()

    words, ended = await told(best_of(models, Points({"two two": 0.9, "one": 0.5}), kept), ASKED)

    assert words == "two two"
    assert (ended.usage.model, ended.usage.input_tokens, ended.usage.output_tokens) == (
        "big",
        31,
        5,
    )
    assert [(name, more["score"]) for name, _, more in kept.notes["candidates"]] == [
        ("1", 0.5), ("2", 0.9), ("3", 0.0),
    ]  # fmt: skip
    assert kept.steps["chosen"]["number"] == 2


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5]), min_size=2, max_size=5))
async def test_of_equals_the_first_is_taken(points):
    models = [Said([f"answer{number}"]) for number in range(len(points))]
    scorer = Points({f"answer{number}": score for number, score in enumerate(points)})

    words, _ = await told(best_of(models, scorer, count=len(points)), ASKED)

    assert words == f"answer{points.index(max(points))}"


async def test_models_are_taken_in_turn_and_one_call_is_the_message():
    models = [Said(["a"]), Said(["b"])]

    await told(best_of(models, count=3), ASKED)

    assert [len(model.asked) for model in models] == [2, 1]
    prompts = [*models[0].asked, *models[1].asked]
    assert {prompt.purpose for prompt in prompts} == {"candidate"}
    assert sorted(prompt.counted for prompt in prompts) == [False, False, True]


@pytest.mark.parametrize("error", [ModelError("down"), OverBudget("no"), ContextTooLong("long")])
async def test_one_that_fails_does_not_fail_the_answer(error):
    models = [Said(["one"]), Said([error]), Said(["three"])]
    scorer = Points({"three": 1.0})

    words, _ = await told(best_of(models, scorer), ASKED)

    assert words == "three"
    assert [[text.strip() for text in texts] for texts in scorer.asked] == [["one", "three"]]


async def test_a_message_that_no_budget_allows_ends_all_calls():
    slow = Slow()

    with pytest.raises(OverBudget):
        await told(best_of([Said([OverBudget("no message left")]), slow], count=2), ASKED)

    assert slow.closed


async def test_an_answer_that_no_budget_allows_is_not_begun_and_one_that_was_goes_on():
    models = [Said(["one"]), Said(["two"])]

    async def refuse(prompt):
        raise OverBudget("no message left")

    with pytest.raises(OverBudget):
        await told(best_of(models, count=2, admit=refuse), ASKED)
    assert [model.asked for model in models] == [[], []]

    kept = Kept(breaks="candidate 1")
    with pytest.raises(Killed):
        await told(best_of(models[:1], kept=kept, count=1), ASKED)
    kept.breaks = ""
    words, _ = await told(best_of(models, kept=kept, count=2, admit=refuse), ASKED)
    assert words == "one"


async def test_half_an_answer_is_none():
    half = Said(["half"], reason="interrupted")

    words, _ = await told(best_of([half, Said(["whole"])], Points({"half": 1.0}), count=2), ASKED)

    assert words == "whole"


async def test_the_only_one_left_needs_no_judge():
    scorer = Points()

    words, _ = await told(
        best_of([Said([ModelError("down")]), Said(["two"])], scorer, count=2), ASKED
    )

    assert (words, scorer.asked) == ("two", [])


@pytest.mark.parametrize(
    ("errors", "raised"),
    [
        ((ModelError("a"), ModelError("b")), ModelError),
        ((ModelError("a"), ContextTooLong("b")), ContextTooLong),
        ((OverBudget("a"), OverBudget("b")), OverBudget),
    ],
)
async def test_when_all_fail_the_answer_does(errors, raised):
    with pytest.raises(raised):
        await told(best_of([Said([error]) for error in errors], count=2), ASKED)


async def test_an_error_that_is_no_model_s_is_not_passed_over():
    with pytest.raises(StoreBusy):
        await told(best_of([Said([StoreBusy("full")]), Said(["two"])], count=2), ASKED)


class Slow:
    """A model that never comes to an end."""

    def __init__(self):
        self.closed, self.begun = False, asyncio.Event()

    async def stream(self, prompt):
        try:
            yield "some "
            self.begun.set()
            await asyncio.Event().wait()
        finally:
            self.closed = True


async def test_one_that_is_much_slower_than_another_is_given_up():
    slow = Slow()

    words, _ = await told(best_of([slow, Said(["two"])], count=2, patience_s=0.02), ASKED)

    assert (words, slow.closed) == ("two", True)


async def test_whoever_stops_listening_ends_every_call():
    slow = [Slow(), Slow()]
    task = asyncio.create_task(told(best_of(slow, count=2), ASKED))
    for model in slow:
        await model.begun.wait()

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert [model.closed for model in slow] == [True, True]


@pytest.mark.parametrize("killed", ["candidate 1", "candidate 2", "candidate 3", "chosen"])
async def test_what_was_kept_before_a_kill_is_not_drawn_again(killed):
    models = [Said(["one"]), Said(["two"]), Said(["three"])]
    scorer, kept = Points({"two": 1.0}), Kept(breaks=killed)
    with pytest.raises(Killed):
        await told(best_of(models, scorer, kept), ASKED)
    before, kept.breaks = set(kept.steps), ""

    words, ended = await told(best_of(models, scorer, kept), ASKED)

    assert words == "two"
    for number, model in enumerate(models, 1):
        paid_before = f"candidate {number}" in before
        assert len(model.asked) == (1 if paid_before else 2)
    assert len(scorer.asked) == 1
    assert ended.usage.input_tokens == 31


async def test_a_choice_that_the_chain_no_longer_draws_is_made_anew():
    models = [Said(["one"]), Said(["two"]), Said(["three"])]
    scorer, kept = Points({"three": 1.0, "two": 0.5}), Kept(breaks="chosen")
    with pytest.raises(Killed):
        await told(best_of(models, scorer, kept), ASKED)
    kept.breaks = ""

    words, _ = await told(best_of(models, scorer, kept, count=2), ASKED)

    assert words == "two"
    assert [len(model.asked) for model in models] == [1, 1, 1]
