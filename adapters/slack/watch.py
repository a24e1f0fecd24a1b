"""Notices a socket that is connected but deaf: pings go on, but events do not come.

Slack's servers answer pings on a connection that they deliver nothing to, and silence alone proves
nothing where people are silent (https://github.com/slackapi/python-slack-sdk/issues/1701,
https://github.com/openclaw/openclaw/issues/69157). So when no event came for a while, some channels
are looked into over the Web API: if somebody wrote there and the event does not follow within
seconds, the socket is deaf. That is at most nine calls of a method in a minute, of the fifty that
Slack allows, and none while events come.
"""

import asyncio
import logging
import math
from dataclasses import dataclass, field
from typing import Final

from adapters.slack.catchup import Catchup
from adapters.slack.history import History, News
from adapters.slack.marks import newest_first
from adapters.slack.payloads import seconds
from adapters.slack.web import Rejected
from bot.domain.conversation import Conversation
from bot.domain.errors import DeliveryError, Gone, Unreachable
from bot.domain.events import MessageReceived
from bot.ports.platform import Pulse

EVERY: Final = 20.0  # seconds between two looks
GRACE: Final = 5.0  # seconds within which an event must follow what the Web API shows
_OTHERS: Final = 2  # channels looked into beside the most recently active one, in turn
_GLANCE: Final = 15, 24.0  # messages that a look reads, and for how many hours back
_MEET: Final = 15  # looks after which new conversations are asked for

_log = logging.getLogger(__name__)


class Deaf(Unreachable):
    """Slack's socket is connected, but events do not come through it."""


@dataclass(slots=True)
class Watch:
    """Whether events come in."""

    catchup: Catchup
    pulse: Pulse
    every: float = EVERY
    grace: float = GRACE
    _came: float = math.inf  # when the last event came, on the loop's clock; not connected yet
    _doubted: bool = False  # the last connection was deaf: this one has to prove itself
    _unaddressed: bool = False  # events come also of messages that do not name the bot
    _seen: dict[Conversation, str] = field(default_factory=dict)  # up to where a look was clean
    _looks: int = 0

    def connected(self) -> None:
        """Note that a connection stands."""
        self._came = asyncio.get_running_loop().time()
        if not self._doubted:
            self.pulse.up()

    def heard(self) -> None:
        """Note that something came in."""
        self._came = asyncio.get_running_loop().time()
        if self._doubted:
            self._trust()

    def received(self, event: MessageReceived) -> None:
        """Learn from a live message what Slack tells this app about."""
        self._unaddressed = self._unaddressed or not event.addressed

    async def keep(self) -> None:
        """Look from time to time, until the connection is known to be deaf.

        Raises:
            Deaf: somebody wrote, and no event came.
        """
        clock, self._came = asyncio.get_running_loop().time, math.inf
        while True:
            silence = self.grace if self._doubted else self.every
            await asyncio.sleep(silence)
            if clock() - self._came >= silence:
                unheard = await self._look()
                if unheard:
                    await self._wait_for(unheard)
                if self._doubted:
                    self._trust()

    async def _wait_for(self, unheard: list[MessageReceived]) -> None:
        """Give events the time to follow. Raises Deaf when one of them does not."""
        await asyncio.sleep(self.grace)
        if not all(map(self.catchup.bookmarks.knows, unheard)):
            self._doubted = True
            raise Deaf("Slack's socket is connected, but events do not come through it")

    async def _look(self) -> list[MessageReceived]:
        """Return messages of which an event should have come."""
        await self._meet()
        unheard: list[MessageReceived] = []
        for channel in self._chosen():
            try:
                news = await self._glance(channel)
            except (Rejected, Gone) as error:
                self.catchup.unreadable.add(channel)
                _log.info("%s cannot be looked into: %s", channel, error)
            except DeliveryError as error:
                _log.info("%s was not looked into: %s", channel, error)
            else:
                self._seen[channel] = news.newest or self._seen.get(channel, "")
                unheard += filter(self._expected, news.events)
        return unheard

    async def _meet(self) -> None:
        if self._looks % _MEET == 0 and not self.catchup.meeting:
            try:
                await self.catchup.meet()
            except DeliveryError as error:
                _log.info("new Slack conversations cannot be looked for: %s", error)
        self._looks += 1

    def _chosen(self) -> list[Conversation]:
        """Name the most recently active channel, and others in turn."""
        marks = self.catchup.bookmarks
        closed = self.catchup.unreadable | marks.held  # in a gap, nothing need have been heard
        places = [place for place in newest_first(marks.newest) if place not in closed]
        first, others = places[:1], places[1:]
        turn = self._looks * _OTHERS % max(1, len(others))
        return first + (others[turn:] + others[:turn])[:_OTHERS]

    async def _glance(self, channel: Conversation) -> News:
        marks, history = self.catchup.bookmarks, History(self.catchup.history.web, *_GLANCE)
        after = max(marks.newest[channel], self._seen.get(channel, ""), key=seconds)
        return await history.since(channel, after, marks.lively(channel)[:1])

    def _expected(self, event: MessageReceived) -> bool:
        told_of = event.addressed or self._unaddressed
        return told_of and not self.catchup.bookmarks.knows(event)

    def _trust(self) -> None:
        self._doubted = False
        self.pulse.up()
