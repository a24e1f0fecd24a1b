"""Hands events to the core: one after another within a channel, channels side by side.

The gateway's reader must never wait, or Discord takes the bot for dead; so `put` only queues. A
channel's lane lives while it has something to hand over. Where events are missing, because nobody
listened or because too many waited, a `Gap` stands in the queue: what it stands for is fetched and
handed over before anything behind it, so a mark never jumps over a message.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.discord.marks import Bookmarks
from bot.domain.conversation import Conversation
from bot.domain.errors import DeliveryError, RetryLater, StoreError
from bot.domain.events import Event, MessageReceived

_log = logging.getLogger(__name__)
_FIRST_PAUSE: Final = 0.1  # seconds, when the store or Discord is busy
_LONGEST_PAUSE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages of a conversation that came after one with id `after` were not seen."""

    conversation: Conversation
    after: int


Fetch = Callable[[Conversation, int], Awaitable[tuple[list[Event], int]]]


@dataclass(slots=True)
class Lanes:
    """The queues between the gateway and the inbox."""

    accept: Callable[[Event], Awaitable[bool]]
    fetch: Fetch  # what a conversation missed after an id, oldest first, and how far that goes
    bookmarks: Bookmarks
    room: int = 10_000  # events that may wait, over all channels
    _waiting: int = 0
    _queues: dict[str, deque[Event | Gap]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def put(self, item: Event | Gap) -> None:
        """Queue an event or a gap, and note that its conversation is known; never waits."""
        if isinstance(item, Gap):
            self.bookmarks.meet(item.conversation, item.after)
        elif isinstance(item, MessageReceived):
            self.bookmarks.meet(item.conversation, int(item.message) - 1)
        channel = item.conversation.thread or item.conversation.channel
        queue = self._queues.get(channel)
        if queue is None:
            queue = self._queues[channel] = deque()
        if isinstance(item, Gap):
            queue.append(item)
        elif self._waiting < self.room or not isinstance(item, MessageReceived):
            self._waiting += 1
            queue.append(item)
        else:
            self._leave_gap(queue, item)
        if len(queue) == 1:
            self.spawn(self._work(channel, queue))

    def busy(self, conversation: Conversation) -> bool:
        """Tell whether something of a conversation waits or is being handed over."""
        return (conversation.thread or conversation.channel) in self._queues

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside the lanes until it ends or they close."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Stop; what still waits is found again through the marks."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _leave_gap(self, queue: deque[Event | Gap], event: MessageReceived) -> None:
        gap_is_last = len(queue) > 1 and isinstance(queue[-1], Gap)  # the first may be half read
        if gap_is_last:
            return
        _log.warning("discord: %d events wait; %s is read later", self.room, event.conversation)
        queue.append(Gap(event.conversation, int(event.message) - 1))

    async def _work(self, channel: str, queue: deque[Event | Gap]) -> None:
        while queue:
            await self._handle(queue[0])
            if not isinstance(queue.popleft(), Gap):
                self._waiting -= 1
        del self._queues[channel]

    async def _handle(self, item: Event | Gap) -> None:
        """Try until it worked: neither a busy store nor an outage of Discord may cost an event."""
        pause = _FIRST_PAUSE
        while True:
            try:
                return await (self._fill(item) if isinstance(item, Gap) else self._hand_over(item))
            except (StoreError, DeliveryError) as error:
                if pause == _FIRST_PAUSE:
                    _log.warning("discord: %s has to wait: %s", item.conversation, error)
                wait = error.seconds if isinstance(error, RetryLater) else 0.0
            except Exception:  # noqa: BLE001 - a defect must not close this channel for good
                _log.exception("discord: an event of %s was not taken", item.conversation)
                return None
            await asyncio.sleep(max(pause, wait))
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _fill(self, gap: Gap) -> None:
        after = max(gap.after, self.bookmarks.newest.get(gap.conversation, 0))
        events, until = await self.fetch(gap.conversation, after)
        for event in events:
            await self._hand_over(event)
        self.bookmarks.note(gap.conversation, until)

    async def _hand_over(self, event: Event) -> None:
        if not isinstance(event, MessageReceived):
            await self.accept(event)
            return
        await self.accept(event)
        self.bookmarks.note(event.conversation, int(event.message))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("discord: handing events over failed", exc_info=error)
