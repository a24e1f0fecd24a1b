"""Roles that a platform must be asked for: kept for a while, and no event waits long for them.

`Informed` stands between a receiver and the inbox and completes the author of each event. Where the
platform does not answer in time, or not at all, a person has the roles that give them the least.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol
from weakref import WeakValueDictionary

from bot.domain.conversation import Conversation, Person
from bot.domain.errors import DeliveryError, RetryLater
from bot.domain.events import (
    CommandGiven,
    Event,
    MessageEdited,
    MessageReceived,
    Pressed,
    Rated,
    StopAsked,
)
from bot.ports.platform import Inbox, Receiver

KEPT = 300.0  # seconds that an answer counts
FAILED = 60.0  # seconds before a question that failed is asked again
WITHIN = 2.0  # seconds that an event waits
ROOM = 10_000  # answers that are kept
AT_ONCE = 64  # questions that may be open

_log = logging.getLogger(__name__)
_AUTHORED = (MessageReceived, MessageEdited, CommandGiven, Pressed, Rated, StopAsked)

Roles = Mapping[str, tuple[str, ...]]  # by user


class RolesOf(Protocol):
    """What a platform tells about people when it is asked."""

    async def of(self, person: Person, place: Conversation) -> tuple[str, ...]:
        """Return somebody's roles there in time, or what gives them the least; never raises."""
        ...

    async def close(self) -> None:
        """Give up what is still open."""
        ...


@dataclass(slots=True)
class Lately:
    """The answers that a platform gave lately, and the questions that are open."""

    ask: Callable[[str], Awaitable[Roles]]  # raises DeliveryError
    clock: Callable[[], float] = time.monotonic
    _kept: OrderedDict[str, tuple[float, Roles | None]] = field(default_factory=OrderedDict)
    _open: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _rests_until: float = 0.0
    _said: str = ""

    async def of(self, user: str, key: str) -> tuple[str, ...] | None:
        """Return somebody's roles from the answer about `key`, after a short wait at most.

        None means that they are not known, for now.
        """
        if not self._knows(key):
            task = self._open.get(key) or self._begin(key)
            if task is None:
                return None
            await asyncio.wait((task,), timeout=WITHIN)
        answer = self._kept[key][1] if self._knows(key) else None
        return None if answer is None else answer.get(user, ())

    async def close(self) -> None:
        """Give up what is still open."""
        tasks = tuple(self._open.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _knows(self, key: str) -> bool:
        return key in self._kept and self.clock() < self._kept[key][0]

    def _begin(self, key: str) -> asyncio.Task[None] | None:
        if len(self._open) >= AT_ONCE or self.clock() < self._rests_until:
            return None
        task = self._open[key] = asyncio.create_task(self._find_out(key))
        task.add_done_callback(lambda _: self._open.pop(key, None))
        return task

    async def _find_out(self, key: str) -> None:
        try:
            self._keep(key, await self.ask(key), KEPT)
        except RetryLater as error:
            self._rests_until = self.clock() + error.seconds
            self._say(error)
        except DeliveryError as error:
            self._keep(key, None, FAILED)
            self._say(error)

    def _keep(self, key: str, answer: Roles | None, seconds: float) -> None:
        self._kept[key] = (self.clock() + seconds, answer)
        self._kept.move_to_end(key)
        while len(self._kept) > ROOM:
            self._kept.popitem(last=False)

    def _say(self, error: DeliveryError) -> None:
        if str(error) != self._said:
            self._said = str(error)
            _log.warning("roles are not known now: %s", error)


@dataclass(slots=True)
class Completing:
    """An inbox whose events come with the roles of their authors, in order within a conversation.

    An event may wait for roles, and nothing of its conversation may overtake it: each asks at once,
    so none waits longer than its own answer, and passes in its turn.
    """

    inbox: Inbox
    roles: RolesOf
    _turns: WeakValueDictionary[Conversation, asyncio.Lock] = field(
        default_factory=WeakValueDictionary
    )

    async def accept(self, event: Event) -> bool:
        """See `bot.ports.platform.Inbox`."""
        place = event.conversation
        turn = self._turns.setdefault(place, asyncio.Lock())
        asking = asyncio.ensure_future(self._inform(event))
        async with turn:
            event = await asking
        return await self.inbox.accept(event)  # it queues before it first waits

    async def _inform(self, event: Event) -> Event:
        if not isinstance(event, _AUTHORED) or event.author is None or event.author.bot:
            return event
        roles = await self.roles.of(event.author, event.conversation)
        known = event.author.roles
        added = tuple(role for role in roles if role not in known)
        return replace(event, author=replace(event.author, roles=known + added))


@dataclass(slots=True)
class Informed:
    """A receiver whose events come with the roles of their authors."""

    receiver: Receiver
    roles: RolesOf

    async def listen(self, inbox: Inbox) -> None:
        """See `bot.ports.platform.Receiver`."""
        try:
            await self.receiver.listen(Completing(inbox, self.roles))
        finally:
            await self.roles.close()
