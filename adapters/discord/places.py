"""Which channels, threads and servers there are, as far as the gateway has told.

Discord names only the channel in most payloads: that a channel is a thread, and of which channel,
must be remembered from earlier ones. No I/O; everything is learned from dispatches.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from adapters.discord.ranks import Ranks
from adapters.discord.sight import hidden
from bot.domain.conversation import Conversation

PLATFORM = "discord"
_THREADS = frozenset((10, 11, 12))  # announcement, public and private threads; forum posts are 11
_PRIVATE = 12
_WITHOUT_MESSAGES = frozenset((4, 14, 15, 16))  # category, directory, forum, media

LEARNED = frozenset(
    ("READY", "GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE",
     "CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE",
     "THREAD_CREATE", "THREAD_UPDATE", "THREAD_DELETE", "THREAD_LIST_SYNC",
     "GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE", "GUILD_ROLE_DELETE")
)  # fmt: skip


@dataclass(slots=True)
class Places:
    """What is known about the bot's surroundings; ids are Discord's snowflakes as text."""

    me: str = ""  # the bot's user id
    guilds: set[str] = field(default_factory=set)
    parents: dict[str, str] = field(default_factory=dict)  # thread → its channel
    closed: set[str] = field(default_factory=set)  # threads that not all of their channel may read
    names: dict[str, str] = field(default_factory=dict)  # channel or thread → name
    roles: dict[str, str] = field(default_factory=dict)  # server → the bot's own role there
    ranks: Ranks = field(default_factory=Ranks)

    def conversation(self, guild: str, channel: str) -> Conversation:
        """Name the lane of a channel; `guild` is empty for direct messages."""
        parent = self.parents.get(channel)
        if parent is None:
            return Conversation(platform=PLATFORM, workspace=guild, channel=channel)
        return Conversation(platform=PLATFORM, workspace=guild, channel=parent, thread=channel)

    def of_channel(self, guild: str, channel: dict[str, Any]) -> Conversation:
        """Name the lane of a channel object, which says by itself whether it is a thread."""
        if channel.get("type") not in _THREADS:
            return self.conversation(guild, channel["id"])
        parent, thread = channel["parent_id"], channel["id"]
        return Conversation(platform=PLATFORM, workspace=guild, channel=parent, thread=thread)

    def recall(self, conversation: Conversation) -> None:
        """Take in a thread of which Discord may not tell again, since it is archived.

        Whether it is a private one is not known: until Discord tells, it may be.
        """
        if conversation.thread and conversation.thread not in self.parents:
            self.parents[conversation.thread] = conversation.channel
            self.closed.add(conversation.thread)

    def is_closed(self, channel: dict[str, Any]) -> bool:
        """Tell whether a channel is a thread that not all of its channel may read."""
        kind = channel.get("type")
        return channel["id"] in self.closed if kind is None else bool(kind == _PRIVATE)

    def learn(self, name: str, data: dict[str, Any]) -> None:
        """Take in one of the dispatches named in `LEARNED`."""
        match name:
            case "READY":
                self.guilds = {guild["id"] for guild in data["guilds"]}
            case "GUILD_CREATE" | "GUILD_UPDATE":
                self._enter(data)
            case "GUILD_DELETE":
                self._leave(data)
            case "GUILD_ROLE_DELETE":
                self.ranks.forget(data["guild_id"], data["role_id"])
            case "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE":
                self._learn_role(data["guild_id"], data["role"])
            case "THREAD_LIST_SYNC":
                self._learn_channels(data["threads"])
            case "CHANNEL_DELETE" | "THREAD_DELETE":
                self.parents.pop(data["id"], None)
                self.closed.discard(data["id"])
                self.names.pop(data["id"], None)
            case _:
                self._learn_channels([data])

    def inventory(self, guild: dict[str, Any]) -> Iterator[tuple[Conversation, int]]:
        """Walk the channels and active threads of a GUILD_CREATE that hold messages for the bot.

        With each comes the id of its newest message, 0 when it is empty.
        """
        unseen = hidden(guild, self.me)
        for channel in (*guild.get("channels", ()), *guild.get("threads", ())):
            if channel["type"] in _WITHOUT_MESSAGES:  # a forum's "last message" is a thread
                continue
            if unseen.isdisjoint((channel["id"], channel.get("parent_id"))):
                newest = int(channel.get("last_message_id") or 0)
                yield self.of_channel(guild["id"], channel), newest

    def _enter(self, guild: dict[str, Any]) -> None:
        self.guilds.add(guild["id"])
        self.ranks.enter(guild)
        self._learn_channels(guild.get("channels", ()))
        self._learn_channels(guild.get("threads", ()))
        for role in guild.get("roles", ()):
            self._learn_role(guild["id"], role)

    def _leave(self, guild: dict[str, Any]) -> None:
        if not guild.get("unavailable"):  # else an outage: it will come back
            self.guilds.discard(guild["id"])
            self.ranks.leave(guild["id"])

    def _learn_channels(self, channels: Iterable[dict[str, Any]]) -> None:
        for channel in channels:
            self.names[channel["id"]] = channel.get("name") or ""
            if channel["type"] in _THREADS:
                self.parents[channel["id"]] = channel["parent_id"]
                self.closed.discard(channel["id"])
            if channel["type"] == _PRIVATE:
                self.closed.add(channel["id"])

    def _learn_role(self, guild: str, role: dict[str, Any]) -> None:
        self.ranks.learn(guild, role)
        if (role.get("tags") or {}).get("bot_id") == self.me:
            self.roles[guild] = role["id"]
