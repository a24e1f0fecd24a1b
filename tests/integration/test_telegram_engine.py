"""Telegram beside another platform in one bot: its troubles are its own."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from bot.app.engine import assemble
from bot.backends.sqlite.store import opened
from bot.config import Secrets
from bot.ports.platform import Adapter
from tests.events import message
from tests.fakes.script import Refuse
from tests.fakes.telegram import FakeTelegram
from tests.integration.conftest import stored
from tests.integration.telegram_rig import beat, built


@pytest.fixture
async def fake():
    async with FakeTelegram() as telegram:
        yield telegram


@asynccontextmanager
async def together(config, telegram, platform):
    """Run the engine for Telegram beside a platform without troubles."""
    adapters = {"telegram": telegram, "fake": Adapter(receiver=platform, sender=platform)}
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(config.data_dir / "parley.db"))
        stack.push_async_callback(telegram.sender.close)
        secrets = Secrets({"OPENAI_API_KEY": "k"})
        engine = await assemble(config, secrets, store, adapters, stack)
        stop = asyncio.Event()
        task = asyncio.create_task(engine.run(stop))
        try:
            await platform.until(platform.ready.is_set)
            yield task
        finally:
            stop.set()
            await task


async def test_a_revoked_token_ends_telegram_and_nothing_else(fake, config, platform, caplog):
    pulse = beat()
    fake.script.on("getUpdates", None, Refuse("Unauthorized", 401))
    telegram = built(fake, pulse=pulse, poll_timeout_s=0)
    async with together(config, telegram, platform) as engine:
        await fake.until(lambda: "refuses the token" in pulse.reason)
        await platform.until(lambda: "telegram is off" in caplog.text)
        polls = len(fake.called("getUpdates"))
        await platform.inbox.accept(message("still here?"))
        assert await platform.answers(1) == ["You said: still here?"]
        assert not engine.done()
        assert len(fake.called("getUpdates")) == polls


async def test_a_rival_poller_delays_telegram_and_nothing_else(fake, config, platform):
    pulse = beat()
    rival = Refuse("Conflict: terminated by other getUpdates request", 409)
    fake.script.on("getUpdates", *[rival] * 9)
    telegram = built(fake, pulse=pulse, poll_timeout_s=0)
    telegram.receiver.sleep = lambda _: asyncio.sleep(0.02)
    async with together(config, telegram, platform):
        await fake.until(lambda: "another process polls" in pulse.reason)
        await platform.inbox.accept(message("hi"))
        assert await platform.answers(1) == ["You said: hi"]
        fake.say("and here?")
        await fake.until(lambda: [m.text for m in fake.shown(42)] == ["You said: and here?"])
    assert pulse.reason == ""


async def test_a_person_who_blocked_the_bot_costs_one_try_and_the_lane_goes_on(
    fake, config, platform, tmp_path
):
    async with together(config, built(fake), platform):
        fake.say("bye")
        fake.chats.blocked.add(42)
        states = "select state from inbox order by id"
        await platform.until(lambda: stored(tmp_path, states) == [("dead",)])
        assert len(fake.called("sendMessage")) == 1
        fake.chats.blocked.clear()
        fake.say("I am back")
        await fake.until(lambda: [m.text for m in fake.shown(42)] == ["You said: I am back"])
