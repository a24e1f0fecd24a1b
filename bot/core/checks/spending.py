"""Whoever is known to have no message left is told so before anything is paid for theirs."""

import time
from collections.abc import Callable

from bot.core.identity import Identity
from bot.core.limits import LimitKeeper
from bot.domain.events import MessageReceived
from bot.domain.policy import Policy


class Spending:
    """The person, and the place, have a message left, as far as it is known here."""

    def __init__(
        self, limits: LimitKeeper, identity: Identity, now: Callable[[], float] = time.time
    ) -> None:
        self._limits, self._identity, self._now = limits, identity, now

    async def check(self, event: MessageReceived, policy: Policy) -> None:  # noqa: ARG002
        """Look in memory only; the reservation itself decides."""
        who = self._identity.who(str(event.payer))
        self._limits.refuse_known(who, str(event.conversation), self._now())
