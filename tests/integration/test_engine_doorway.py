"""Where many turns begin at once they come to their models in order, and no slow one is in the way."""

import asyncio
from dataclasses import replace

import pytest

from bot.config.sections import TurnSettings
from tests.events import command, message
from tests.harness import running
from tests.integration.conftest import thread


@pytest.fixture
def narrow(monkeypatch):
    """Let turns begin one by one, and each keep its place until it asks its model or ends."""
    monkeypatch.setattr("bot.core.doorway.PLACES", 1)
    monkeypatch.setattr("bot.core.doorway.HOLD_S", 3600.0)


async def test_the_first_ask_their_model_before_the_last_begin(config, platform, narrow):
    begun = []  # replies, each time that the model is asked
    platform.hold = asyncio.Event()  # no answer ends before
    async with running(config, platform) as engine:
        speaking = engine.summarising.models["main"].model
        stream = speaking.stream

        def asked(prompt):
            begun.append(len(platform.shown))
            return stream(prompt)

        speaking.stream = asked
        await asyncio.gather(
            *(platform.inbox.accept(message(conversation=thread(n))) for n in range(20))
        )
        await platform.until(lambda: len(begun) == 20)
        platform.hold.set()
        await platform.answers(20)
    assert begun == [*range(1, 21)]


async def test_a_turn_that_asks_no_model_makes_way(config, platform, model, narrow):
    async with running(config, platform):
        await platform.inbox.accept(command("help", conversation=thread("a")))
        await platform.inbox.accept(message("one", conversation=thread("b")))
        await platform.answers(2)
        platform.failures = [RuntimeError("the platform stumbles")]
        await platform.inbox.accept(message("two", conversation=thread("c")))
        await platform.until(lambda: not platform.failures)
        await platform.inbox.accept(message("three", conversation=thread("d")))
        await platform.answers(4)
        assert "You said: three" in platform.texts()


async def test_a_turn_that_waits_keeps_nobody_waiting(config, platform, model, monkeypatch):
    monkeypatch.setattr("bot.core.doorway.PLACES", 1)
    patient = replace(config, turns=TurnSettings(debounce_ms=1500))  # for each chat by itself
    async with running(patient, platform):
        for number in range(20):
            await platform.inbox.accept(message(conversation=thread(number)))
        answers = await platform.answers(20, timeout=15)  # one after another would take 30 s
    assert len(answers) == 20
