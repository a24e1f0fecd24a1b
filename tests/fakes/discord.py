"""A Discord on loopback: REST v10 and a gateway, for the real discord.py.

    async with FakeDiscord() as discord:
        settings = DiscordSettings(
            api_base_url=discord.api_base_url, gateway_url=discord.gateway_url
        )
        discord.say("hello", mention=True, channel=TEXT)
        await discord.until(lambda: discord.shown(TEXT))

Like the real one it replays missed events only to a session that resumes; what is said while no
session exists is found in the history alone. Faults are scripted per route, ids written as "#":
`discord.script.on("POST /channels/#/messages", TooMany(0.2))`.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Self

from aiohttp import web

from tests.fakes.discord_gateway import Gateway
from tests.fakes.discord_rest import Rest
from tests.fakes.discord_world import (
    FORUM,
    GUILD,
    ME,
    OTHER,
    POST,
    ROLE,
    TEXT,
    THREAD,
    TOKEN,
    World,
    person,
)  # fmt: skip
from tests.fakes.script import Call, Script

__all__ = [
    "FORUM", "GUILD", "ME", "OTHER", "POST", "ROLE", "TEXT", "THREAD", "TOKEN",
    "FakeDiscord", "person",
]  # fmt: skip


class FakeDiscord(World):
    """The world behind a server; `gateway` has the means to disturb connections."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.script = Script()
        self.gateway = Gateway(self)
        self.dispatch = self.gateway.dispatch

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get("/gateway/", self.gateway.serve)
        app.router.add_route("*", "/api/v10/{path:.*}", Rest(self, self.script, self.calls).serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.gateway.close()
        await self._runner.cleanup()

    def made(self, method: str) -> list[Call]:
        """Return the calls of one route, as "POST /channels/#/messages"."""
        return [call for call in self.calls if call.method == method]

    async def until(self, predicate: Callable[[], object], within: float = 5.0) -> None:
        """Wait until something is true; fails after `within` seconds."""
        deadline = time.monotonic() + within
        while not predicate():
            assert time.monotonic() < deadline, "it did not happen in time"
            await asyncio.sleep(0.005)
