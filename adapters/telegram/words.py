"""What a message says: its words, what it quotes, what came along, whether it is meant for us."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.kit.files import size
from bot.domain.conversation import Person
from bot.domain.events import Attachment
from bot.domain.text import storable

Plain = Mapping[str, Any]
QUOTE_LIMIT = 1000  # characters of a message that was replied to
NAMED = ("animation", "document", "audio", "video")  # files that may have a name
UNNAMED = (
    "photo", "voice", "video_note", "sticker", "live_photo", "paid_media", "story", "location",
    "contact", "poll", "dice", "checklist",
)  # fmt: skip

UNTYPED = {"photo": "image/jpeg", "video note": "video/mp4", "voice": "audio/ogg"}


@dataclass(frozen=True, slots=True)
class Me:
    """Who the bot is on Telegram, and which commands it has."""

    id: int
    username: str
    commands: Mapping[str, str] | None = None  # name or alias → name; None: not published yet


def words(message: Plain) -> str:
    """Return the text of a message, its caption, or the words of its rich blocks."""
    text = message.get("text") or message.get("caption")
    return storable(text or _flat(message.get("rich_message")))


def _flat(rich: Any) -> str:
    """Read the words of a rich message, block by block; None has none."""
    found: list[str] = []
    waiting = [rich]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            found.append(part)
        elif isinstance(part, list):
            waiting.extend(reversed(part))
        elif isinstance(part, dict):
            inner = [part.get("summary"), part.get("text")]
            for name in ("blocks", "items", "cells"):
                inner += [piece for block in part.get(name, ()) for piece in (block, "\n")]
            inner.append("" if "type" in part else " ")  # a cell of a table has no type
            waiting.extend(reversed(inner))
    return "".join(found).strip()


def files(message: Plain) -> tuple[Attachment, ...]:
    """Return what came along, by its kind where it has no name; nothing is fetched."""
    for kind in NAMED:
        if kind in message:
            return (_file(storable(message[kind].get("file_name") or kind), message[kind]),)
    return tuple(
        _file(kind.replace("_", " "), message[kind]) for kind in UNNAMED if kind in message
    )


def _file(name: str, file: Any) -> Attachment:
    """Describe a file; of a photo, which comes in several sizes, the largest."""
    photo = isinstance(file, list)
    if photo:
        file = max(file, key=lambda one: size(one.get("width")), default={})
    if not isinstance(file, Mapping):
        file = {}
    return Attachment(
        name=name,
        type=_text(file, "mime_type") or UNTYPED.get("photo" if photo else name, ""),
        size=size(file.get("file_size")),
        source=_text(file, "file_id"),
    )


def _text(plain: Plain, key: str) -> str:
    value = plain.get(key)
    return storable(value) if isinstance(value, str) else ""


def answered(message: Plain) -> str:
    """Return the id of the message in this chat that is replied to; in a topic all reply to it."""
    replied = message.get("reply_to_message") or {"forum_topic_created": {}}
    return "" if "forum_topic_created" in replied else str(int(replied["message_id"]))


def answers_us(message: Plain, me: Me) -> bool:
    """Whether this replies to the bot; in a topic, all replies to the message that opened it."""
    answered = message.get("reply_to_message") or {}
    ours = answered.get("from", {}).get("id") == me.id
    return ours and "forum_topic_created" not in answered


def quoted(message: Plain, me: Me) -> tuple[str, str]:
    """Return what was replied to, and who said it: the chosen passage, or the whole message.

    The whole message is not quoted when it is the bot's own.
    """
    replied, elsewhere = message.get("reply_to_message"), message.get("external_reply") or {}
    passage = (message.get("quote") or {}).get("text")
    if passage is None and (not replied or replied.get("from", {}).get("id") == me.id):
        return "", ""
    text = cut(storable(passage) if passage is not None else words(replied or {}))
    said_by = speaker(replied) if replied else original(elsewhere.get("origin") or {})
    return text, said_by if text else ""


def speaker(message: Plain) -> str:
    """Return who wrote a message as `str(Person)` does: a chat, or else a user."""
    return named(message.get("sender_chat") or message.get("from"))


def original(origin: Plain) -> str:
    """Return who wrote what was forwarded; empty for people who hide that."""
    return named(origin.get("sender_user") or origin.get("sender_chat") or origin.get("chat"))


def named(who: Plain | None) -> str:
    """Return a user or a chat as `str(Person)` does, empty for nobody."""
    return str(Person(platform="telegram", user=str(int(who["id"])))) if who else ""


def cut(text: str) -> str:
    """Shorten somebody else's words, visibly."""
    return text if len(text) <= QUOTE_LIMIT else text[:QUOTE_LIMIT] + "…"


def without_mention(message: Plain, text: str, me: Me) -> tuple[bool, str]:
    """Tell whether the bot is mentioned, and take its name out of the text."""
    entities = message.get("entities") or message.get("caption_entities") or ()
    raw = text.encode("utf-16-le") if entities else b""  # offsets count UTF-16 code units
    ours, commanded, our_name = [], False, f"@{me.username.lower()}"
    for entity in entities:
        span = slice(entity["offset"] * 2, (entity["offset"] + entity["length"]) * 2)
        kind, named = entity["type"], _decoded(raw[span]).lower()
        if kind == "text_mention":
            named = our_name if entity.get("user", {}).get("id") == me.id else ""
        if kind in ("mention", "text_mention") and named == our_name:
            ours.append(span)
        elif kind == "bot_command" and named.endswith(our_name):
            commanded = True
    if not ours:
        return commanded, text
    kept = _decoded(raw[: ours[0].start])
    for span, following in zip(ours, [*ours[1:], slice(len(raw), None)], strict=True):
        kept = _joined(kept.rstrip(" "), _decoded(raw[span.stop : following.start]))
    return True, kept.strip() or text


def _joined(left: str, right: str) -> str:
    if not left:
        return right.lstrip(" ,:\n")
    gap = " " if right[:1] == " " and right.strip(" ")[:1] not in (",", ".", "!", "?", "\n") else ""
    return left + gap + right.lstrip(" ")


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-16-le", "replace")
