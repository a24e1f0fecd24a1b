"""Raw gateway payloads in, events out; no I/O, never raises.

Shapes: https://discord.com/developers/docs/events/gateway-events. The raw payload is read instead
of the SDK's objects: it costs a tenth, and an unexpected shape ends nothing.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from adapters.discord import enclosed
from adapters.discord.mentions import readable
from adapters.discord.people import author, person
from adapters.discord.places import PLATFORM, Places
from bot.domain.conversation import Conversation
from bot.domain.events import (
    CommandGiven,
    Event,
    Joined,
    Left,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    Pressed,
    Rated,
)
from bot.domain.text import storable

Payload = dict[str, Any]
Reader = Callable[[Payload, Places, float], Event | None]

_WRITTEN_BY_PEOPLE = (0, 19)  # default and reply; all others are notices, or answers to commands
_COMMAND, _COMPONENT = 2, 3
_EPOCH_MS = 1_420_070_400_000  # Discord's first second, as its ids count
_RATINGS = MappingProxyType({"\N{THUMBS UP SIGN}": 1, "\N{THUMBS DOWN SIGN}": -1})
_SUBCOMMANDS = (1, 2)


def event_from(name: str, data: Payload, places: Places, now: float) -> Event | None:
    """Translate one dispatch; None when it means nothing to the core or has an unknown shape.

    Args:
        name: Discord's name of the dispatch, as MESSAGE_CREATE.
        data: its payload; a message read back over REST needs `guild_id` and `member` added.
        places: what is known about channels, threads and roles.
        now: seconds since 1970, for events that carry no time.
    """
    reader = READERS.get(name)
    if reader is None:
        return None
    try:
        return reader(data, places, now)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
        return None


def moment(snowflake: str) -> float:
    """Return when an id was made, in seconds since 1970."""
    return ((int(snowflake) >> 22) + _EPOCH_MS) / 1000


def earliest(moment: float) -> int:
    """Return the smallest id that could have been made at `moment`, in seconds since 1970."""
    return (int(moment * 1000) - _EPOCH_MS) << 22


def _received(data: Payload, places: Places, _now: float) -> Event | None:
    if data["type"] not in _WRITTEN_BY_PEOPLE or data["author"]["id"] == places.me:
        return None
    text = readable(data["content"], data, places)
    quoted, quoted_by = enclosed.quoted(data, places)
    attachments = enclosed.files(data)
    if not (text or quoted or attachments or data["content"]):
        return None
    guild = data.get("guild_id") or ""
    return MessageReceived(
        id=f"{PLATFORM}:{data['id']}",
        at=moment(data["id"]),
        conversation=places.conversation(guild, data["channel_id"]),
        author=author(data, places),
        text=text,
        message=data["id"],
        addressed=not guild or _addressed(data, places, guild),
        private=not guild,
        closed=data["channel_id"] in places.closed,
        quoted=quoted,
        quoted_by=quoted_by,
        answers=enclosed.answered(data),
        attachments=attachments,
    )


def _edited(data: Payload, places: Places, _now: float) -> Event | None:
    """Read an edit; an unfurled link is an update too, but carries no `edited_timestamp`."""
    stamp = data.get("edited_timestamp")
    if not stamp or data["author"]["id"] == places.me:
        return None
    return MessageEdited(
        id=f"{PLATFORM}:{data['id']}:edit:{stamp}",
        at=datetime.fromisoformat(stamp).timestamp(),
        conversation=_conversation(data, places),
        author=author(data, places),
        message=data["id"],
        text=readable(data["content"], data, places),
        private=not data.get("guild_id"),
        closed=data["channel_id"] in places.closed,
    )


def _deleted(data: Payload, places: Places, now: float) -> Event | None:
    messages = tuple(data["ids"]) if "ids" in data else (data["id"],)
    return MessageDeleted(
        id=f"{PLATFORM}:{messages[0]}:delete",
        at=now,
        conversation=_conversation(data, places),
        messages=messages,
    )


def _liked(data: Payload, places: Places, now: float) -> Event | None:
    return _rated(data, places, now, taken_back=False)


def _unliked(data: Payload, places: Places, now: float) -> Event | None:
    return _rated(data, places, now, taken_back=True)


def _rated(data: Payload, places: Places, now: float, *, taken_back: bool) -> Event | None:
    """Read a reaction; Discord numbers none, so the time of arrival makes the id."""
    value = _RATINGS.get((data["emoji"].get("name") or "")[:1])
    not_ours = data.get("message_author_id", places.me) != places.me
    if value is None or not_ours or data["user_id"] == places.me:
        return None
    member = data.get("member") or {}
    return Rated(
        id=f"{PLATFORM}:{data['message_id']}:rated:{data['user_id']}:{now:.6f}",
        at=now,
        conversation=_conversation(data, places),
        author=person({"id": data["user_id"], **(member.get("user") or {})}, data, places),
        message=data["message_id"],
        value=0 if taken_back else 1 if value > 0 else -1,
    )


def _interaction(data: Payload, places: Places, _now: float) -> Event | None:
    guild = data.get("guild_id") or ""
    member = data.get("member") or {}
    channel = data.get("channel") or {"id": data["channel_id"]}
    common: Payload = {
        "id": f"{PLATFORM}:{data['id']}",
        "at": moment(data["id"]),
        "conversation": places.of_channel(guild, channel),
        "author": person(member.get("user") or data["user"], data, places),
        "private": not guild,
        "closed": places.is_closed(channel),
    }
    way_back = f"{data['application_id']}/{data['token']}"
    if data["type"] == _COMMAND:
        words = " ".join(_words(data["data"].get("options") or ()))
        return CommandGiven(
            **common, name=data["data"]["name"], words=storable(words), reply_via=way_back
        )
    if data["type"] == _COMPONENT:
        action, _, value = data["data"]["custom_id"].partition(":")
        message = data["message"]["id"]
        return Pressed(
            **common, action=action, value=value, message=message, reply_via=f"{way_back}/followup"
        )
    return None


def _joined(data: Payload, places: Places, now: float) -> Event | None:
    """Read a GUILD_CREATE; for servers that READY announced it only completes what is known."""
    if data["id"] in places.guilds:
        return None
    channel = data.get("system_channel_id") or ""
    stamp = data.get("joined_at") or int(now)
    return Joined(
        id=f"{PLATFORM}:{data['id']}:joined:{stamp}",
        at=now,
        conversation=Conversation(platform=PLATFORM, workspace=data["id"], channel=channel),
    )


def _left_guild(data: Payload, _places: Places, now: float) -> Event | None:
    if data.get("unavailable"):  # an outage, not a farewell
        return None
    place = Conversation(platform=PLATFORM, workspace=data["id"], channel="")
    return Left(id=f"{PLATFORM}:{data['id']}:left:{int(now)}", at=now, conversation=place)


def _left_channel(data: Payload, places: Places, now: float) -> Event | None:
    place = places.of_channel(data["guild_id"], data)
    return Left(id=f"{PLATFORM}:{data['id']}:left", at=now, conversation=place)


def _conversation(data: Payload, places: Places) -> Conversation:
    return places.conversation(data.get("guild_id") or "", data["channel_id"])


def _addressed(data: Payload, places: Places, guild: str) -> bool:
    if any(user["id"] == places.me for user in data.get("mentions") or ()):
        return True
    if places.roles.get(guild) in (data.get("mention_roles") or ()):
        return True
    return enclosed.replied_to(data) == places.me


def _words(options: Any) -> list[str]:
    words = []
    for option in options:
        if option["type"] in _SUBCOMMANDS:
            words += [option["name"], *_words(option.get("options") or ())]
        else:
            words.append(str(option["value"]))
    return words


READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "MESSAGE_CREATE": _received,
        "MESSAGE_UPDATE": _edited,
        "MESSAGE_DELETE": _deleted,
        "MESSAGE_DELETE_BULK": _deleted,
        "MESSAGE_REACTION_ADD": _liked,
        "MESSAGE_REACTION_REMOVE": _unliked,
        "INTERACTION_CREATE": _interaction,
        "GUILD_CREATE": _joined,
        "GUILD_DELETE": _left_guild,
        "CHANNEL_DELETE": _left_channel,
        "THREAD_DELETE": _left_channel,
    }
)
