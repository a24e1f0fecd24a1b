"""Reservations beside each other: who waits for whom, and what is given back."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest

from bot.app.metering import metering_of
from bot.backends.sqlite.store import opened
from bot.config import Config
from bot.domain.budgets import Allowance, Budgets, Tariff, period_of
from bot.domain.dialogue import Line, Prompt
from bot.domain.errors import OverBudget
from bot.domain.replies import Usage

TARIFF = Tariff(model="m", longest=100)
PROMPT = Prompt(lines=(Line("user", "hello"),), person="fake::ann", conversation="fake:W:C:")
BOUND = 5 + 8 + 64 + 100  # bytes, a line, a call, the answer
USED = Usage(model="m", input_tokens=9, output_tokens=1)


@asynccontextmanager
async def metering(folder, **scopes):
    async with opened(folder / "parley.db") as store:
        yield await metering_of(Config(budgets=Budgets(**scopes)), store), store


async def spent(store, at):
    return await store.ledger.spent("total", period_of(at, "day"))


async def test_who_finds_others_in_the_way_waits_until_they_have_used_less(tmp_path):
    async with metering(tmp_path, total=Allowance(tokens=BOUND)) as (meters, _):
        first = await meters.begin(PROMPT, TARIFF)
        second = asyncio.create_task(meters.begin(PROMPT, TARIFF))
        third = asyncio.create_task(meters.begin(PROMPT, TARIFF))
        await asyncio.wait({second, third}, timeout=0.5)
        assert not second.done()
        first.settle(USED)
        meter = await asyncio.wait_for(second, 5)
        assert 0 < meter.limit < 100  # what the first has left
        meter.settle(USED)
        (await asyncio.wait_for(third, 5)).settle(USED)


async def test_who_has_waited_in_vain_is_refused(tmp_path):
    async with metering(tmp_path, total=Allowance(tokens=BOUND)) as (meters, _):
        first = await meters.begin(PROMPT, TARIFF)
        second = asyncio.create_task(meters.begin(PROMPT, TARIFF))
        await asyncio.wait({second}, timeout=0.5)
        first.settle(Usage(model="m", input_tokens=77, output_tokens=100))
        with pytest.raises(OverBudget):
            await asyncio.wait_for(second, 5)


async def test_nobody_waits_for_an_answer_that_is_reserved(tmp_path):
    async with metering(tmp_path, total=Allowance(messages=1)) as (meters, _):
        await meters.begin(PROMPT, TARIFF)
        with pytest.raises(OverBudget):
            await asyncio.wait_for(meters.begin(PROMPT, TARIFF), 5)


@pytest.mark.parametrize("ticks", range(4))
async def test_what_is_reserved_for_somebody_who_went_is_given_back(tmp_path, ticks):
    async with metering(tmp_path, total=Allowance(messages=1)) as (meters, store):
        at = meters.now()
        going = asyncio.create_task(meters.begin(PROMPT, TARIFF))
        for _ in range(ticks):
            await asyncio.sleep(0)
        going.cancel()
        with suppress(asyncio.CancelledError):
            (await going).settle(Usage(), answered=False)
        await store.probe()  # behind everything that was queued
        await store.probe()
        assert (await spent(store, at)).nothing
        await meters.begin(PROMPT, TARIFF)


async def test_what_others_wait_for_does_not_hold_up_whoever_has_a_budget_of_their_own(tmp_path):
    async with metering(tmp_path, per_person=Allowance(tokens=BOUND)) as (meters, _):
        await meters.begin(PROMPT, TARIFF)
        waiting = asyncio.create_task(meters.begin(PROMPT, TARIFF))
        other = Prompt(lines=PROMPT.lines, person="fake::bob", conversation="fake:W:C:")
        await asyncio.wait_for(meters.begin(other, TARIFF), 5)
        assert not waiting.done()
        waiting.cancel()


async def test_without_limits_nothing_waits_for_the_store(tmp_path):
    async with metering(tmp_path) as (meters, store):
        begun = meters.begin(PROMPT, TARIFF)
        with pytest.raises(StopIteration) as ended:
            begun.send(None)  # it ends without having waited once
        ended.value.value.settle(USED)
        await store.probe()
        assert (await spent(store, meters.now())).tokens == 10


async def test_what_is_no_answer_takes_no_message(tmp_path):
    judged = Prompt(lines=PROMPT.lines, conversation="fake:W:C:", purpose="judge")
    async with metering(tmp_path, total=Allowance(messages=1)) as (meters, store):
        (await meters.begin(judged, TARIFF)).settle(USED)
        (await meters.begin(PROMPT, TARIFF)).settle(USED)
        assert (await spent(store, meters.now())).messages == 1


async def test_what_is_only_reserved_is_not_remembered_as_used_up(tmp_path):
    async with metering(tmp_path, total=Allowance(messages=1)) as (meters, _):

        async def fails():
            (await meters.begin(PROMPT, TARIFF)).settle(Usage(), answered=False)

        went = asyncio.create_task(meters.begin(PROMPT, TARIFF))
        refused = asyncio.create_task(meters.begin(PROMPT, TARIFF))
        await asyncio.sleep(0)
        went.cancel()
        outcomes = await asyncio.gather(went, refused, return_exceptions=True)
        assert [type(one) for one in outcomes] == [asyncio.CancelledError, OverBudget]
        meters.limits.refuse_known("", PROMPT.conversation, meters.now())

        outcomes = await asyncio.gather(
            fails(), meters.begin(PROMPT, TARIFF), return_exceptions=True
        )
        assert [type(one) for one in outcomes] == [type(None), OverBudget]
        meters.limits.refuse_known("", PROMPT.conversation, meters.now())

        (await meters.begin(PROMPT, TARIFF)).settle(USED)
        with pytest.raises(OverBudget):
            await meters.begin(PROMPT, TARIFF)
        with pytest.raises(OverBudget):
            meters.limits.refuse_known("", PROMPT.conversation, meters.now())
