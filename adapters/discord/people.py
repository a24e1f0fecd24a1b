"""Who wrote, pressed or reacted: by id, never by name, with the roles that the payload tells."""

from collections.abc import Mapping
from typing import Any

from adapters.discord.places import PLATFORM, Places
from bot.domain.conversation import Person
from bot.domain.text import storable

Payload = Mapping[str, Any]


def author(message: Payload, places: Places) -> Person:
    """Name the author of a message; whoever writes through a webhook is a bot without roles."""
    if "webhook_id" in message:
        return person({**message["author"], "bot": True}, {}, places)
    return person(message["author"], message, places)


def person(user: Payload, payload: Payload, places: Places) -> Person:
    """Name a user, as the member that a payload shows of the server that it is about."""
    guild, member = payload.get("guild_id") or "", payload.get("member") or {}
    name = member.get("nick") or user.get("global_name") or user.get("username") or ""
    roles = tuple(member.get("roles") or ()) if guild else ()
    return Person(
        platform=PLATFORM,
        user=user["id"],
        name=storable(name),
        bot=bool(user.get("bot")),
        roles=roles + places.ranks.words(guild, user["id"], member),
    )
