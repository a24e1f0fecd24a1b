"""A gateway that lies: it is noticed, said, and connected to again, without a flood of sessions."""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest

from adapters.discord.gateway import Gateway
from adapters.discord.session import Session
from adapters.discord.settings import DiscordSettings
from bot.core.health import Beat
from bot.domain.errors import ConfigError
from tests.fakes.discord import TOKEN, FakeDiscord
from tests.fakes.script import ServerError
from tests.integration.discord_rig import Inbox, built, listening

PATIENCE = 0.4  # seconds


@pytest.fixture
async def discord():
    async with FakeDiscord() as fake:
        yield fake


class Pulse:
    """What the operator was told, in order; "" stands for up."""

    def __init__(self):
        self.said = []

    def up(self):
        if self.said[-1:] != [""]:
            self.said.append("")

    def down(self, reason):
        self.said.append(reason)


class Slept:
    """A clock that only pauses move, and how long they were."""

    def __init__(self):
        self.waits = []

    async def sleep(self, seconds):
        self.waits.append(seconds)
        await asyncio.sleep(0.001)

    def clock(self):
        return sum(self.waits)


@asynccontextmanager
async def connected(discord, pulse, **more):
    """Hold a connection and nothing behind it; yields the names of what is heard."""
    settings = DiscordSettings(api_base_url=discord.api_base_url, gateway_url=discord.gateway_url)
    session, heard = Session(settings, TOKEN), []
    session.hold()
    more = {"patience": PATIENCE, "sleep": lambda _: asyncio.sleep(0.01), **more}
    gateway = Gateway(
        await session.login(),
        lambda name, _: heard.append(name),
        ("MESSAGE_CREATE",),
        pulse,
        **more,
    )
    task = asyncio.create_task(gateway.run())
    try:
        yield heard
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await session.release()


async def test_while_heartbeats_are_answered_the_platform_is_up(discord):
    pulse = Pulse()
    async with connected(discord, pulse) as heard:
        await discord.until(lambda: discord.gateway.heartbeats >= 4)
        discord.say("hello")
        await discord.until(lambda: "MESSAGE_CREATE" in heard)
    assert pulse.said == [""]
    assert len(discord.gateway.identifies) == 1


@pytest.mark.parametrize("interval", [41_250.0, 3_600_000.0])
async def test_a_heartbeat_without_an_answer_is_noticed_and_the_session_resumed(discord, interval):
    discord.gateway.interval = interval
    pulse = Pulse()
    async with connected(discord, pulse) as heard:
        await discord.until(lambda: discord.gateway.heartbeats >= 2)
        discord.gateway.acknowledges = False
        discord.gateway.speaks = False
        discord.say("said to nobody")
        began = time.monotonic()
        await discord.until(lambda: len(pulse.said) == 2)
        assert time.monotonic() - began < 3 * PATIENCE
        discord.gateway.acknowledges = discord.gateway.speaks = True
        await discord.until(lambda: "MESSAGE_CREATE" in heard)
        await discord.until(lambda: pulse.said[-1] == "")
    assert "did not answer a heartbeat" in pulse.said[1]
    assert discord.gateway.resumes >= 1
    assert len(discord.gateway.identifies) == 1


async def test_messages_that_still_come_do_not_hide_missing_answers(discord):
    pulse = Pulse()
    async with connected(discord, pulse):
        await discord.until(lambda: discord.gateway.session)
        discord.gateway.acknowledges = False
        deadline = time.monotonic() + 5
        while len(pulse.said) < 2:
            assert time.monotonic() < deadline
            discord.say("still there")
            await asyncio.sleep(PATIENCE / 4)
    assert "did not answer a heartbeat" in pulse.said[1]


async def test_a_gateway_that_says_no_hello_is_left(discord):
    discord.gateway.says_hello = False
    pulse = Pulse()
    async with connected(discord, pulse) as heard:
        began = time.monotonic()
        await discord.until(lambda: len(pulse.said) == 2)
        assert time.monotonic() - began < 2 * PATIENCE + 1
        discord.gateway.says_hello = True
        await discord.until(lambda: "READY" in heard)
    assert "did not say hello" in pulse.said[0]
    assert pulse.said[-1] == ""


async def test_a_gateway_that_opens_no_session_is_left(discord):
    discord.gateway.takes_up = False
    pulse = Pulse()
    async with connected(discord, pulse) as heard:
        await discord.until(lambda: len(pulse.said) == 2)
        discord.gateway.takes_up = True
        await discord.until(lambda: "READY" in heard)
    assert "opened no session" in pulse.said[0]


async def test_a_session_that_is_never_taken_up_again_is_given_up(discord):
    pulse = Pulse()
    async with connected(discord, pulse) as heard:
        await discord.until(lambda: "READY" in heard)
        discord.gateway.drops = 5
        discord.gateway.drop()
        await discord.until(lambda: heard.count("READY") == 2)
    assert (discord.gateway.resumes, len(discord.gateway.identifies)) == (0, 2)


async def test_a_wrong_address_to_resume_at_does_not_make_deaf(discord):
    pulse = Pulse()
    async with connected(discord, pulse) as heard:
        await discord.until(lambda: "READY" in heard)
        ready = {**discord.gateway.session.log[0]["d"], "resume_gateway_url": "ws://127.0.0.1:9/"}
        discord.dispatch("READY", ready)
        discord.gateway.drop()
        await discord.until(lambda: "RESUMED" in heard)
    assert "cannot be reached" in pulse.said[2]


@pytest.mark.parametrize(
    ("disturb", "said"),
    [
        (lambda gateway: gateway.drop(4000), "closed the connection with code 4000"),
        (lambda gateway: gateway.drop(4009), "closed the connection with code 4009"),
        (lambda gateway: gateway.ask_to_reconnect(), "asked to connect again"),
        (lambda gateway: gateway.invalidate(), "ended the session"),
        (lambda gateway: gateway.garble(), "unreadable"),
    ],
)
async def test_the_operator_is_told_why_and_when_it_is_over(discord, disturb, said):
    pulse = Pulse()
    async with connected(discord, pulse) as heard:
        await discord.until(lambda: "READY" in heard)
        disturb(discord.gateway)
        await discord.until(lambda: len(pulse.said) == 3)
    assert said in pulse.said[1]
    assert (pulse.said[0], pulse.said[2]) == ("", "")


async def test_a_storm_of_reconnects_is_met_with_pauses_and_few_identifies(discord):
    discord.gateway.drops = 100
    slept, pulse = Slept(), Pulse()
    async with connected(discord, pulse, sleep=slept.sleep, clock=slept.clock) as heard:
        await discord.until(lambda: "READY" in heard, within=20)
        waits = list(slept.waits)
        before = len(discord.gateway.identifies)
        discord.gateway.drops = 100
        discord.gateway.drop()
        await discord.until(lambda: heard.count("READY") == 2, within=20)
    assert before == 101
    assert sum(waits) > 80 * 100  # twenty at once, then one in a hundred seconds
    assert len({wait for wait in waits if wait < 10}) > 10  # no two bots in step
    identifies = len(discord.gateway.identifies)
    assert identifies == before + 96  # five resumes in vain come first
    assert slept.clock() > 100 * (identifies - 21)
    assert pulse.said.count("") == 2


async def test_the_adapter_tells_whether_it_hears(discord):
    beat = Beat("discord", time.time)
    async with listening(discord, Inbox(), pulse=beat):
        await discord.until(lambda: not beat.reason)
        discord.gateway.refuse_with = 4000
        discord.gateway.forget()
        await discord.until(lambda: "code 4000" in beat.reason)


async def test_the_adapter_tells_that_nothing_answers_or_that_it_is_refused(discord):
    beat = Beat("discord", time.time)
    discord.script.on("GET /users/@me", ServerError(503))
    discord.gateway.refuse_with = 4014
    adapter = built(discord, pulse=beat)
    task = asyncio.create_task(adapter.receiver.listen(Inbox()))
    await discord.until(lambda: "does not answer" in beat.reason)
    with pytest.raises(ConfigError):
        await task
    assert "Privileged Gateway Intents" in beat.reason
