"""Where Discord is, and what its errors mean."""

import discord
import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from adapters.discord.session import Refused, Session, point_at
from adapters.discord.settings import DiscordSettings
from bot.domain.errors import RetryLater, Unreachable
from tests.fakes.discord import TEXT, TOKEN, FakeDiscord
from tests.fakes.script import Refuse, Reset, ServerError, TooMany

ASK, ACT = "GET /channels/#", "POST /channels/#/typing"


def test_both_addresses_are_set_and_discords_own_come_back():
    point_at(DiscordSettings(api_base_url="http://127.0.0.1:1/api/v10/", gateway_url="ws://x/gw"))
    assert Route("GET", "/users/@me").url == "http://127.0.0.1:1/api/v10/users/@me"
    assert str(DiscordWebSocket.DEFAULT_GATEWAY) == "ws://x/gw"
    point_at(DiscordSettings())
    assert Route("GET", "/users/@me").url == "https://discord.com/api/v10/users/@me"
    assert str(DiscordWebSocket.DEFAULT_GATEWAY) == "wss://gateway.discord.gg/"


@pytest.fixture
async def world():
    async with FakeDiscord() as fake:
        yield fake


@pytest.fixture
async def session(world):
    settings = DiscordSettings(api_base_url=world.api_base_url, gateway_url=world.gateway_url)
    session = Session(settings, TOKEN)
    session.hold()
    yield session
    await session.release()


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        (Refuse("50001", 403), Refused),
        (Refuse("10003", 404), Refused),
        (Refuse("50035", 400), Refused),
        (Refuse("0", 401), Unreachable),
        (ServerError(503), Unreachable),
        (Reset(), Unreachable),
        (TooMany(31), RetryLater),
        (ServerError(429, "blocked by the network in front"), RetryLater),
    ],
)
async def test_each_failure_has_its_meaning(world, session, fault, meaning):
    world.script.on(ACT, fault)
    with pytest.raises(meaning):
        await session.call("POST", "/channels/{channel_id}/typing", channel_id=TEXT)
    assert len(world.made(ACT)) == 1


async def test_how_long_to_wait_and_why_refused_is_told(world, session):
    world.script.on(ASK, TooMany(31.5), Refuse("50001", 403))
    with pytest.raises(RetryLater) as wait:
        await session.call("GET", "/channels/{channel_id}", channel_id=TEXT)
    assert wait.value.seconds == 31.5
    with pytest.raises(Refused, match="code 50001") as refused:
        await session.call("GET", "/channels/{channel_id}", channel_id=TEXT)
    assert refused.value.code == 50001


async def test_a_short_rate_limit_is_waited_for(world, session):
    world.script.on(ASK, TooMany(0.1))
    found = await session.call("GET", "/channels/{channel_id}", channel_id=TEXT)
    assert found["id"] == TEXT


async def test_all_holders_share_one_client_and_the_last_one_closes_it(world, session):
    session.hold()
    client = await session.login()
    await session.release()
    assert await session.login() is client
    assert not client.is_closed()
    assert len(world.made("GET /users/@me")) == 1


async def test_the_token_is_not_in_the_sessions_text(session):
    assert isinstance(await session.login(), discord.Client)
    assert TOKEN not in repr(session)
