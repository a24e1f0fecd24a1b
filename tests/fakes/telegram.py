"""A loopback Telegram: the Bot API with real acknowledgement, on a free port.

An update stays until a higher offset is asked for, a second poller ends the first with 409, a
webhook is called again until it answers 2xx, and what a bot has posted outlives the bot: kill it,
start another one with the same `base_url`, and look at `shown(chat)`.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any, Self

import orjson
from aiohttp import web

from tests.fakes.closing import close
from tests.fakes.script import (
    Call,
    Delay,
    DropAfterAccept,
    Refuse,
    Reset,
    Script,
    ServerError,
    TooMany,
)
from tests.fakes.telegram_chats import DATE, Chat, Chats, Rejected, Shown, units
from tests.fakes.telegram_updates import Bell, Updates

TOKEN = "123456789:" + "T" * 35


class FakeTelegram:
    """Speaks the Bot API to one bot and plays the people who write to it."""

    def __init__(self, token: str = TOKEN, username: str = "parley_bot") -> None:
        self.token = token
        self.me = {
            "id": int(token.split(":", maxsplit=1)[0]), "is_bot": True, "first_name": "Parley",
            "username": username, "can_join_groups": True, "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }  # fmt: skip
        self.script = Script()
        self.calls: list[Call] = []
        self.chats = Chats(self.me)
        self.history = self.chats.history
        self.actions: list[tuple[int, str]] = []  # typing
        self.answered: list[str] = []  # callback queries
        self.files: dict[str, bytes] = {}  # by file id
        self.commands: dict[str, list[dict[str, str]]] = {}  # by scope
        self._bell = Bell()
        self.updates = Updates(self._bell)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/bot{token}/{method}", self._handle)
        app.router.add_get("/file/bot{token}/{path:.*}", self._download)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.updates.close()
        await close(self._runner)

    @property
    def base_url(self) -> str:
        """The value of `adapters.telegram.base_url`."""
        return f"http://127.0.0.1:{self.port}/bot"

    @property
    def base_file_url(self) -> str:
        """The value of `adapters.telegram.base_file_url`."""
        return f"http://127.0.0.1:{self.port}/file/bot"

    # What people do -----------------------------------------------------------------------------

    def chat(self, id: int, kind: str = "private", *, topics: tuple[int, ...] = ()) -> Chat:
        """Make a chat known to the bot; its kind is that of the first call."""
        found = self.chats.known.setdefault(id, Chat(id, kind))
        found.topics.update(topics)
        return found

    def say(
        self, text: str, *, chat: int = 42, person: int = 42, private: bool = True,
        thread: int | None = None, reply_to: int | None = None, kind: str = "private",
        **more: Any,
    ) -> int:  # fmt: skip
        """Let a person write; returns the message id. `more` goes into the message as it is."""
        place = self.chat(chat, kind if private or kind != "private" else "supergroup")
        message: dict[str, Any] = {
            "message_id": next(place.ids), "date": DATE, "chat": place.plain(),
            "from": self.person(person), "text": text, "entities": self._entities(text),
        }  # fmt: skip
        if thread is not None:
            place.topics.add(thread)
            message |= {"message_thread_id": thread, "is_topic_message": True}
        if reply_to is not None:
            message["reply_to_message"] = place.messages[reply_to]
        message = {k: v for k, v in (message | more).items() if v not in (None, [], "")}
        place.messages[message["message_id"]] = message
        self.push({"message": message})
        return int(message["message_id"])

    def edit(self, chat: int, message: int, text: str) -> None:
        """Let the writer change a message."""
        changed = self.chats.known[chat].messages[message]
        changed |= {"text": text, "entities": self._entities(text), "edit_date": DATE + 60}
        self.push({"edited_message": changed})

    def press(self, chat: int, message: int, data: str, *, person: int = 42) -> str:
        """Let a person press a button below a message; returns the callback query's id."""
        id = f"{len(self.calls)}{message}"
        self.push({"callback_query": {
            "id": id, "from": self.person(person), "chat_instance": "1", "data": data,
            "message": self.chats.known[chat].messages[message],
        }})  # fmt: skip
        return id

    def react(
        self, chat: int, message: int, emoji: str, *, person: int = 42, old: str = ""
    ) -> None:
        """Let a person react with an emoji; an empty one takes the old one back."""
        self.push({"message_reaction": {
            "chat": self.chats.known[chat].plain(), "message_id": message, "date": DATE,
            "user": self.person(person),
            "old_reaction": [{"type": "emoji", "emoji": old}] if old else [],
            "new_reaction": [{"type": "emoji", "emoji": emoji}] if emoji else [],
        }})  # fmt: skip

    def upload(self, name: str, content: bytes, kind: str = "") -> dict[str, Any]:
        """Keep a file; returns the `document` to write a message with."""
        id = f"file{len(self.files)}"
        self.files[id] = content
        return {"file_id": id, "file_unique_id": f"u{id}", "file_name": name, "mime_type": kind,
                "file_size": len(content)}  # fmt: skip

    def person(self, id: int) -> dict[str, Any]:
        """Return a person as the API describes them."""
        return {"id": id, "is_bot": False, "first_name": f"Person {id}", "username": f"person{id}"}

    def push(self, update: dict[str, Any]) -> int:
        """Hand an update to the bot, by whichever way it listens; returns the update id."""
        return self.updates.push(update)

    def _entities(self, text: str) -> list[dict[str, Any]]:
        found = [("mention", m) for m in re.finditer(r"(?<!\w)@\w{4,}", text)]
        if command := re.match(r"/\w+(@\w+)?", text):
            found.insert(0, ("bot_command", command))
        return [
            {"type": kind, "offset": units(text[: m.start()]), "length": units(m.group())}
            for kind, m in found
        ]

    # What tests look at -------------------------------------------------------------------------

    def shown(self, chat: int) -> list[Shown]:
        """What the bot has left visible in a chat, in order, each message in its last state."""
        known = self.chats.known.get(chat)
        return list(known.shown.values()) if known else []

    def acked(self, update: int) -> bool:
        """Whether the bot has acknowledged an update: Telegram will not send it again."""
        return update in self.updates.acked

    def called(self, method: str) -> list[dict[str, Any]]:
        """The arguments of every call of a method."""
        return [call.args for call in self.calls if call.method == method]

    async def until(self, predicate: Callable[[], object], within: float = 5.0) -> None:
        """Wait until something has become true; AssertionError with the last calls if not."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while not predicate():
            if loop.time() > deadline:
                raise AssertionError(f"still waiting after {within} s; calls: {self.calls[-8:]}")
            await self._bell.wait(0.01)

    # The wire -----------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        method, token = request.match_info["method"], request.match_info["token"]
        args = await _arguments(request)
        self.calls.append(Call(method, args))
        self._bell.ring()
        fault = self.script.next(method)
        try:
            if token != self.token:
                raise Rejected(401, "Unauthorized")
            if isinstance(fault, ServerError):
                return web.Response(status=fault.status, text=fault.body or "<html>no</html>")
            await _spoil(fault, request)
            result = await self._run(method, args)
        except Rejected as no:
            plain = {"ok": False, "error_code": no.status, "description": no.text}
            more = {"parameters": no.parameters} if no.parameters else {}
            return _answer(plain | more, no.status)
        finally:
            self._bell.ring()
        if isinstance(fault, DropAfterAccept):
            _cut(request)
        return _answer({"ok": True, "result": result})

    async def _run(self, method: str, args: dict[str, Any]) -> Any:
        if method == "getUpdates":
            return await self.updates.poll(args)
        if method in SENDING and (self.chats.rich or "Rich" not in method):
            return SENDING[method](self.chats, args)
        if method in REST:
            return REST[method](self, args)
        raise Rejected(404, "Not Found")

    def _set_commands(self, args: dict[str, Any]) -> bool:
        self.commands[_scope(args)] = args["commands"]
        return True

    def _answer(self, args: dict[str, Any]) -> bool:
        self.answered.append(args["callback_query_id"])
        return True

    def _file(self, args: dict[str, Any]) -> dict[str, Any]:
        id = args["file_id"]
        if id not in self.files:
            raise Rejected(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        if len(self.files[id]) > 20_000_000:
            raise Rejected(400, "Bad Request: file is too big")
        return {"file_id": id, "file_unique_id": f"u{id}", "file_size": len(self.files[id]),
                "file_path": f"documents/{id}"}  # fmt: skip

    async def _download(self, request: web.Request) -> web.Response:
        id = request.match_info["path"].removeprefix("documents/")
        if request.match_info["token"] != self.token or id not in self.files:
            return web.Response(status=404)
        return web.Response(body=self.files[id])

    def _administrators(self, args: dict[str, Any]) -> list[dict[str, Any]]:
        place = self.chats.place(args)
        if place.type == "private":
            raise Rejected(400, "Bad Request: there are no administrators in the private chat")
        return [{"user": self.person(id), "status": rank, "is_anonymous": False}
                for id, rank in place.ranks.items()]  # fmt: skip

    def _action(self, args: dict[str, Any]) -> bool:
        self.actions.append((self.chats.place(args).id, args["action"]))
        return True


SENDING: dict[str, Callable[[Chats, dict[str, Any]], Any]] = {
    "sendMessage": Chats.send,
    "sendRichMessage": Chats.send,
    "editMessageText": Chats.edit,
    "deleteMessage": Chats.delete,
    "sendMessageDraft": Chats.draft,
    "sendRichMessageDraft": Chats.draft,
}
REST: dict[str, Callable[[FakeTelegram, dict[str, Any]], Any]] = {
    "getMe": lambda fake, _: fake.me,
    "getWebhookInfo": lambda fake, _: fake.updates.report(),
    "setWebhook": lambda fake, args: fake.updates.set_webhook(args),
    "deleteWebhook": lambda fake, args: fake.updates.delete_webhook(args),
    "sendChatAction": FakeTelegram._action,
    "getChatAdministrators": FakeTelegram._administrators,
    "getFile": FakeTelegram._file,
    "answerCallbackQuery": FakeTelegram._answer,
    "setMyCommands": FakeTelegram._set_commands,
    "getMyCommands": lambda fake, args: fake.commands.get(_scope(args), []),
}


def _scope(args: dict[str, Any]) -> str:
    return str((args.get("scope") or {"type": "default"})["type"])


async def _spoil(fault: object, request: web.Request) -> None:
    """Let a call fail before anything was done."""
    match fault:
        case Delay(seconds):
            await asyncio.sleep(seconds)
        case TooMany(seconds):
            text = f"Too Many Requests: retry after {seconds:g}"
            raise Rejected(429, text, retry_after=seconds)
        case Refuse(error, status):
            raise Rejected(status, error)
        case Reset():
            _cut(request)


def _cut(request: web.Request) -> None:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    raise asyncio.CancelledError


def _answer(plain: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(plain), content_type="application/json", status=status)


async def _arguments(request: web.Request) -> dict[str, Any]:
    """Read JSON, form fields (with JSON in them) or the query, as clients like to send."""
    if request.content_type == "application/json":
        return dict(orjson.loads(await request.read() or b"{}"))
    fields = {**request.query, **(await request.post())}
    return {name: _decoded(value) for name, value in fields.items()}


def _decoded(value: Any) -> Any:
    if isinstance(value, str) and (value[:1] in ("{", "[") or value in ("true", "false")):
        return orjson.loads(value)
    return value
