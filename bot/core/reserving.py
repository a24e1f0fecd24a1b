"""Reservations of this process: which are open, and who waits until others are settled."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from weakref import WeakValueDictionary

from bot.domain.budgets import Call, Check, Held, Refused, Spent, accounts
from bot.domain.replies import Usage
from bot.ports.ledger import Ledger

Future = asyncio.Future[Held | Refused]


@dataclass(slots=True, kw_only=True)
class Reserving:
    """Holds and settles calls in the ledger."""

    ledger: Ledger
    _counted: set[int] = field(default_factory=set)  # calls whose reservation was waited for
    _open: dict[str, int] = field(default_factory=dict)  # how many of them, by account
    _queues: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    _news: asyncio.Event = field(default_factory=asyncio.Event)  # set when one is settled

    def queue(self, call: Call) -> None:
        """Reserve without limits and without waiting."""
        self.ledger.hold(call, ())

    async def hold(self, call: Call, checks: Sequence[Check]) -> Held | Refused:
        """Reserve within limits."""
        future = asyncio.ensure_future(self.ledger.hold(call, checks))
        future.add_done_callback(partial(self._note, call))
        news = self._news
        try:
            outcome = await asyncio.shield(future)
        except asyncio.CancelledError:
            future.add_done_callback(partial(self._give_back, call))
            raise
        if isinstance(outcome, Held):
            return outcome
        passing = news.is_set() or outcome.check.account in self._open
        return replace(outcome, passing=passing)

    async def hold_in_turn(
        self, call: Call, checks: Sequence[Check], account: str
    ) -> Held | Refused:
        """Reserve within limits; when open reservations are in the way, wait for them.

        Those who wait for one account do so one after another, and whoever holds something never
        waits: so all of them end.
        """
        queue = self._queues.setdefault(account, asyncio.Lock())
        async with queue:
            while True:
                news = self._news
                outcome = await self.hold(call, checks)
                if isinstance(outcome, Held) or not outcome.passing:
                    return outcome
                await news.wait()

    def settle(self, call: Call, usage: Usage, spent: Spent) -> None:
        """Replace a reservation by what was used; joins the next commit."""
        self.ledger.settle(call, usage, spent)
        if call.id in self._counted:
            self._counted.discard(call.id)
            self._count(call, -1)
            self._news.set()
            self._news = asyncio.Event()

    def _note(self, call: Call, done: Future) -> None:
        """Count what was reserved before anybody can act upon it."""
        if not done.cancelled() and not done.exception() and isinstance(done.result(), Held):
            self._counted.add(call.id)
            self._count(call, 1)

    def _give_back(self, call: Call, _: Future) -> None:
        """Settle what was reserved for somebody who does not wait for it any more."""
        if call.id in self._counted:
            self.settle(call, Usage(), Spent())

    def _count(self, call: Call, more: int) -> None:
        for _, account in accounts(call.who, call.lane):
            count = self._open.get(account, 0) + more
            self._open[account] = count
            if not count:
                del self._open[account]
