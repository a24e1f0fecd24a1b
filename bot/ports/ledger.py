"""What was used, by whom: reserved before a call, settled after it."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol

from bot.domain.budgets import Call, Check, Held, Limited, Refused, Spent
from bot.domain.replies import Usage


class Ledger(Protocol):
    """One account book for every paid call; writes join the next group commit when they are made.

    What is reserved counts until it is settled. What a killed process has left reserved is settled
    as it stands when the store is opened.
    """

    def hold(self, call: Call, checks: Sequence[Check]) -> Awaitable[Held | Refused]:
        """Reserve what a call takes at most, if every limit leaves room; all or nothing."""
        ...

    def settle(self, call: Call, usage: Usage, spent: Spent) -> Awaitable[None]:
        """Replace the reservation by what was used; nothing used leaves no trace."""
        ...


class Accounts(Protocol):
    """What people see of the ledger, and the limits that they change in chat."""

    async def spent(self, account: str, period: str) -> Spent:
        """Return what one account has used in a day or a month, reservations included."""
        ...

    async def top(self, kind: str, period: str, *, limit: int) -> Sequence[tuple[str, Spent]]:
        """Return the accounts of a kind ("person", "channel") that have used most."""
        ...

    async def limits(self) -> Mapping[Limited, float | None]:
        """Return the limits that were set in chat; None: no limit, whatever the file says."""
        ...

    async def limit(self, what: Limited, most: float | None) -> None:
        """Keep a limit that was set in chat, or that there is none."""
        ...

    async def follow(self, what: Limited) -> None:
        """Let the file say again what holds."""
        ...
