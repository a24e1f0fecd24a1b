"""A Slack on loopback: Socket Mode, signed HTTP events, response URLs and the Web API.

It keeps its messages while bots come and go, redelivers what was not acknowledged, and echoes what
the bot writes back to it as events, as Slack does. `slack_api.py` has the methods and their limits.
"""

import asyncio
import io
import itertools
import json
import time
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Self

import aiohttp
from aiohttp import web

from tests.fakes.closing import close
from tests.fakes.script import Call, DropAfterAccept, Script
from tests.fakes.slack_api import BOT, BOT_USER, TEAM, Plain, Workspace, signed, wrong
from tests.fakes.slack_faults import misbehave

SECRET = "s" * 32


class FakeSlack:
    """One workspace with one app; channels exist as soon as somebody writes in them."""

    def __init__(self, *, ack_timeout: float = 0.3, retries: int = 3, stream_life: float = 300.0,
                 echo: bool = True) -> None:  # fmt: skip
        self.ack_timeout, self.retries = ack_timeout, retries
        self.request_url = ""  # set it to deliver over HTTP instead of a socket
        self.script = Script()
        self.calls: list[Call] = []
        self.workspace = Workspace(stream_life, self.envelope if echo else lambda _: None)
        self.whispers = self.workspace.whispers  # ephemeral messages: channel, user, text, via, …
        self.closed = self.workspace.closed  # channel → error that every call on it gets
        self.delivered: list[tuple[str, int]] = []  # envelope id and retry number, in order
        self.files: dict[str, bytes] = {}  # by name
        self.acks: dict[str, Plain] = {}
        self.dropped: list[str] = []  # envelopes given up after the last retry
        self.statuses: list[int] = []  # what a bot in HTTP mode answered
        self.connections = 0  # sockets opened so far
        self.sockets: list[web.WebSocketResponse] = []
        self.silent = False  # sockets open from now on without a hello
        self._deaf: list[web.WebSocketResponse] = []
        self._transports: list[asyncio.Transport] = []
        self._waiting: deque[Plain] = deque()
        self._expired: set[str] = set()
        self._askers: dict[str, tuple[str, str]] = {}  # channel and user, by response ticket
        self._tasks: set[asyncio.Task[None]] = set()
        self._count = itertools.count(1)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_get("/link", self._link)
        app.router.add_post("/response/{ticket}", self._response)
        app.router.add_get("/files/{name}", self._download)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self.workspace.port = self._runner.addresses[0][1]
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.close()
        for socket in list(self.sockets):
            await socket.close()
        await close(self._runner)

    @property
    def base_url(self) -> str:
        """What the adapter is given as `base_url`."""
        return f"http://127.0.0.1:{self.port}/api/"

    def say(self, text: str, channel: str = "D1", user: str = "U7", thread: str | None = None, *,
            also_mention: bool = False, missed: bool = False, **more: Any) -> str:  # fmt: skip
        """Write a message and send its event, as `app_mention` too if asked; returns its ts.

        Of one that is `missed` no event is sent: nobody listened for longer than Slack tries.
        """
        ts = self.workspace.ts()
        written = {"user": user, "text": text, "ts": ts, "thread_ts": thread, "type": "message"}
        self.workspace.keep(channel, written | more | {"until": 0.0, "metadata": None})
        if missed:
            return ts
        event = {key: value for key, value in written.items() if value is not None}
        event |= {"channel": channel, "event_ts": ts, "team": TEAM} | more
        kind = {"D": "im", "G": "group"}.get(channel[0], "channel")
        self.envelope(event | {"channel_type": kind})
        if also_mention:
            self.envelope(event | {"type": "app_mention"})
        return ts

    def slash(self, text: str, channel: str = "C1", user: str = "U7") -> str:
        """Give `/parley text`; returns the response URL."""
        url, trigger = self._response_url(channel, user)
        self._deliver("slash_commands", {
            "command": "/parley", "text": text, "user_id": user, "user_name": user.lower(),
            "team_id": TEAM, "channel_id": channel, "channel_name": "general",
            "trigger_id": trigger, "response_url": url, "api_app_id": "A1",
        })  # fmt: skip
        return url

    def press(self, action: str, message: str, channel: str = "D1", user: str = "U7", *,
              value: str = "1") -> str:  # fmt: skip
        """Press a button below a message; returns the response URL."""
        url, trigger = self._response_url(channel, user)
        below = self.workspace.find(channel, message)
        thread = {"thread_ts": below["thread_ts"]} if below["thread_ts"] else {}
        chosen = {"type": "button", "action_id": action, "block_id": "b1",
                  "action_ts": self.workspace.ts(), **({"value": value} if value else {})}  # fmt: skip
        self._deliver("interactive", {
            "type": "block_actions", "user": {"id": user, "team_id": TEAM, "name": user.lower()},
            "team": {"id": TEAM}, "channel": {"id": channel}, "trigger_id": trigger,
            "container": {"type": "message", "message_ts": message, "channel_id": channel,
                          "is_ephemeral": False, **thread},
            "message": {key: below[key] for key in ("user", "text", "ts")} | thread,
            "actions": [chosen], "response_url": url, "state": {"values": {}},
        })  # fmt: skip
        return url

    def envelope(self, event: Plain, **payload: Any) -> str:
        """Send one Events API event; returns its envelope id."""
        grant = {"team_id": TEAM, "user_id": BOT_USER, "is_bot": True, "enterprise_id": None}
        return self._deliver("events_api", {
            "type": "event_callback", "team_id": TEAM, "context_team_id": TEAM, "event": event,
            "api_app_id": "A1", "event_id": f"Ev{next(self._count):06d}",
            "event_time": int(time.time()), "authorizations": [grant],
        } | payload)  # fmt: skip

    def upload(self, name: str, content: bytes, kind: str = "") -> Plain:
        """Keep a file; returns the object to write a message with."""
        self.files[name] = content
        url = f"http://127.0.0.1:{self.port}/files/{name}"
        return {"id": f"F{next(self._count)}", "name": name, "mimetype": kind,
                "size": len(content), "url_private": url, "url_private_download": url}  # fmt: skip

    def expire(self, url: str) -> None:
        """Let a response URL answer 404 from now on."""
        self._expired.add(url.rpartition("/")[2])

    async def disconnect(self, reason: str = "refresh_requested", after: float = 0.05) -> None:
        """Ask the sockets to reconnect, as Slack does every few hours; close them a bit later."""
        old = list(self.sockets)
        for socket in old:
            await socket.send_json({"type": "disconnect", "reason": reason})
        await asyncio.sleep(after)
        for socket in old:
            await socket.close()

    def deafen(self) -> None:
        """Let the open sockets answer pings and deliver nothing any more."""
        self._deaf = list(self.sockets)

    def cut(self) -> None:
        """Drop all sockets without a word."""
        for transport in self._transports:
            transport.abort()

    def shown(self, channel: str, thread: str | None = None) -> list[tuple[str, str]]:
        """Return the bot's messages as people see them now: ts and text."""
        return [(message["ts"], message["text"])
                for message in self.workspace.messages.get(channel, [])
                if message.get("bot_id") == BOT
                and (thread is None or thread == message["thread_ts"])]  # fmt: skip

    def called(self, method: str) -> list[Plain]:
        """Return the arguments of all calls of one method."""
        return [call.args for call in self.calls if call.method == method]

    def acked(self, envelope: str) -> bool:
        """Tell whether an envelope was acknowledged."""
        return envelope in self.acks

    async def until(self, predicate: Callable[[], object], within: float = 5.0) -> None:
        """Wait until something holds; TimeoutError when it does not in time."""
        async with asyncio.timeout(within):
            while not predicate():
                await asyncio.sleep(0.004)

    def _response_url(self, channel: str, user: str) -> tuple[str, str]:
        ticket = f"r{next(self._count)}"
        self._askers[ticket] = channel, user
        return f"http://127.0.0.1:{self.port}/response/{ticket}", f"trigger.{ticket}"

    def _deliver(self, kind: str, payload: Plain) -> str:
        id = f"e{next(self._count)}"
        self._dispatch({"type": kind, "envelope_id": id, "payload": payload, "retry_attempt": 0,
                        "retry_reason": "", "accepts_response_payload": True})  # fmt: skip
        return id

    def _dispatch(self, item: Plain) -> None:
        if self.request_url:
            self._start(self._send_http(item))
        elif self.sockets:
            self._start(self._send(self.sockets[-1], item))
        else:
            self._waiting.append(item)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, socket: web.WebSocketResponse, item: Plain) -> None:
        if socket in self._deaf:
            return
        self.delivered.append((item["envelope_id"], item["retry_attempt"]))
        with suppress(ConnectionError):
            await socket.send_json(item)
        await asyncio.sleep(self.ack_timeout)
        if item["envelope_id"] not in self.acks:
            self._again(item)

    async def _send_http(self, item: Plain) -> None:
        self.delivered.append((item["envelope_id"], item["retry_attempt"]))
        status = await self.post(item["payload"], item["type"], retry=item["retry_attempt"])
        if status == 200:
            self.acks[item["envelope_id"]] = {}
            return
        await asyncio.sleep(self.ack_timeout)
        self._again(item)

    def _again(self, item: Plain) -> None:
        if item["retry_attempt"] >= self.retries:
            self.dropped.append(item["envelope_id"])
        else:
            attempt = item["retry_attempt"] + 1
            self._dispatch(item | {"retry_attempt": attempt, "retry_reason": "timeout"})

    async def post(self, payload: Plain, kind: str = "events_api", *, retry: int = 0,
                   secret: str = SECRET, age: float = 0.0) -> int:  # fmt: skip
        """Send a payload over HTTP, signed by `secret` `age` seconds ago; returns the status."""
        body, headers = signed(payload, kind, secret=secret, age=age)
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_error"}
        return await self.post_raw(body, headers)

    async def post_raw(self, body: str, headers: dict[str, str] | None = None) -> int:
        """Send anything to the bot's HTTP address; returns the status."""
        data = io.BytesIO(body.encode())
        async with self._http.post(self.request_url, data=data, headers=headers) as answer:
            self.answer = await answer.text()
            self.statuses.append(answer.status)
            return answer.status

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        self.sockets.append(socket)
        self._transports = [*filter(None, (*self._transports, request.transport))]
        if not self.silent:
            await socket.send_json({"type": "hello", "num_connections": len(self.sockets)})
        while self._waiting and not self.silent:
            self._dispatch(self._waiting.popleft())
        try:
            async for frame in socket:
                answer = json.loads(frame.data)
                self.acks[answer["envelope_id"]] = answer.get("payload") or {}
        finally:
            self.sockets.remove(socket)
        return socket

    async def _response(self, request: web.Request) -> web.Response:
        args = await request.json()
        self.calls.append(Call("response_url", args))
        if early := await misbehave(request, self.script.next("response_url")):
            return early
        if request.match_info["ticket"] in self._expired:
            return web.Response(status=404, text="expired_url")
        if error := wrong(args):
            return web.Response(status=400, text=error)
        channel, user = self._askers[request.match_info["ticket"]]
        self.workspace.whisper(args, channel, user, "response_url")
        return web.Response(text="ok")

    async def _download(self, request: web.Request) -> web.Response:
        """Give a file to who shows a token; everybody else sees a page to sign in, with 200."""
        name, auth = request.match_info["name"], request.headers.get("Authorization", "")
        self.calls.append(Call("download", {"name": name, "auth": auth}))
        if not auth.startswith("Bearer xoxb-"):
            return web.Response(text="<html>Sign in</html>", content_type="text/html")
        found = self.files.get(name)
        return web.Response(status=404) if found is None else web.Response(body=found)

    async def _api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        if request.content_type == "application/json":
            args = await request.json()
        else:
            args = dict(await request.post()) | dict(request.query)
        self.calls.append(Call(method, args))
        fault = self.script.next(method)
        if early := await misbehave(request, fault):
            return early
        answer = self.workspace.call(method, args)
        if isinstance(fault, DropAfterAccept) and request.transport:
            request.transport.abort()
        if isinstance(answer, str):
            answer = {"ok": False, "error": answer}
        return web.json_response({"ok": True} | answer)
