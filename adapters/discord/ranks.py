"""What people may do on a server, as its roles say; learned from dispatches, no I/O.

A role counts only on its own server: an id from elsewhere, or anything in a direct message, gives
nothing. https://discord.com/developers/docs/topics/permissions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

_ADMINISTRATOR: Final = 1 << 3  # may do everything, whatever else is said
_WORDS: Final = MappingProxyType(
    {
        "administrator": _ADMINISTRATOR,
        "manage_guild": 1 << 5,
        "manage_messages": 1 << 13,
        "moderate_members": 1 << 40,
    }
)

Payload = Mapping[str, Any]


@dataclass(slots=True)
class Ranks:
    """The owner of each server, and what each of its roles permits."""

    _owners: dict[str, str] = field(default_factory=dict)  # server → user
    _permits: dict[str, dict[str, int]] = field(default_factory=dict)  # server → role → bits

    def enter(self, guild: Payload) -> None:
        """Take in a whole server, from GUILD_CREATE or GUILD_UPDATE."""
        self._owners[guild["id"]] = guild.get("owner_id") or ""
        self._permits[guild["id"]] = {}
        for role in guild.get("roles") or ():
            self.learn(guild["id"], role)

    def leave(self, guild: str) -> None:
        """Forget a server."""
        self._owners.pop(guild, None)
        self._permits.pop(guild, None)

    def learn(self, guild: str, role: Payload) -> None:
        """Take in a role that is new or was changed."""
        self._permits.setdefault(guild, {})[role["id"]] = int(role.get("permissions") or 0)

    def forget(self, guild: str, role: str) -> None:
        """Take in that a role is gone."""
        self._permits.get(guild, {}).pop(role, None)

    def words(self, guild: str, user: str, member: Payload) -> tuple[str, ...]:
        """Say what a member may do; nothing for who is no member of a server.

        Args:
            guild: the server that the payload is about, empty in direct messages.
            user: whose permissions are asked for.
            member: as the payload shows them: `permissions` only come with interactions.
        """
        if not (guild and member):
            return ()
        owner = self._owners.get(guild) == user
        told = member.get("permissions")
        granted = int(told) if told else self._granted(guild, member.get("roles") or ())
        if owner or granted & _ADMINISTRATOR:
            granted = sum(_WORDS.values())
        allowed = tuple(word for word, bit in _WORDS.items() if granted & bit)
        return ("owner", *allowed) if owner else allowed

    def _granted(self, guild: str, roles: Iterable[str]) -> int:
        permits, granted = self._permits.get(guild, {}), 0
        for role in (guild, *roles):  # everybody has the role whose id is the server's
            granted |= permits.get(role, 0)
        return granted
