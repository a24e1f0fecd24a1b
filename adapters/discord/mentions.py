"""Discord's mention tokens in words that a reader understands."""

import re
from typing import Any

from adapters.discord.places import Places
from bot.domain.text import storable

_TOKEN = re.compile(r"<(?:@!?(\d+)|@&(\d+)|#(\d+)|a?:(\w+):\d+|/([^:>\n]+):\d+)>")


def readable(text: str, data: dict[str, Any], places: Places) -> str:
    """Name people, channels, emoji and commands; the bot's own mention goes.

    Args:
        text: what was written.
        data: the message around it: its `mentions` hold the names, its `guild_id` the server.
        places: names of channels, and which role is the bot's own.
    """
    if "<" not in text:
        return storable(text).strip()
    names = {user["id"]: _name(user) for user in data.get("mentions") or ()}
    role = places.roles.get(data.get("guild_id") or "")

    def plain(token: re.Match[str]) -> str:
        person, group, channel, emoji, command = token.groups()
        if person:
            return "" if person == places.me else f"@{names.get(person) or person}"
        if group:
            return "" if group == role else "@role"
        if channel:
            return f"#{places.names.get(channel) or channel}"
        return f":{emoji}:" if emoji else f"/{command}"

    return storable(_TOKEN.sub(plain, text)).strip()


def _name(user: dict[str, Any]) -> str:
    member = user.get("member") or {}
    name: str = member.get("nick") or user.get("global_name") or user.get("username") or ""
    return name
