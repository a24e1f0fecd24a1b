"""Finds out where messages were missed, and queues a gap there, before anything newer.

Every fresh session (READY, as opposed to RESUMED) may have missed messages. Of direct conversations
Discord tells nothing, so each marked one is read at once. A server's GUILD_CREATE lists its
channels and active threads with their newest message: what is newer than its mark was missed. What
has no mark, because it is new or was silent until now, counts from the mark of its server: that is
set when the server is first seen, at the newest message that it then holds, so that the past is not
answered.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapters.discord.inbound import earliest
from adapters.discord.lanes import Gap, Lanes
from adapters.discord.marks import Bookmarks
from adapters.discord.places import PLATFORM, Places
from bot.domain.conversation import Conversation
from bot.domain.events import Event


@dataclass(slots=True)
class Missed:
    """Compares what Discord holds with the marks; never waits."""

    lanes: Lanes
    bookmarks: Bookmarks
    places: Places
    hours: int  # what is older is not looked for
    # Marked conversations of servers whose GUILD_CREATE has not come yet in this session.
    _awaited: dict[str, set[Conversation]] = field(default_factory=dict)
    _seen_until: int = 0  # the newest mark when the session began, 0 on the first start ever

    def begin(self) -> None:
        """Take in that a session began, after `places` learned from its READY."""
        newest = self.bookmarks.newest
        self._seen_until = max(newest.values(), default=0)
        self._awaited = {guild: set() for guild in self.places.guilds}
        for conversation in sorted(newest, key=newest.__getitem__, reverse=True):
            self.places.recall(conversation)
            if not conversation.workspace:
                self.lanes.put(Gap(conversation, newest[conversation]))
            elif conversation.workspace in self._awaited:
                self._awaited[conversation.workspace].add(conversation)

    def compare(self, guild: dict[str, Any], *, joined: bool) -> None:
        """Take in a GUILD_CREATE; `joined` says that the bot has only now come to the server.

        Marked threads that are not listed are archived: they are looked into while they are recent.
        What was said before the bot came does not concern it.
        """
        listed = dict(self.places.inventory(guild))
        begin = 0 if joined else self._beginning(guild["id"])
        begin = begin or max(listed.values(), default=0) or 1
        self.bookmarks.meet(_server(guild["id"]), begin)
        recent = max(earliest(time.time() - self.hours * 3600), _arrival(guild))
        for conversation, last in listed.items():
            after = max(self.bookmarks.newest.get(conversation, begin), recent)
            if last > after:
                self.lanes.put(Gap(conversation, after))
        for conversation in self._awaited.pop(guild["id"], set()) - listed.keys():
            if conversation.thread and self.bookmarks.newest[conversation] > recent:
                self.lanes.put(Gap(conversation, recent))

    def precede(self, event: Event) -> None:
        """Put what an event's conversation may have missed before it, when its server is late."""
        place = event.conversation
        marked = self._awaited.get(place.workspace)
        if marked is None:
            return
        begin = self._beginning(place.workspace)
        if place in marked or (begin and place not in self.bookmarks.newest):
            marked.discard(place)
            self.lanes.put(Gap(place, self.bookmarks.newest.get(place, begin)))

    def pass_over(self, message: dict[str, Any]) -> None:
        """Move the mark over a message that means nothing to the core, as the bot's own answers.

        Else each of them would be looked for at the next start. Where something waits, it is.
        """
        place = self.places.conversation(message.get("guild_id") or "", message["channel_id"])
        settled = place.workspace not in self._awaited and not self.lanes.busy(place)
        if settled and place in self.bookmarks.newest:
            self.bookmarks.note(place, int(message["id"]))

    def _beginning(self, guild: str) -> int:
        """Return from where on an unmarked conversation is read; 0 when nothing was read ever."""
        return self.bookmarks.newest.get(_server(guild), self._seen_until)


def _server(guild: str) -> Conversation:
    return Conversation(platform=PLATFORM, workspace=guild, channel="")


def _arrival(guild: dict[str, Any]) -> int:
    """Return the smallest id that a message could have after the bot had come to a server."""
    came = guild.get("joined_at")
    return earliest(datetime.fromisoformat(came).timestamp()) if came else 0
