"""The Web API of a Slack workspace, as far as a chat bot calls it, without a server.

It enforces what the real one enforces: the lengths of texts and blocks, streams that need a thread,
expire, and refuse updates and deletion while they are open, metadata only on request.
"""

import hashlib
import hmac
import html
import itertools
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

TEAM, BOT_USER, BOT = "T1", "UBOT", "BBOT"
Plain = dict[str, Any]


class Workspace:
    """Channels, their messages, and the methods that change them; a str is an error's name."""

    def __init__(self, stream_life: float, echo: Callable[[Plain], object]) -> None:
        self.messages: dict[str, list[Plain]] = {}
        self.whispers: list[Plain] = []
        self.closed: dict[str, str] = {}
        self.rooms: set[str] = set()  # channels that the bot is in though nobody wrote there yet
        self.people: dict[str, Plain] = {}  # user → what users.info says besides
        self.groups: dict[str, list[str]] = {}  # user group → its members
        self.missing: set[str] = set()  # scopes that the app does not have
        self.port = 0
        self._stream_life = stream_life
        self._echo = echo
        self._ticket = itertools.count(1)
        self._now = int(time.time() * 1_000_000)

    def ts(self) -> str:
        """Return a timestamp that was never given before."""
        self._now += 1000
        return f"{self._now // 1_000_000}.{self._now % 1_000_000:06d}"

    def keep(self, channel: str, message: Plain) -> Plain:
        """Put a message into a channel."""
        self.messages.setdefault(channel, []).append(message)
        return message

    def call(self, method: str, args: Plain) -> Plain | str:
        """Do what a method does; returns its answer or the name of an error."""
        act = getattr(self, method.replace(".", "_").lower(), None)
        if act is None:
            return "unknown_method"
        answer: Plain | str = self.closed.get(args.get("channel", "")) or act(args)
        return answer

    def auth_test(self, _: Plain) -> Plain:
        return {"url": "https://fake.slack.com/", "team": "Fake", "user": "parley",
                "team_id": TEAM, "user_id": BOT_USER, "bot_id": BOT}  # fmt: skip

    def apps_connections_open(self, _: Plain) -> Plain:
        return {"url": f"ws://127.0.0.1:{self.port}/link?ticket={next(self._ticket)}"}

    def assistant_threads_setstatus(self, args: Plain) -> Plain | str:
        return {} if args.get("thread_ts") else "invalid_arguments"

    def users_info(self, args: Plain) -> Plain | str:
        if "users:read" in self.missing:
            return "missing_scope"
        plain = {"id": args["user"], "team_id": TEAM, "name": args["user"].lower()}
        return {"user": plain | self.people.get(args["user"], {})}

    def usergroups_list(self, args: Plain) -> Plain | str:
        if "usergroups:read" in self.missing:
            return "missing_scope"
        whole = str(args.get("include_users", "")).lower() in ("1", "true")
        return {"usergroups": [{"id": id, "team_id": TEAM} | ({"users": users} if whole else {})
                               for id, users in self.groups.items()]}  # fmt: skip

    def conversations_info(self, args: Plain) -> Plain:
        return {"channel": {"id": args["channel"], "is_im": args["channel"].startswith("D")}}

    def chat_postmessage(self, args: Plain) -> Plain | str:
        if error := wrong(args):
            return error
        message = self._write(args)
        return {"channel": args["channel"], "ts": message["ts"], "message": message}

    def chat_postephemeral(self, args: Plain) -> Plain | str:
        if error := wrong(args):
            return error
        self.whisper(args, args["channel"], args["user"], "chat.postEphemeral")
        return {"message_ts": self.ts()}

    def whisper(self, args: Plain, channel: str, user: str, via: str) -> None:
        """Show a message to one person; in a thread that nobody has begun, nobody sees it."""
        thread = args.get("thread_ts")
        if thread and all(m["thread_ts"] != thread for m in self.messages.get(channel, [])):
            return
        self.whispers.append({
            "channel": channel, "user": user, "text": visible(args), "via": via,
            "thread": thread, "blocks": args.get("blocks") or [],
            "response_type": args.get("response_type", "ephemeral"),
        })  # fmt: skip

    def chat_update(self, args: Plain) -> Plain | str:
        message = self._find(args)
        if message is None:
            return "message_not_found"
        if _streams(message):
            return "streaming_state_conflict"
        if error := wrong(args, text_limit=4_000):
            return error
        before, message["text"] = dict(message), visible(args)
        message["blocks"] = args.get("blocks") or []
        message["metadata"] = args.get("metadata") or message["metadata"]
        self._echo({"type": "message", "subtype": "message_changed", "channel": args["channel"],
                    "message": dict(message), "previous_message": before,
                    "event_ts": self.ts()})  # fmt: skip
        return {"channel": args["channel"], "ts": args["ts"], "text": message["text"]}

    def chat_delete(self, args: Plain) -> Plain | str:
        message = self._find(args)
        if message is None:
            return "message_not_found"
        if _streams(message):
            return "cant_delete_message"
        self.messages[args["channel"]].remove(message)
        return {"channel": args["channel"], "ts": args["ts"]}

    def chat_startstream(self, args: Plain) -> Plain | str:
        if not args.get("thread_ts"):
            return "invalid_arguments"
        if not args["channel"].startswith("D") and not args.get("recipient_user_id"):
            return "missing_recipient_user_id"
        if len(args.get("markdown_text", "")) > 12_000:
            return "msg_too_long"
        message = self._write(args, until=time.monotonic() + self._stream_life)
        return {"channel": args["channel"], "ts": message["ts"]}

    def chat_appendstream(self, args: Plain) -> Plain | str:
        message = self._find(args)
        if message is None:
            return "message_not_found"
        if not _streams(message):
            return "message_not_in_streaming_state"
        if len(args.get("markdown_text", "")) > 12_000:
            return "msg_too_long"
        message["text"] += args.get("markdown_text", "")
        return {"channel": args["channel"], "ts": args["ts"]}

    def chat_stopstream(self, args: Plain) -> Plain | str:
        answer = self.chat_appendstream(args)
        message = self._find(args)
        if message is not None and not isinstance(answer, str):
            message["blocks"] = args.get("blocks") or []
            message |= {"until": 0.0, "metadata": args.get("metadata") or message["metadata"]}
        return answer

    def conversations_history(self, args: Plain) -> Plain:
        said = self.messages.get(args["channel"], [])
        latest = {m["thread_ts"]: {"latest_reply": m["ts"]} for m in said}
        kept = [m | latest.get(m["ts"], {}) for m in said if m["thread_ts"] is None]
        return _page(args, kept[::-1])

    def users_conversations(self, args: Plain) -> Plain:
        ids = sorted(id for id in {*self.messages, *self.rooms} if id not in self.closed)
        return _page(args, [{"id": id, "is_im": id[0] == "D", "ts": "1"} for id in ids], "channels")

    def conversations_replies(self, args: Plain) -> Plain | str:
        kept = [m for m in self.messages.get(args["channel"], [])
                if args["ts"] in (m["ts"], m["thread_ts"])]  # fmt: skip
        return _page(args, kept) if kept else "thread_not_found"

    def _write(self, args: Plain, until: float = 0.0) -> Plain:
        message = {"type": "message", "user": BOT_USER, "bot_id": BOT, "text": visible(args),
                   "ts": self.ts(), "thread_ts": args.get("thread_ts"), "until": until,
                   "blocks": args.get("blocks") or [], "metadata": args.get("metadata"),
                   }  # fmt: skip
        self._echo({**message, "channel": args["channel"], "event_ts": message["ts"]})
        return self.keep(args["channel"], message)

    def find(self, channel: str, ts: str) -> Plain:
        """Return a message that is there."""
        return next(message for message in self.messages[channel] if message["ts"] == ts)

    def _find(self, args: Plain) -> Plain | None:
        for message in self.messages.get(args["channel"], []):
            if message["ts"] == args["ts"] and message.get("bot_id") == BOT:
                return message
        return None


def visible(args: Plain) -> str:
    """Return what people see of a message: Markdown as it is, other text without its escapes."""
    if blocks := args.get("blocks"):
        return "".join(_block(block) for block in blocks)
    return args.get("markdown_text") or html.unescape(args.get("text", ""))


def _block(block: Plain) -> str:
    if block["type"] == "markdown":
        return str(block["text"])
    if block["type"] == "actions":
        return ""
    text, kind = block["text"]["text"], block["text"]["type"]
    return html.unescape(text) if kind == "mrkdwn" else text


def buttons(message: Plain) -> list[Plain]:
    """Return the buttons below a message."""
    shown = [block for block in message.get("blocks", []) if block["type"] == "actions"]
    return [element for block in shown for element in block["elements"]]


def signed(payload: Plain, kind: str, *, secret: str, age: float) -> tuple[str, dict[str, str]]:
    """Return body and headers of an HTTP request that was signed `age` seconds ago."""
    body, content = json.dumps(payload), "application/json"
    if kind != "events_api":
        content = "application/x-www-form-urlencoded"
        body = urlencode(payload if kind == "slash_commands" else {"payload": body})
    return body, signature(body, content, secret=secret, age=age)


def signature(body: str, content: str, *, secret: str, age: float = 0.0) -> dict[str, str]:
    """Return the headers of an HTTP request whose body was signed `age` seconds ago."""
    stamp = str(int(time.time() - age))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256)
    return {
        "Content-Type": content,
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest.hexdigest()}",
    }


def wrong(args: Plain, text_limit: int = 40_000) -> str:
    """Return the name of the error with which Slack refuses a message; empty if it takes it."""
    if args.get("markdown_text") and (args.get("text") or args.get("blocks")):
        return "markdown_text_conflict"
    if len(args.get("markdown_text", "")) > 12_000 or len(args.get("text", "")) > text_limit:
        return "msg_too_long"
    blocks = args.get("blocks") or []
    if len(blocks) > 50 or any(
        len(_block(block)) > 3_000 for block in blocks if block["type"] == "section"
    ):
        return "invalid_blocks"
    if not all(_pressable(block["elements"]) for block in blocks if block["type"] == "actions"):
        return "invalid_blocks"
    return "" if visible(args).strip() else "no_text"


def _pressable(elements: list[Plain]) -> bool:
    ids = [element["action_id"] for element in elements]
    return (
        1 <= len(elements) <= 25
        and len(set(ids)) == len(ids)
        and all(1 <= len(id) <= 255 for id in ids)
        and all(1 <= len(element["text"]["text"]) <= 75 for element in elements)
        and all(1 <= len(element.get("value", "-")) <= 2_000 for element in elements)
    )


def _streams(message: Plain) -> bool:
    return bool(message["until"] > time.monotonic())


def _page(args: Plain, messages: list[Plain], name: str = "messages") -> Plain:
    start, limit = int(args.get("cursor") or 0), int(args.get("limit") or 100)
    oldest = float(args.get("oldest") or 0)
    whole = args.get("include_all_metadata") in (True, "1", "true")
    kept = [
        {key: json.loads(value) if key == "metadata" and isinstance(value, str) else value
         for key, value in message.items() if key != "until" and (whole or key != "metadata")}
        for message in messages if float(message["ts"]) > oldest
    ]  # fmt: skip
    more = len(kept) > start + limit
    return {name: kept[start : start + limit], "has_more": more,
            "response_metadata": {"next_cursor": str(start + limit) if more else ""}}  # fmt: skip
