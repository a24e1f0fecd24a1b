"""A model that keeps failing rests; time here is a number that the tests set."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from bot.core.models import Breaker, Fallback
from bot.core.models.breaker import FAILURES, FIRST_REST_S, LONGEST_REST_S
from bot.domain.dialogue import Delta, Ended, Line, Prompt
from bot.domain.errors import ContextTooLong, ModelError, ModelRefused, OverBudget
from bot.domain.replies import Usage

PROMPT = Prompt(lines=(Line("user", "Hello"),))
DOWN = ModelError("down")


class Scripted:
    """A model that fails while it is told to, and counts how often it is asked."""

    def __init__(self, error: Exception | None = None, *, hold: asyncio.Event | None = None):
        self.error, self.hold, self.asked = error, hold, 0

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        self.asked += 1
        if self.hold:
            await self.hold.wait()
        if self.error:
            raise self.error
        yield "Hi."
        yield Ended(reason="complete", usage=Usage())


class Watch:
    """A clock."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def broken(error: Exception | None = DOWN, **given) -> tuple[Scripted, Breaker, Watch]:
    model, watch = Scripted(error), Watch()
    return model, Breaker("big", model, now=watch, **given), watch


async def said(model) -> str:
    async with aclosing(model.stream(Prompt(lines=PROMPT.lines))) as stream:
        return "".join([delta async for delta in stream if isinstance(delta, str)])


async def fail(model, times: int = FAILURES, error: type[Exception] = ModelError) -> None:
    for _ in range(times):
        with pytest.raises(error):
            await said(model)


async def test_a_model_rests_after_some_failures_in_a_row():
    _, breaker, _ = broken()
    await fail(breaker, FAILURES - 1)
    assert not breaker.resting
    assert breaker.complaint == ""
    await fail(breaker, 1)
    assert breaker.resting
    assert breaker.complaint == "failed 5 times in a row; tried again in 10 s"


async def test_an_answer_in_between_begins_the_count_anew():
    model, breaker, _ = broken()
    await fail(breaker, FAILURES - 1)
    model.error = None
    assert await said(breaker) == "Hi."
    model.error = DOWN
    await fail(breaker, FAILURES - 1)
    assert not breaker.resting


@pytest.mark.parametrize("error", [ModelRefused("no"), ContextTooLong("long"), OverBudget("used")])
async def test_what_is_not_the_models_fault_does_not_count(error):
    _, breaker, _ = broken(error)
    await fail(breaker, 2 * FAILURES, type(error))
    assert not breaker.resting


async def test_a_resting_model_is_passed_over_at_once():
    model, breaker, _ = broken()
    other = Scripted()
    chain = Fallback([("big", breaker), ("small", other)])
    for _ in range(FAILURES + 3):
        assert await said(chain) == "Hi."
    assert model.asked == FAILURES
    assert other.asked == FAILURES + 3


async def test_a_resting_model_is_the_last_resort():
    model, breaker, _ = broken()
    await fail(breaker)
    model.error = None
    assert await said(Fallback([("big", breaker), ("small", Scripted(DOWN))])) == "Hi."
    assert not breaker.resting


async def test_who_has_no_other_model_does_not_wait_long_for_a_resting_one():
    model, breaker, _ = broken(hurry_s=0.01)
    await fail(breaker)
    model.hold = asyncio.Event()
    async with asyncio.timeout(5):
        await fail(breaker, 1)


async def test_one_question_tries_a_model_again_and_its_word_ends_the_rest():
    model, breaker, watch = broken(None, hurry_s=0.01)
    model.error = DOWN
    await fail(breaker)
    watch.time += FIRST_REST_S
    model.error, model.hold = None, asyncio.Event()
    trial = asyncio.create_task(said(breaker))
    while model.asked == FAILURES:
        await asyncio.sleep(0)
    assert breaker.resting  # for all others, while one tries
    await fail(breaker, 1)  # and they hurry
    model.hold.set()
    assert await trial == "Hi."
    assert not breaker.resting
    assert breaker.complaint == ""


async def test_each_rest_is_longer_up_to_a_limit():
    _, breaker, watch = broken()
    await fail(breaker)
    rest = FIRST_REST_S
    for _ in range(8):
        watch.time += rest - 0.5
        assert breaker.resting
        watch.time += 0.5
        assert not breaker.resting
        await fail(breaker, 1)
        rest = min(rest * 2, LONGEST_REST_S)
    assert breaker.complaint.endswith("tried again in 300 s")


async def test_failures_that_come_together_make_one_rest():
    model, breaker, watch = broken()
    model.hold = asyncio.Event()
    many = [asyncio.create_task(said(breaker)) for _ in range(4 * FAILURES)]
    while model.asked < len(many):
        await asyncio.sleep(0)
    model.hold.set()
    await asyncio.gather(*many, return_exceptions=True)
    watch.time += FIRST_REST_S
    assert not breaker.resting


async def test_a_person_who_gives_up_soon_says_nothing_about_the_model_and_late_ones_do():
    model, breaker, watch = broken(None)
    model.hold = asyncio.Event()
    for seconds, resting in ((5, False), (61, True)):
        for number in range(FAILURES):
            task = asyncio.create_task(said(breaker))
            while model.asked % FAILURES != (number + 1) % FAILURES:
                await asyncio.sleep(0)
            watch.time += seconds
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        watch.time -= 1  # the last one has just begun the rest
        assert breaker.resting is resting


async def test_giving_up_a_trial_leaves_the_next_question_to_try():
    model, breaker, watch = broken()
    await fail(breaker)
    watch.time += FIRST_REST_S
    model.hold = asyncio.Event()
    trial = asyncio.create_task(said(breaker))
    while model.asked == FAILURES:
        await asyncio.sleep(0)
    trial.cancel()
    await asyncio.gather(trial, return_exceptions=True)
    assert not breaker.resting
