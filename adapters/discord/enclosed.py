"""What comes along with a message: files, and the message that it answers or forwards."""

from typing import Any

from adapters.discord.mentions import readable
from adapters.discord.people import author
from adapters.discord.places import Places
from adapters.kit.files import size
from bot.domain.events import Attachment
from bot.domain.text import storable

Payload = dict[str, Any]

_REPLY = 19  # a kind of message
_FORWARD = 1  # a kind of reference
_QUOTE_LIMIT = 1000  # characters of somebody else's words


def files(message: Payload) -> tuple[Attachment, ...]:
    """Return the files of a message; none of them is fetched."""
    return tuple(
        Attachment(
            name=storable(file["filename"]),
            type=storable(file.get("content_type") or ""),
            size=size(file.get("size")),
            source=storable(file.get("url") or ""),
        )
        for file in message.get("attachments") or ()
    )


def answered(message: Payload) -> str:
    """Return the id of the message that this one replies to, empty for all but replies."""
    reference = message.get("message_reference") or {}
    return str(reference.get("message_id") or "") if message["type"] == _REPLY else ""


def replied_to(message: Payload) -> str | None:
    """Return the id of the user who is replied to."""
    answered = message.get("referenced_message") or {}
    user: str | None = (answered.get("author") or {}).get("id")
    return user


def quoted(message: Payload, places: Places) -> tuple[str, str]:
    """Return what was replied to or forwarded, unless the bot itself said it, and who said it.

    Of forwarded words Discord does not tell who said them.
    """
    source, speaker = message.get("referenced_message"), ""
    if (message.get("message_reference") or {}).get("type") == _FORWARD:
        source = message["message_snapshots"][0]["message"]
    elif source is None or replied_to(message) == places.me:
        return "", ""
    else:
        speaker = str(author(source, places))
    words = readable(source["content"], source, places)
    if len(words) > _QUOTE_LIMIT:
        words = words[: _QUOTE_LIMIT - 1] + "…"
    return words, speaker if words else ""
