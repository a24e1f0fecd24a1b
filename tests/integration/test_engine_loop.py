"""The engine's own loop: nothing that is raised in it, and no clock, ends a lane or a platform."""

import asyncio
import re
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module

import pytest

from bot.app.beside import lasting
from bot.app.clocks import SystemClock
from bot.app.engine import assemble
from bot.backends.sqlite.store import opened
from bot.config import Secrets
from bot.config.sections import TurnSettings
from bot.domain.errors import RetryLater
from bot.ports.platform import Adapter
from tests.events import message
from tests.harness import MemoryPlatform, running
from tests.integration.conftest import begun, slow, stored, thread

DAY = 86400.0


class Odd(BaseException):
    """What no `except Exception` sees."""


CANCELLED = asyncio.CancelledError()
GROUP = BaseExceptionGroup("several", [asyncio.CancelledError()])
ODD = pytest.mark.parametrize("error", [CANCELLED, Odd(), GROUP], ids=lambda e: type(e).__name__)


def set_clock(monkeypatch, seconds):
    """Move the system's clock."""
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + seconds)


@dataclass
class Stumbling(MemoryPlatform):
    """A platform whose receiver raises something each time before it listens at last."""

    trips: list = field(default_factory=list)

    async def listen(self, inbox):
        if self.trips:
            raise self.trips.pop(0)
        await super().listen(inbox)


@asynccontextmanager
async def beside(config, other, platform):
    """Run the engine for a platform in trouble, "other", beside a sound one, "fake"."""
    both = {"other": other, "fake": platform}
    adapters = {name: Adapter(receiver=one, sender=one) for name, one in both.items()}
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(config.data_dir / "parley.db"))
        secrets = Secrets({"OPENAI_API_KEY": "k"})
        engine = await assemble(config, secrets, store, adapters, stack)
        stop = asyncio.Event()
        task = asyncio.create_task(engine.run(stop))
        try:
            await platform.until(platform.ready.is_set)
            yield task
        finally:
            stop.set()
            await asyncio.gather(task, return_exceptions=True)


# ---- what is raised


@ODD
async def test_a_turn_in_which_anything_is_raised_goes_back_to_its_lane(config, platform, error):
    platform.failures = [error]
    async with running(config, platform):
        await platform.inbox.accept(message("one"))
        await platform.inbox.accept(message("two"))
        assert await platform.answers(2, timeout=8) == ["You said: one", "You said: two"]


@ODD
async def test_an_apology_in_which_anything_is_raised_leaves_the_lane_alive(
    config, platform, error
):
    platform.failures = [ZeroDivisionError("bug"), error]
    async with running(replace(config, turns=TurnSettings(attempts=1)), platform):
        await platform.inbox.accept(message("poison"))
        await platform.inbox.accept(message("next"))
        assert "You said: next" in await platform.answers(1, timeout=8)


@ODD
async def test_a_receiver_in_which_anything_is_raised_listens_again_and_others_live(
    config, platform, error, monkeypatch
):
    monkeypatch.setattr(import_module("bot.app.platforms"), "REOPEN_S", 0.05)
    other = Stumbling(trips=[error])
    async with beside(config, other, platform) as engine:
        await other.until(other.ready.is_set, timeout=8)
        assert not engine.done()
        await platform.inbox.accept(message("still here?"))
        assert await platform.answers(1) == ["You said: still here?"]


class TrippingClock(SystemClock):
    """A clock on which the first who sleeps meets an error."""

    def __init__(self, error):
        self.error, self.slept = error, 0

    async def sleep(self, seconds):
        self.slept += 1
        if self.slept == 1:
            raise self.error
        await super().sleep(seconds)


@ODD
@pytest.mark.parametrize("name", ["moderators", "tidying"])
async def test_what_runs_beside_the_answers_begins_anew_when_it_breaks_down_and_operators_see_it(
    config, platform, error, name, monkeypatch, caplog
):
    monkeypatch.setattr(import_module("bot.app.beside"), "FIRST_PAUSE", 0.05)
    for module in ("bot.core.moderation.moderators", "bot.core.retention"):
        monkeypatch.setattr(import_module(module), "LOOK_S", 0.01)
    async with running(config, platform) as engine:
        part = {"moderators": engine.moderators, "tidying": engine.keeping.tidying}[name]
        clock = part.clock = TrippingClock(error)
        await platform.until(lambda: clock.slept > 2)
    said = [record for record in caplog.records if f"{name} broke down" in record.message]
    assert [(record.levelname, record.exc_info) for record in said] == [("ERROR", None)]
    assert "0.05 s" in said[0].message


async def test_what_keeps_breaking_down_begins_anew_less_and_less_often(monkeypatch, caplog):
    for name, seconds in (("FIRST_PAUSE", 0.01), ("LONGEST_PAUSE", 0.04)):
        monkeypatch.setattr(import_module("bot.app.beside"), name, seconds)
    runs = []

    async def run():
        runs.append(1)
        if len(runs) < 5:
            raise ValueError("somebody said CANARY")

    await lasting("counting", run)
    assert re.findall(r"again in ([\d.]+) s", caplog.text) == ["0.01", "0.02", "0.04", "0.04"]
    assert "counting broke down" in caplog.text
    assert "CANARY" not in caplog.text


# ---- clocks


@pytest.mark.parametrize("jump", [DAY, -DAY, 3600, -3600])
async def test_a_turn_that_rests_is_tried_again_in_time_whatever_the_clock_says(
    config, platform, monkeypatch, jump
):
    platform.failures = [RetryLater(0.5)]
    async with running(config, platform) as engine:
        await platform.inbox.accept(message("one"))
        waiting = engine.dispatcher.lanes.waiting
        states = lambda: [waiting.state(turn) for turn in waiting.everywhere()]  # noqa: E731
        await platform.until(lambda: states() == ["resting"])
        set_clock(monkeypatch, jump)
        assert await platform.answers(1, timeout=5) == ["You said: one"]


@pytest.mark.parametrize("jump", [DAY, -DAY])
async def test_an_answer_that_is_being_written_outlives_a_jump_of_the_clock(
    config, platform, model, monkeypatch, jump
):
    slow(model, words=10)
    async with running(replace(config, turns=TurnSettings(timeout_s=20)), platform):
        await platform.inbox.accept(message("one"))
        await begun(platform)
        set_clock(monkeypatch, jump)
        (text,) = await platform.answers(1)
    assert text == model.answer


@pytest.mark.parametrize("jump", [DAY, -DAY])
async def test_what_waits_is_answered_after_a_jump_of_the_clock(
    config, platform, model, monkeypatch, jump
):
    slow(model, words=6)
    config = replace(config, turns=TurnSettings(stale_after_s=3600))
    async with running(config, platform):
        for number in range(3):
            await platform.inbox.accept(message(f"m{number}", at=time.time()))
        await begun(platform)
        model.answer, model.interval = "ok", 0
        set_clock(monkeypatch, jump)
        assert (await platform.answers(3, timeout=4))[1:] == ["ok", "ok"]


async def test_a_redelivery_is_known_after_a_day_that_never_was(
    config, platform, model, monkeypatch, tmp_path
):
    event = message("once")
    async with running(config, platform):
        await platform.inbox.accept(event)
        await platform.answers(1)
    set_clock(monkeypatch, DAY)
    async with running(config, platform):
        assert not await platform.inbox.accept(event)
        assert await platform.inbox.accept(message("another", conversation=thread(2)))
        await platform.answers(2)
    assert len(model.calls) == 2
    assert stored(tmp_path, "select count(*) from inbox where state = 'done'") == [(2,)]


async def test_an_answer_that_takes_too_long_breaks_off_and_is_counted(
    config, platform, model, caplog
):
    slow(model)
    async with running(replace(config, turns=TurnSettings(timeout_s=0.5)), platform) as engine:
        await platform.inbox.accept(message())
        (text,) = await platform.answers(1)
        await platform.until(lambda: engine.dispatcher.metrics.broken == 1)
    assert "breaks off here" in text
    assert "an answer broke off: it took 0.5 s" in caplog.text
