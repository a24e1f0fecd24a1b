"""Where people talk and who talks there.

A `Conversation` is the lane key: its string form names the lane in the store and in logs. Whether
it is private is a fact of an event, never of the key.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self
from urllib.parse import quote, unquote

KNOWN = 4096  # names of places and people that are kept, since each message asks for some often


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A place where people and the bot talk: one lane, one name in the logs."""

    platform: str
    workspace: str = ""  # a Slack team, a Discord server, or empty
    channel: str
    thread: str = ""  # a Slack thread, a Discord thread, a Telegram topic, or empty

    def __str__(self) -> str:
        """Percent-encode each part, so that `parse(str(c)) == c` whatever the parts contain."""
        return _named(self.platform, self.workspace, self.channel, self.thread)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the string form back; raises ValueError when it has not four parts."""
        platform, workspace, channel, thread = (unquote(part) for part in text.split(":"))
        return cls(platform=platform, workspace=workspace, channel=channel, thread=thread)

    @property
    def parent(self) -> "Conversation":
        """The channel that this thread belongs to; a channel is its own parent."""
        if not self.thread:
            return self
        return Conversation(platform=self.platform, workspace=self.workspace, channel=self.channel)

    def within(self, place: "Conversation") -> bool:
        """Tell whether this lies in a thread, in a channel, or, without one, in a workspace."""
        return (
            (self.platform, self.workspace) == (place.platform, place.workspace)
            and place.channel in ("", self.channel)
            and place.thread in ("", self.thread)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who writes: ids decide, the name is only shown."""

    platform: str
    workspace: str = ""  # empty where user ids are global (Discord, Telegram)
    user: str
    name: str = ""
    bot: bool = False
    roles: tuple[str, ...] = ()  # as the platform says: Discord role ids, "administrator", …

    def __str__(self) -> str:
        """Return `platform:workspace:user`, the form that the configuration uses."""
        return _named(self.platform, self.workspace, self.user)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read that form back; raises ValueError when it has not three parts."""
        platform, workspace, user = (unquote(part) for part in text.split(":"))
        return cls(platform=platform, workspace=workspace, user=user)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where one reply goes, with everything a sender needs and nothing it must ask for."""

    conversation: Conversation
    answers: str = ""  # platform's id of the message that is answered
    several: bool = False  # whether other replies of ours may answer the same message
    person: str = ""  # platform's id of the user who is answered
    private: bool = False  # a direct message
    hidden: bool = False  # only the asking person should see it, where the platform can
    reply_via: str = field(default="", repr=False)  # interaction token or response URL: a secret
    key: str = ""  # the same for every attempt of one turn: nonce, metadata


@lru_cache(KNOWN)
def _named(*parts: str) -> str:
    """Join parts to a name that splits into the same ones."""
    return ":".join(quote(part, safe=".-") for part in parts)
