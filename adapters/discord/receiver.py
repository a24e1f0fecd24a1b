"""Listens to Discord: connection, queues, deferred interactions, messages that were missed.

Life cycle: log in, read the marks, hold the gateway connection until cancelled. Every fresh session
(READY, as opposed to RESUMED) may have missed messages, so for each marked conversation a gap is
queued: at once for direct messages, of which Discord tells nothing; for channels and threads when
their server's GUILD_CREATE tells that they hold something newer than the mark.
"""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.discord.backfill import Backfill
from adapters.discord.gateway import Gateway
from adapters.discord.inbound import READERS, earliest, event_from
from adapters.discord.interactions import Interactions
from adapters.discord.lanes import Gap, Lanes
from adapters.discord.marks import Bookmarks
from adapters.discord.places import LEARNED, Places
from adapters.discord.session import Session
from bot.domain.conversation import Conversation
from bot.domain.errors import Unreachable
from bot.domain.events import CommandGiven, Pressed
from bot.ports.platform import Inbox, Marks

_log = logging.getLogger(__name__)
_HEARD: Final = (*READERS, *LEARNED, "RESUMED")
_FLUSH_EVERY: Final = 1.0  # seconds
_LOGIN_PAUSE: Final = 2.0


@dataclass(slots=True)
class DiscordReceiver:
    """The listening side of Discord."""

    session: Session
    marks: Marks

    async def listen(self, inbox: Inbox) -> None:
        """Hand events to the core until cancelled; reconnects by itself.

        Raises:
            ConfigError: Discord refuses the token or the intents for good.
        """
        self.session.hold()
        bookmarks = Bookmarks(self.marks)
        places = Places()
        lanes = Lanes(inbox.accept, Backfill(self.session, places).fetch, bookmarks)
        ears = _Ears(lanes, Interactions(self.session, inbox), bookmarks, places)
        try:
            await bookmarks.load()
            client = await self._logged_in()
            places.me = str(client.user.id) if client.user else ""
            lanes.spawn(_flush_often(bookmarks))
            await Gateway(client, ears.hear, _HEARD).run()
        finally:
            await lanes.close()
            bookmarks.flush()
            await self.session.release()

    async def _logged_in(self) -> Any:
        while True:
            try:
                return await self.session.login()
            except Unreachable as error:
                _log.warning("discord: %s; trying again", error)
                await asyncio.sleep(_LOGIN_PAUSE)


@dataclass(slots=True)
class _Ears:
    """Takes each dispatch where it belongs; runs in the gateway's reader, so it never waits."""

    lanes: Lanes
    interactions: Interactions
    bookmarks: Bookmarks
    places: Places
    # Marked conversations, by server, whose GUILD_CREATE has not come yet in this session.
    pending: dict[str, set[Conversation]] = field(default_factory=dict)
    seen_until: int = 0  # the newest mark when the session began

    def hear(self, name: str, data: dict[str, Any]) -> None:
        event = event_from(name, data, self.places, time.time())
        if name in LEARNED:
            try:
                self._learn(name, data)
            except (LookupError, TypeError, ValueError, AttributeError):
                _log.warning("discord: a %s has an unknown shape", name)
        if event is None:
            return
        if isinstance(event, CommandGiven | Pressed):
            self.lanes.spawn(self.interactions.take(event))
            return
        if event.conversation in self.pending.get(event.conversation.workspace, ()):
            self._catch_up(event.conversation)
        self.lanes.put(event)

    def _learn(self, name: str, data: dict[str, Any]) -> None:
        known = data.get("id") in self.places.guilds
        self.places.learn(name, data)
        if name == "READY":
            self._begin()
        elif name == "GUILD_CREATE" and known:
            self._compare(data)

    def _begin(self) -> None:
        """A fresh session: everything behind the marks may have been missed."""
        newest = self.bookmarks.newest
        self.seen_until = max(newest.values(), default=0)
        self.pending = {}
        for conversation in sorted(newest, key=newest.__getitem__, reverse=True):
            if conversation.workspace:
                self.pending.setdefault(conversation.workspace, set()).add(conversation)
            else:
                self.lanes.put(Gap(conversation, newest[conversation]))
        _log.info("discord: connected; %d conversations known", len(newest))

    def _compare(self, guild: dict[str, Any]) -> None:
        """Queue a gap wherever a server holds something newer than its mark.

        Threads and forum posts without a mark may have begun while nobody listened. Marked threads
        that are not listed are archived: they are looked into while they are recent.
        """
        marked = self.pending.pop(guild["id"], set())
        for conversation, last in self.places.inventory(guild):
            after = self.bookmarks.newest.get(conversation)
            if after is None and conversation.thread and self.seen_until:
                after = self.seen_until
            if after is not None and last > after:
                self.lanes.put(Gap(conversation, after))
            marked.discard(conversation)
        hours = self.interactions.session.settings.backfill_hours
        recent = earliest(time.time() - hours * 3600)
        for conversation in marked:
            if conversation.thread and self.bookmarks.newest[conversation] > recent:
                self.lanes.put(Gap(conversation, 0))

    def _catch_up(self, conversation: Conversation) -> None:
        self.pending[conversation.workspace].discard(conversation)
        self.lanes.put(Gap(conversation, 0))


async def _flush_often(bookmarks: Bookmarks) -> None:
    while True:
        await asyncio.sleep(_FLUSH_EVERY)
        bookmarks.flush()
