"""The REST half of the fake Discord: the routes of a chat bot, with Discord's own errors."""

import asyncio
import json
import time
from typing import Any

from aiohttp import web

from tests.fakes.discord_world import EPOCH_MS, ME, TOKEN, World, person
from tests.fakes.script import (
    Call,
    Delay,
    DropAfterAccept,
    Fault,
    Refuse,
    Reset,
    Script,
    ServerError,
    TooMany,
)


class Problem(Exception):
    """An error as Discord answers it."""

    def __init__(self, status: int, code: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, "code": code, **more}


def answer(body: Any, status: int = 200) -> web.Response:
    """Return JSON with exactly the content type that discord.py looks for."""
    if body is None:
        return web.Response(status=204)
    headers = {"Content-Type": "application/json"}
    return web.Response(status=status, body=json.dumps(body).encode(), headers=headers)


class Rest:
    """Routes calls to what they do to the world."""

    def __init__(self, world: World, script: Script, calls: list[Call]) -> None:
        self.world = world
        self.script = script
        self.calls = calls
        self.nonces: dict[tuple[str, str], tuple[float, str]] = {}
        self.deferred: set[str] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one call, or do wrong as the script says."""
        parts = request.match_info["path"].strip("/").split("/")
        named = ["#" if p.isdigit() or p.startswith("itoken") else p for p in parts]
        method = f"{request.method} /{'/'.join(named)}"
        raw = await request.read()
        body = json.loads(raw) if raw else None
        self._record(method, request, body)
        fault = self.script.next(method)
        if spoiled := await self._spoil(fault, request):
            return spoiled
        try:
            done = answer(self._do(request, parts, body))
        except Problem as problem:
            done = answer(problem.body, problem.status)
        if isinstance(fault, DropAfterAccept):
            return _hang_up(request)
        return done

    def _record(self, method: str, request: web.Request, body: Any) -> None:
        args = {"http": request.method, "path": request.path, "query": dict(request.query),
                "json": body, "auth": request.headers.get("Authorization", ""),
                "ctype": request.headers.get("Content-Type", ""),
                "at": time.monotonic()}  # fmt: skip
        self.calls.append(Call(method, args))

    async def _spoil(self, fault: Fault | None, request: web.Request) -> web.Response | None:
        match fault:
            case Delay(seconds):
                await asyncio.sleep(seconds)
            case TooMany(retry_after):
                limited = {"message": "You are being rate limited.", "retry_after": retry_after,
                           "global": False}  # fmt: skip
                refused = answer(limited, 429)
                refused.headers["Via"] = "1.1 google"
                refused.headers["Retry-After"] = str(retry_after)
                return refused
            case ServerError(status, text):
                return web.Response(status=status, text=text)
            case Refuse(error, status):
                code = int(error) if error.isdigit() else 0
                return answer({"message": error, "code": code}, status)
            case Reset():
                return _hang_up(request)
        return None

    def _do(self, request: web.Request, parts: list[str], body: Any) -> Any:  # noqa: PLR0911
        if request.headers.get("Authorization") != f"Bot {TOKEN}":
            raise Problem(401, 0, "401: Unauthorized")
        match [request.method, *parts]:
            case ["GET", "users", "@me"]:
                return person(ME)
            case ["GET", "oauth2", "applications", "@me"] | ["GET", "applications", "@me"]:
                return {"id": ME, "name": "parley", "description": "", "icon": None,
                        "bot_public": True, "bot_require_code_grant": False, "verify_key": "",
                        "flags": 0, "owner": person(ME)}  # fmt: skip
            case ["GET", "gateway"] | ["GET", "gateway", "bot"]:
                return {"url": self.world.gateway_url, "shards": 1}
            case ["GET", "guilds", _, "members", user]:
                return {"user": {"id": user}, "roles": [], **self.world.members.get(user, {})}
            case [verb, "channels", channel, *rest]:
                return self._channel(verb, channel, rest, request, body)
            case [verb, "applications", _, "commands"]:
                return self._commands(verb, body)
            case ["POST", "interactions", id_, token, "callback"]:
                return self._callback(id_, token)
            case [verb, "webhooks", _, token, *rest]:
                return self._webhook(verb, token, rest, body)
        raise Problem(404, 0, "404: Not Found")

    def _channel(  # noqa: PLR0911
        self, verb: str, channel: str, rest: list[str], request: web.Request, body: Any
    ) -> Any:
        if channel not in self.world.channels:
            raise Problem(404, 10003, "Unknown Channel")
        if channel in self.world.forbidden:
            raise Problem(403, 50001, "Missing Access")
        if channel in self.world.failing:
            raise Problem(503, 0, "upstream connect error")
        match [verb, *rest]:
            case ["GET"]:
                return self.world.channels[channel]
            case ["POST", "typing"]:
                return None
            case ["GET", "messages"]:
                return self._read(channel, request)
            case ["POST", "messages"]:
                return self._post(channel, body)
            case ["GET", "messages", id_]:
                return self._message(channel, id_)
            case ["PATCH", "messages", id_]:
                return self._edit(channel, id_, body)
            case ["DELETE", "messages", id_]:
                self._message(channel, id_)
                self.world.delete(channel, id_)
                return None
        raise Problem(404, 0, "404: Not Found")

    def _read(self, channel: str, request: web.Request) -> list[Any]:
        """Return a page, newest first; with `after` the oldest that are newer."""
        query = request.query
        after, before = int(query.get("after") or 0), int(query.get("before") or 1 << 63)
        limit = min(int(query.get("limit") or 50), 100)
        found = [m for m in self.world.history.get(channel, []) if after < int(m["id"]) < before]
        page = found[:limit] if "after" in query else found[-limit:]
        return [{k: v for k, v in m.items() if k != "nonce"} for m in reversed(page)]

    def _post(self, channel: str, body: dict[str, Any]) -> Any:
        self._check(body)
        known = self._by_nonce(channel, body)
        if known:
            return known
        more = {k: body[k] for k in ("nonce", "flags", "components") if k in body}
        reference = body.get("message_reference")
        if reference and self.world.find(channel, str(reference["message_id"])):
            more["message_reference"] = reference
        elif reference and reference.get("fail_if_not_exists", True):
            raise Problem(400, 50035, "Invalid Form Body")
        message = self.world.message(channel, body["content"].strip(), person(ME), **more)
        self.world.keep(message)
        if body.get("enforce_nonce"):
            self.nonces[channel, str(body["nonce"])] = (time.monotonic(), message["id"])
        return message

    def _by_nonce(self, channel: str, body: dict[str, Any]) -> Any:
        if not body.get("enforce_nonce"):
            return None
        if len(str(body["nonce"])) > 25:
            raise Problem(400, 50035, "Invalid Form Body")
        at, id_ = self.nonces.get((channel, str(body["nonce"])), (-1e9, ""))
        if time.monotonic() - at > self.world.nonce_window:
            return None
        return self.world.find(channel, id_)

    def _check(self, body: dict[str, Any]) -> None:
        content = body["content"]
        if not content.strip():
            raise Problem(400, 50006, "Cannot send an empty message")
        if len(content) > 2000:
            error = {"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length."}
            raise Problem(400, 50035, "Invalid Form Body",
                          errors={"content": {"_errors": [error]}})  # fmt: skip
        if not _pressable(body.get("components", [])):
            raise Problem(400, 50035, "Invalid Form Body")

    def _message(self, channel: str, id_: str) -> dict[str, Any]:
        message = self.world.find(channel, id_)
        if message is None:
            raise Problem(404, 10008, "Unknown Message")
        return message

    def _edit(self, channel: str, id_: str, body: dict[str, Any]) -> Any:
        message = self._message(channel, id_)
        if message["author"]["id"] != ME:
            raise Problem(403, 50005, "Cannot edit a message authored by another user")
        self._check(body)
        message.update({k: body[k] for k in ("components",) if k in body})
        self.world.edit(id_, body["content"].strip())
        return message

    def _commands(self, verb: str, body: Any) -> Any:
        if verb == "PUT":
            self.world.commands = [
                {**command, "id": str(8000 + n), "application_id": ME, "version": "1",
                 "nsfw": False, "default_member_permissions": None}
                for n, command in enumerate(body)
            ]  # fmt: skip
        return self.world.commands

    def _callback(self, id_: str, token: str) -> None:
        if token not in self.world.whispers:
            raise Problem(404, 10062, "Unknown interaction")
        made = ((int(id_) >> 22) + EPOCH_MS) / 1000
        if time.time() - made > 3:
            raise Problem(404, 10062, "Unknown interaction")
        if token in self.deferred:
            raise Problem(400, 40060, "Interaction has already been acknowledged.")
        self.deferred.add(token)

    def _webhook(self, verb: str, token: str, rest: list[str], body: Any) -> Any:
        if token not in self.world.whispers or token not in self.deferred:
            raise Problem(404, 10015, "Unknown Webhook")
        whispers = self.world.whispers[token]
        match [verb, *rest]:
            case ["POST"]:
                return self._whisper(token, body)
            case ["PATCH", "messages", "@original"] if not whispers:
                return self._whisper(token, body)
            case ["DELETE", "messages", "@original"] if not whispers:
                return None
            case [_, "messages", id_]:
                chosen = [m for m in whispers if m["id"] == id_] or whispers[:1]
                if verb == "PATCH":
                    self._check(body)
                    chosen[0].update({k: body[k] for k in ("content", "components") if k in body})
                elif verb == "DELETE":
                    whispers.remove(chosen[0])
                    return None
                return chosen[0]
        raise Problem(404, 0, "404: Not Found")

    def _whisper(self, token: str, body: dict[str, Any]) -> Any:
        self._check(body)
        message = self.world.message("0", body["content"], person(ME), webhook_id=ME,
                                     components=body.get("components", []))  # fmt: skip
        self.world.whispers[token].append(message)
        return message


def _pressable(rows: list[dict[str, Any]]) -> bool:
    """Tell whether Discord would take these rows of buttons."""
    buttons = [button for row in rows for button in row["components"]]
    return (
        len(rows) <= 5
        and all(row["type"] == 1 and 1 <= len(row["components"]) <= 5 for row in rows)
        and all(button["type"] == 2 and 1 <= len(button["label"]) <= 80 for button in buttons)
        and all(1 <= len(button["custom_id"]) <= 100 for button in buttons)
        and len({button["custom_id"] for button in buttons}) == len(buttons)
    )


def _hang_up(request: web.Request) -> web.Response:
    assert request.transport
    request.transport.abort()
    return web.Response()
