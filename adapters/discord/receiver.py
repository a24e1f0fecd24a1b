"""Listens to Discord: connection, queues, deferred interactions, messages that were missed.

Life cycle: log in, read the marks, hold the gateway connection until cancelled. What was missed
before a fresh session is found out by `missed`.
"""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.discord.backfill import Backfill
from adapters.discord.gateway import Gateway
from adapters.discord.inbound import READERS, event_from
from adapters.discord.interactions import Interactions
from adapters.discord.lanes import Lanes
from adapters.discord.marks import Bookmarks
from adapters.discord.missed import Missed
from adapters.discord.places import LEARNED, Places
from adapters.discord.session import Session
from bot.domain.errors import ConfigError, Unreachable
from bot.domain.events import CommandGiven, Event, Pressed
from bot.ports.platform import Inbox, Marks, Pulse

_log = logging.getLogger(__name__)
_HEARD: Final = (*READERS, *LEARNED, "RESUMED")
_FLUSH_EVERY: Final = 1.0  # seconds
_LOGIN_PAUSE: Final = 2.0


@dataclass(slots=True)
class DiscordReceiver:
    """The listening side of Discord."""

    session: Session
    marks: Marks
    pulse: Pulse
    places: Places = field(default_factory=Places)

    async def listen(self, inbox: Inbox) -> None:
        """Hand events to the core until cancelled; reconnects by itself.

        Raises:
            ConfigError: Discord refuses the token or the intents for good.
        """
        self.session.hold()
        bookmarks = Bookmarks(self.marks)
        places = self.places
        lanes = Lanes(inbox.accept, Backfill(self.session, places).fetch, bookmarks)
        missed = Missed(lanes, bookmarks, places, self.session.settings.backfill_hours)
        ears = _Ears(lanes, Interactions(self.session, inbox), missed, places)
        try:
            await bookmarks.load()
            client = await self._logged_in()
            places.me = str(client.user.id) if client.user else ""
            lanes.spawn(_flush_often(bookmarks))
            await Gateway(client, ears.hear, _HEARD, self.pulse).run()
        except ConfigError as error:
            self.pulse.down(str(error))
            raise
        finally:
            await lanes.close()
            bookmarks.flush()
            await self.session.release()

    async def _logged_in(self) -> Any:
        while True:
            try:
                return await self.session.login()
            except Unreachable as error:
                self.pulse.down(str(error))
                _log.warning("discord: %s; trying again", error)
                await asyncio.sleep(_LOGIN_PAUSE)


@dataclass(slots=True)
class _Ears:
    """Takes each dispatch where it belongs; runs in the gateway's reader, so it never waits."""

    lanes: Lanes
    interactions: Interactions
    missed: Missed
    places: Places

    def hear(self, name: str, data: dict[str, Any]) -> None:
        event = event_from(name, data, self.places, time.time())
        try:
            if event is not None:
                self._take(event)
            elif name == "MESSAGE_CREATE":
                self.missed.pass_over(data)
            if name in LEARNED:
                self._learn(name, data)
        except (LookupError, TypeError, ValueError, AttributeError):
            _log.warning("discord: a %s has an unknown shape", name)

    def _take(self, event: Event) -> None:
        if isinstance(event, CommandGiven | Pressed):
            self.lanes.spawn(self.interactions.take(event))
        else:
            self.missed.precede(event)
            self.lanes.put(event)

    def _learn(self, name: str, data: dict[str, Any]) -> None:
        joined = data.get("id") not in self.places.guilds
        self.places.learn(name, data)
        if name == "READY":
            self.missed.begin()
            _log.info("discord: connected; %d servers", len(self.places.guilds))
        elif name == "GUILD_CREATE":
            self.missed.compare(data, joined=joined)


async def _flush_often(bookmarks: Bookmarks) -> None:
    while True:
        await asyncio.sleep(_FLUSH_EVERY)
        bookmarks.flush()
