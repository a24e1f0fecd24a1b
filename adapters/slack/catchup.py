"""Catches up, after each new connection, with what nobody listened to.

Every known channel may have a gap then. A round fills them one after another beside the socket,
the most recently active channel first; a live message whose lane may hold something older that was
missed has its channel filled at once and waits for that. The mark of a channel stays behind its
gap until the gap is closed.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.slack.history import History, News
from adapters.slack.marks import Bookmarks, newest_first
from adapters.slack.payloads import seconds
from adapters.slack.web import Rejected
from bot.domain.conversation import Conversation
from bot.domain.errors import DeliveryError, Gone, StoreError, Unreachable
from bot.domain.events import Event, MessageReceived

BURST, PACE = 30, 1.5  # channels that are read at once; seconds before each further one
_PAUSES: Final = (0.2, 1.0, 5.0, 15.0, 30.0)  # seconds between tries to read a channel
_STORE_PAUSE: Final = 0.5  # seconds before a busy store is asked again
_SKEW: Final = 10.0  # seconds by which Slack's clock and ours may differ

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Gap:
    """What may be missing of one channel."""

    passable: asyncio.Event = field(default_factory=asyncio.Event)  # nobody has to wait any more
    again: bool = False  # one more connection began while it was being filled
    task: asyncio.Task[None] | None = None

    def ended(self, task: asyncio.Task[None]) -> None:
        """Let live messages pass when the gap is closed or has to be left; not at a shutdown."""
        if not task.cancelled():
            self.passable.set()


@dataclass(slots=True)
class Catchup:
    """The gaps of all channels."""

    history: History
    bookmarks: Bookmarks
    accept: Callable[[Event], Awaitable[bool]]
    unreadable: set[Conversation] = field(default_factory=set)
    meeting: bool = False  # whether there may be channels with a gap of which nothing is known
    _gaps: dict[Conversation, Gap] = field(default_factory=dict)
    _horizon: str = ""  # where reading begins in a channel of which nothing is known
    _round: asyncio.Task[None] | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def begin(self) -> None:
        """Suspect a gap in every known channel, for a connection is new."""
        marks = self.bookmarks.newest
        self._horizon = max(marks.values(), key=seconds, default=f"{time.time() - _SKEW:.6f}")
        if not marks or not self.history.messages:
            return
        self.meeting = True
        for channel in marks:
            self._suspect(channel)
        if self._round is not None:
            self._round.cancel()
        self._round = self._spawn(self._fill_all())

    async def wait(self, event: MessageReceived) -> None:
        """Wait, before a live message is accepted, for what its lane may have missed before it."""
        if not (self._gaps or self.meeting):
            return
        channel = event.conversation.parent
        if self.meeting and channel not in self.bookmarks.newest:
            self._suspect(channel)
        gap = self._gaps.get(channel)
        opens_lane = not event.private and event.conversation.thread == event.message
        if gap is not None and not opens_lane:
            self._start(channel, gap)
            await gap.passable.wait()

    async def meet(self) -> list[Conversation]:
        """Ask which conversations the bot is in; returns those of which nothing was known.

        Raises:
            DeliveryError: Slack does not tell.
        """
        marks = self.bookmarks.newest
        met = [channel for channel in await self.history.channels() if channel not in marks]
        for channel in met:
            self.bookmarks.meet(channel, self._horizon)
        return met

    def mend(self) -> None:
        """Read back what came and could not be stored, which Slack may send no more."""
        if not self.history.messages:
            return
        for channel in self.bookmarks.stuck():
            self._suspect(channel)
            if channel in self._gaps:
                self._start(channel, self._gaps[channel])

    def joined(self, channel: Conversation, at: float) -> None:
        """Keep a mark of a channel from the moment when the bot was added to it."""
        self.unreadable.discard(channel)
        if channel not in self.bookmarks.newest:
            self.bookmarks.meet(channel, f"{at:.6f}")

    async def close(self) -> None:
        """Stop; what was not filled is found again through the marks."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _suspect(self, channel: Conversation) -> None:
        if channel in self.unreadable:
            return
        if channel not in self.bookmarks.newest:
            self.bookmarks.meet(channel, self._horizon)
        self.bookmarks.hold(channel)
        gap = self._gaps.get(channel)
        if gap is not None and gap.task is not None and not gap.task.done():
            gap.again = True
        else:
            self._gaps[channel] = Gap()

    async def _fill_all(self) -> None:
        await self._fill_each(newest_first(self.bookmarks.newest))
        try:
            met = await self.meet()
        except DeliveryError as error:
            _log.info("new Slack conversations cannot be looked for: %s", error)
            met = []
        for channel in met:
            self._suspect(channel)
        self.meeting = False
        await self._fill_each(met)

    async def _fill_each(self, channels: list[Conversation]) -> None:
        for number, channel in enumerate(channels):
            gap = self._gaps.get(channel)
            if gap is not None:
                await asyncio.sleep(PACE if number >= BURST else 0)
                await asyncio.wait([self._start(channel, gap)])

    def _start(self, channel: Conversation, gap: Gap) -> asyncio.Task[None]:
        if gap.task is None or gap.task.done():
            gap.task = self._spawn(self._fill(channel, gap))
            gap.task.add_done_callback(gap.ended)
        return gap.task

    async def _fill(self, channel: Conversation, gap: Gap) -> None:
        """Close a gap, or leave it to the next connection when Slack does not answer."""
        try:
            while True:
                gap.again = False
                for event in (await self._missed(channel, gap)).events:
                    await self._hand_over(event)
                if not gap.again:
                    break
        except Unreachable as error:
            _log.warning("%s is read back later: %s", channel, error)
            return
        except (Rejected, Gone) as error:
            self.unreadable.add(channel)
            _log.warning("%s cannot be read back: %s", channel, error)
        del self._gaps[channel]
        self.bookmarks.release(channel)

    async def _missed(self, channel: Conversation, gap: Gap) -> News:
        after, threads = self.bookmarks.newest[channel], self.bookmarks.lively(channel)
        for pause in _PAUSES:
            try:
                news = await self.history.since(channel, after, threads)
            except Unreachable:
                gap.passable.set()  # nobody knows for how long
                await asyncio.sleep(pause)
            else:
                if news.cut:
                    _log.warning("%s has more missed messages than are read back", channel)
                return news
        return await self.history.since(channel, after, threads)

    async def _hand_over(self, event: MessageReceived) -> None:
        while True:
            try:
                concerns_us = await self.accept(event)
            except StoreError:
                await asyncio.sleep(_STORE_PAUSE)
            else:
                break
        self.bookmarks.accepted(event, concerns_us=concerns_us)
        self.bookmarks.caught_up(event)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("reading Slack conversations back failed", exc_info=error)
