"""Which channels of a server the bot may see, so that the others are not asked for in vain.

Discord lists hidden channels too, and bans an address that is refused 10,000 times in ten minutes.
https://discord.com/developers/docs/topics/permissions#permission-overwrites.
"""

from collections.abc import Iterable
from typing import Any

_VIEW_CHANNEL, _ADMINISTRATOR = 1 << 10, 1 << 3

Payload = dict[str, Any]


def hidden(guild: Payload, me: str) -> frozenset[str]:
    """Return the channels of a GUILD_CREATE that the bot surely cannot see, by id.

    Args:
        guild: the payload; without the bot's own member nothing is sure.
        me: the bot's user id.
    """
    members = (m for m in guild.get("members") or () if (m.get("user") or {}).get("id") == me)
    member = next(members, None)
    if member is None:
        return frozenset()
    everyone, mine = guild["id"], set(member["roles"])
    granted = 0
    for role in guild["roles"]:
        if role["id"] == everyone or role["id"] in mine:
            granted |= int(role["permissions"])
    if granted & _ADMINISTRATOR:
        return frozenset()
    ranks = ({everyone}, mine, {me})  # the later one wins
    return frozenset(
        channel["id"]
        for channel in guild.get("channels") or ()
        if not _overwritten(granted, channel, ranks) & _VIEW_CHANNEL
    )


def _overwritten(granted: int, channel: Payload, ranks: Iterable[set[str]]) -> int:
    overwrites = channel.get("permission_overwrites") or ()
    for rank in ranks:
        allowed = denied = 0
        for overwrite in overwrites:
            if overwrite["id"] in rank:
                allowed |= int(overwrite["allow"])
                denied |= int(overwrite["deny"])
        granted = granted & ~denied | allowed
    return granted
