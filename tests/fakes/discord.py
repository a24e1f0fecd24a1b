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
from typing import Any, Self

from aiohttp import web

from tests.fakes.closing import close
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
        self.files: dict[str, bytes] = {}  # by name
        self.script = Script()
        self.gateway = Gateway(self)
        self.dispatch = self.gateway.dispatch

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get("/gateway/", self.gateway.serve)
        app.router.add_route("*", "/api/v10/{path:.*}", Rest(self, self.script, self.calls).serve)
        app.router.add_get("/attachments/{name}", self._download)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.gateway.close()
        await close(self._runner)

    def upload(self, name: str, content: bytes, kind: str = "") -> dict[str, Any]:
        """Keep a file; returns the attachment to write a message with."""
        self.files[name] = content
        url = f"http://127.0.0.1:{self.port}/attachments/{name}?ex=1"
        return {"id": self.new_id(), "filename": name, "content_type": kind, "size": len(content),
                "url": url, "proxy_url": url}  # fmt: skip

    async def _download(self, request: web.Request) -> web.Response:
        name, auth = request.match_info["name"], request.headers.get("Authorization", "")
        self.calls.append(Call("GET /attachments", {"name": name, "auth": auth}))
        found = self.files.get(name)
        return web.Response(status=404) if found is None else web.Response(body=found)

    def made(self, method: str) -> list[Call]:
        """Return the calls of one route, as "POST /channels/#/messages"."""
        return [call for call in self.calls if call.method == method]

    async def until(self, predicate: Callable[[], object], within: float = 5.0) -> None:
        """Wait until something is true; fails after `within` seconds."""
        deadline = time.monotonic() + within
        while not predicate():
            assert time.monotonic() < deadline, "it did not happen in time"
            await asyncio.sleep(0.005)
