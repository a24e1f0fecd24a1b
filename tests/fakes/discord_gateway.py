"""The gateway half of the fake Discord: hello, identify, resume with replay, heartbeats."""

import asyncio
import itertools
import json
import zlib
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, web

from tests.fakes.discord_world import ME, World, person

CONTENT_INTENT = 1 << 15


@dataclass(eq=False)
class Line:
    """One web socket; frames leave in order."""

    socket: web.WebSocketResponse
    deflate: Any = None
    frames: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)

    def send(self, frame: Any) -> None:
        self.frames.put_nowait(frame)

    async def run(self) -> None:
        while True:
            frame = await self.frames.get()
            if isinstance(frame, int):
                await self.socket.close(code=frame)
                return
            raw = frame if isinstance(frame, bytes) else json.dumps(frame).encode()
            if self.deflate:
                raw = self.deflate.compress(raw) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
                await self.socket.send_bytes(raw)
            else:
                await self.socket.send_str(raw.decode())


@dataclass
class Session:
    """What was dispatched to one identify; kept while its line is down."""

    id: str
    intents: int
    log: list[Any] = field(default_factory=list)
    line: Line | None = None


class Gateway:
    """At most one session, as a bot with one shard has."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.session: Session | None = None
        self.lines: set[Line] = set()
        self.identifies: list[dict[str, Any]] = []
        self.resumes = 0
        self.heartbeats = 0
        self.refuse_with = 0  # close code for the next identifies, as 4004
        self.drops = 0  # how many identifies and resumes are still answered by code 4000
        self.interval = 41250.0  # milliseconds between heartbeats, as the hello says
        # What it no longer does when it is switched off:
        self.says_hello = self.acknowledges = self.takes_up = self.speaks = True
        self._ids = itertools.count(1)

    async def close(self) -> None:
        """Close every line."""
        for line in tuple(self.lines):
            await line.socket.close(code=WSCloseCode.GOING_AWAY)

    def dispatch(self, name: str, data: Any) -> None:
        """Send one event, numbered; without a session nobody ever hears of it."""
        if self.session is None:
            return
        if name == "MESSAGE_CREATE" and not self.session.intents & CONTENT_INTENT:
            data = self._without_content(data)
        frame = {"op": 0, "t": name, "s": len(self.session.log) + 1, "d": data}
        self.session.log.append(frame)
        if self.session.line and self.speaks:
            self.session.line.send(frame)

    def drop(self, code: int = 4000) -> None:
        """Close the connection; the session stays and can be resumed."""
        if self.session and self.session.line:
            self.session.line.send(code)
            self.session.line = None

    def invalidate(self) -> None:
        """Say "invalid session" (op 9, not resumable) and forget it."""
        line = self.session.line if self.session else None
        self.session = None
        if line:
            line.send({"op": 9, "d": False, "s": None, "t": None})

    def forget(self) -> None:
        """Forget the session silently, as after a long time: a resume will be refused."""
        if self.session and self.session.line:
            self.session.line.send(4000)
        self.session = None

    def ask_to_reconnect(self) -> None:
        """Say "reconnect" (op 7); the session can be resumed."""
        if self.session and self.session.line:
            self.session.line.send({"op": 7, "d": None, "s": None, "t": None})

    def garble(self) -> None:
        """Send a frame that is no JSON; a resume would bring it again."""
        if self.session and self.session.line:
            self.session.log.append(b'{"op": 0, "t": "MESSAGE_CREATE", "d": {"id"')
            self.session.line.send(self.session.log[-1])

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Speak with one connection until it ends."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        compressed = request.query.get("compress") == "zlib-stream"
        line = Line(socket, zlib.compressobj() if compressed else None)
        self.lines.add(line)
        writer = asyncio.create_task(line.run())
        if self.says_hello:
            hello = {"heartbeat_interval": self.interval}
            line.send({"op": 10, "d": hello, "s": None, "t": None})
        try:
            async for message in socket:
                self._answer(line, json.loads(message.data))
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self.lines.discard(line)
            if self.session and self.session.line is line:
                self.session.line = None
        return socket

    def _answer(self, line: Line, frame: dict[str, Any]) -> None:
        if frame["op"] == 1:
            self.heartbeats += 1
            if not self.acknowledges:
                return
            line.send({"op": 11, "d": None, "s": None, "t": None})
        elif frame["op"] in (2, 6):
            self._open(line, frame)

    def _open(self, line: Line, frame: dict[str, Any]) -> None:
        if frame["op"] == 2:
            self.identifies.append(frame["d"])
        if self.drops:
            self.drops -= 1
            line.send(4000)
        elif not self.takes_up:
            return
        elif frame["op"] == 2:
            self._identify(line, frame["d"])
        else:
            self._resume(line, frame["d"])

    def _identify(self, line: Line, data: dict[str, Any]) -> None:
        code = self.refuse_with
        if data["intents"] & CONTENT_INTENT and not self.world.content_intent:
            code = 4014
        if code:
            line.send(code)
            return
        self.session = Session(f"session{next(self._ids)}", data["intents"], line=line)
        self.dispatch("READY", self._ready())
        if self.world.in_guild and self.world.in_order:
            self.dispatch("GUILD_CREATE", self.world.guild())

    def _ready(self) -> dict[str, Any]:
        assert self.session
        guild = self.world.guild()["id"]
        guilds = [{"id": guild, "unavailable": True}] if self.world.in_guild else []
        return {"v": 10, "user": person(ME), "guilds": guilds, "session_id": self.session.id,
                "session_type": "normal", "private_channels": [], "shard": [0, 1],
                "resume_gateway_url": self.world.gateway_url,
                "application": {"id": ME, "flags": 0}}  # fmt: skip

    def _resume(self, line: Line, data: dict[str, Any]) -> None:
        if self.session is None or self.session.id != data["session_id"]:
            line.send({"op": 9, "d": False, "s": None, "t": None})
            return
        self.resumes += 1
        for frame in self.session.log[data["seq"] :]:
            line.send(frame)
        self.session.line = line
        self.dispatch("RESUMED", {})

    def _without_content(self, data: dict[str, Any]) -> dict[str, Any]:
        """Blank a message as Discord does without the intent, unless it concerns the bot."""
        mine = any(user["id"] == ME for user in data["mentions"])
        if mine or "guild_id" not in data or data["author"]["id"] == ME:
            return data
        return {**data, "content": "", "attachments": [], "embeds": [], "components": []}
