"""What is said in the chats of the fake Telegram, and what its API refuses to take."""

import html
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

LIMIT = 4096  # UTF-16 units of a text, after its markup was parsed
RICH_LIMIT = 32768
DATE = 1_795_000_000
TAGS = {"a", "b", "blockquote", "code", "del", "em", "i", "ins", "pre", "s", "span", "strike",
        "strong", "tg-spoiler", "u"}  # fmt: skip
RICH_TAGS = TAGS | {"aside", "br", "caption", "details", "footer", "h1", "h2", "h3", "h4", "h5",
                    "h6", "hr", "input", "li", "mark", "ol", "p", "sub", "summary", "sup", "table",
                    "td", "th", "tr", "ul"}  # fmt: skip
TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)([^<>]*?)(/?)>|<")
NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are "
    "exactly the same as a current content and reply markup of the message"
)


class Rejected(Exception):
    """The API says no: status, description, parameters."""

    def __init__(self, status: int, text: str, **parameters: Any) -> None:
        super().__init__(text)
        self.status, self.text, self.parameters = status, text, parameters


@dataclass
class Shown:
    """A message of the bot as people see it now."""

    id: int
    text: str  # without markup
    source: str  # as it was sent
    markup: str  # "", "HTML", "markdown" or "html" of a rich message
    reply_to: int | None = None
    thread: int | None = None
    keyboard: list[list[dict[str, Any]]] = field(default_factory=list)  # rows of buttons

    @property
    def buttons(self) -> list[dict[str, Any]]:
        """The buttons below it."""
        return [button for row in self.keyboard for button in row]


@dataclass
class Chat:
    """One chat: what is known of it and everything said in it."""

    id: int
    type: str = "private"
    topics: set[int] = field(default_factory=set)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)  # of people and of the bot
    shown: dict[int, Shown] = field(default_factory=dict)
    ranks: dict[int, str] = field(default_factory=dict)  # person → "creator" or "administrator"

    def plain(self) -> dict[str, Any]:
        """Return the chat as the API describes it."""
        name = "first_name" if self.type == "private" else "title"
        forum = {"is_forum": True} if self.topics and self.type != "private" else {}
        return {"id": self.id, "type": self.type, name: f"Chat {self.id}", **forum}


class Chats:
    """All chats, as the methods that send, edit and delete see them."""

    def __init__(self, me: dict[str, Any]) -> None:
        self.me = me
        self.known: dict[int, Chat] = {}
        self.history: dict[int, list[tuple[int, str]]] = defaultdict(list)  # each state ever shown
        self.drafts: dict[int, list[str]] = defaultdict(list)
        self.blocked: set[int] = set()  # chats that closed the door: 403
        self.migrated: dict[int, int] = {}  # group → supergroup
        self.rich = True  # False: a server from before rich messages

    def place(self, args: dict[str, Any]) -> Chat:
        """Return the chat that a call is about."""
        id = int(args["chat_id"])
        if id in self.migrated:
            raise Rejected(400, "Bad Request: group chat was upgraded to a supergroup chat",
                           migrate_to_chat_id=self.migrated[id])  # fmt: skip
        if id not in self.known:
            raise Rejected(400, "Bad Request: chat not found")
        if id in self.blocked:
            raise Rejected(403, "Forbidden: bot was blocked by the user")
        return self.known[id]

    def send(self, args: dict[str, Any]) -> dict[str, Any]:
        """Do what sendMessage and sendRichMessage do."""
        place, thread = self.place(args), args.get("message_thread_id")
        if thread is not None and int(thread) not in place.topics - {1}:
            raise Rejected(400, "Bad Request: message thread not found")
        reply = args.get("reply_parameters") or {}
        answered = place.messages.get(reply.get("message_id", 0))
        if reply and answered is None and not reply.get("allow_sending_without_reply"):
            raise Rejected(400, "Bad Request: message to be replied not found")
        content, keyboard = self._content(args), _keyboard(args)
        shown = Shown(next(place.ids), *content, reply.get("message_id"), thread, keyboard)
        return self._show(place, shown)

    def edit(self, args: dict[str, Any]) -> dict[str, Any]:
        """Do what editMessageText does."""
        place = self.place(args)
        old = place.shown.get(int(args["message_id"]))
        if old is None:
            raise Rejected(400, "Bad Request: message to edit not found")
        new = Shown(old.id, *self._content(args), old.reply_to, old.thread, _keyboard(args))
        if new == old:
            raise Rejected(400, NOT_MODIFIED)
        return self._show(place, new)

    def delete(self, args: dict[str, Any]) -> bool:
        """Do what deleteMessage does."""
        place, id = self.place(args), int(args["message_id"])
        if place.messages.pop(id, None) is None:
            raise Rejected(400, "Bad Request: message to delete not found")
        place.shown.pop(id, None)
        return True

    def draft(self, args: dict[str, Any]) -> bool:
        """Do what sendMessageDraft and sendRichMessageDraft do."""
        if self.place(args).type != "private" or not int(args["draft_id"]):
            raise Rejected(400, "Bad Request: TEXTDRAFT_PEER_INVALID")
        self.drafts[int(args["chat_id"])].append(self._content(args, may_be_empty=True)[0])
        return True

    def _show(self, place: Chat, shown: Shown) -> dict[str, Any]:
        place.shown[shown.id] = shown
        self.history[place.id].append((shown.id, shown.text))
        topic = {"message_thread_id": shown.thread, "is_topic_message": True}
        below = {"reply_markup": {"inline_keyboard": shown.keyboard}}
        place.messages[shown.id] = {
            "message_id": shown.id, "date": DATE, "chat": place.plain(), "from": self.me,
            "text": shown.text, **(topic if shown.thread else {}),
            **(below if shown.keyboard else {}),
        }  # fmt: skip
        return place.messages[shown.id]

    def _content(self, args: dict[str, Any], may_be_empty: bool = False) -> tuple[str, str, str]:
        """Return visible text, source and markup of a call, or refuse it as Telegram does."""
        source, markup, limit = args.get("text") or "", args.get("parse_mode") or "", LIMIT
        if self.rich and (rich := args.get("rich_message")):
            markup = "html" if "html" in rich else "markdown"
            source, limit = rich[markup], RICH_LIMIT
        text = source
        if markup.lower() == "html":
            text = visible(source, TAGS if markup == "HTML" else RICH_TAGS)
        if not text.strip() and not may_be_empty:
            raise Rejected(400, "Bad Request: message text is empty")
        if units(text) > limit:
            raise Rejected(400, "Bad Request: message is too long")
        return text, source, markup


def _keyboard(args: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Return the rows of buttons of a call, or refuse them as Telegram does."""
    rows: list[list[dict[str, Any]]] = (args.get("reply_markup") or {}).get("inline_keyboard", [])
    for button in (button for row in rows for button in row):
        if not button["text"].strip():
            raise Rejected(400, "Bad Request: text buttons are unallowed in the inline keyboard")
        if not 1 <= len(button["callback_data"].encode()) <= 64:
            raise Rejected(400, "Bad Request: BUTTON_DATA_INVALID")
    return rows


def visible(source: str, known: set[str]) -> str:
    """Return HTML without its tags; refuse what Telegram's parser does not take."""
    opened: list[str] = []
    for tag in TAG.finditer(source):
        slash, name, _, empty = tag.groups()
        if name not in known:
            raise Rejected(400, f"Bad Request: can't parse entities: Unsupported start tag "
                                f'"{name}" at byte offset {tag.start()}')  # fmt: skip
        if slash and (not opened or opened.pop() != name):
            raise Rejected(400, "Bad Request: can't parse entities: Unmatched end tag")
        if not slash and not empty and name not in {"br", "hr", "input"}:
            opened.append(name)
    if opened:
        raise Rejected(
            400, f"Bad Request: can't parse entities: Can't find end tag of {opened[-1]}"
        )
    return html.unescape(TAG.sub("", source))


def units(text: str) -> int:
    """Length as Telegram counts: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2
