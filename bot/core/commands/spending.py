"""Commands about what was used: `usage` for people, `admin limits` for admins."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.core import sentences
from bot.core.commands.administration import Order
from bot.core.commands.desk import Known, Request
from bot.core.identity import Identity
from bot.core.limits import DURING, LimitKeeper
from bot.domain.budgets import (
    PERIODS,
    SCOPES,
    UNITS,
    Limited,
    Rule,
    Scope,
    Spent,
    accounts,
    amount,
    period_of,
    share,
)
from bot.domain.commands import Command
from bot.domain.errors import Declined
from bot.ports.ledger import Accounts

USAGE = Command(name="usage", about="What you have used today and this month")
OWN: tuple[Scope, ...] = ("per_person", "per_channel")
NAMES: Mapping[Scope, str] = {
    "per_person": "You",
    "per_channel": "This channel",
    "per_workspace": "This workspace",
    "total": "Everybody",
}
TOP, LONGEST_NAME = 5, 60  # what an admin is shown of places and people
USE, ABOUT = "[SCOPE UNIT AMOUNT day|month]", "show or set what people may use"
HOW = (
    "Write a scope, a unit, an amount and a period: `limits per_person tokens 20000 day`. Scopes "
    "are per_person, per_channel, per_workspace and total; units tokens, usd and messages; the "
    "amount may be `off` for no limit, or `file` for what my configuration says."
)


@dataclass(slots=True, kw_only=True)
class SpendingCommands:
    """Shows what was used against the limits, and lets admins change them."""

    accounts: Accounts
    keeper: LimitKeeper
    identity: Identity
    now: Callable[[], float] = time.time

    def known(self) -> tuple[Known, ...]:
        """Return this capability's commands."""
        return (Known(USAGE, self.usage),)

    def orders(self) -> tuple[Order, ...]:
        """Return what admins can order."""
        return (Order(name="limits", usage=USE, about=ABOUT, run=self.limits),)

    async def usage(self, request: Request) -> str:
        """Tell people about themselves and the channel, admins about all."""
        at = self.now()
        scopes = SCOPES if request.house else OWN
        who = self.identity.who(request.person)
        lines = [
            await self._line(scope, account, at)
            for scope, account in accounts(who, request.turn.lane)
            if scope in scopes
        ]
        if request.house:
            lines += await self._top(at)
        return "\n".join(lines)

    async def limits(self, request: Request) -> str:
        """Show the limits, or change one; whoever calls this has asked for the rank."""
        words = request.argument.lower().split()
        if words and not request.house:
            raise Declined(sentences.NOT_OF_THE_HOUSE)
        if words:
            what, most, follows = _read(words)
            if follows:
                await self.keeper.follow(what)
            else:
                await self.keeper.change(what, most)
        shown = "\n".join(self._shown())
        return shown if words else f"{shown}\n\n{HOW}"

    async def _line(self, scope: Scope, account: str, at: float) -> str:
        parts = []
        for period in PERIODS:
            spent = await self.accounts.spent(account, period_of(at, period))
            rules = [r for r in self.keeper.rules if (r.scope, r.period) == (scope, period)]
            parts.append(f"{DURING[period]} {_against(spent, rules)}")
        return f"- **{NAMES[scope]}**: {'; '.join(parts)}."

    async def _top(self, at: float) -> list[str]:
        lines = []
        for kind, title in (("channel", "Places"), ("person", "People")):
            top = await self.accounts.top(kind, period_of(at, "month"), limit=TOP)
            if top:
                lines.append(f"\n{title} that used most this month:\n")
            for account, spent in top:
                name = account.removeprefix(kind).strip()
                lines.append(f"- `{name[:LONGEST_NAME]}`: {_sums(spent)}")
        return lines

    def _shown(self) -> Iterator[str]:
        changed = self.keeper.changed
        for rule in self.keeper.rules:
            here = (rule.scope, rule.unit, rule.period) in changed
            origin = "set in chat" if here else "from the file"
            yield f"- {rule.scope}: {amount(rule.unit, rule.most)} a {rule.period} ({origin})"
        for (scope, unit, period), most in changed.items():
            if most is None:
                yield f"- {scope}: any number of {unit} a {period} (set in chat)"
        if not self.keeper.rules:
            yield "There is no limit."


def _against(spent: Spent, rules: Iterable[Rule]) -> str:
    """Write what was used, and of how much."""
    of = [share(rule.unit, getattr(spent, rule.unit), rule.most) for rule in rules]
    return f"{_sums(spent)} ({', '.join(of)})" if of else _sums(spent)


def _sums(spent: Spent) -> str:
    sums = [amount("messages", spent.messages).replace("message", "answer")]
    sums.append(amount("tokens", spent.tokens))
    if spent.usd:
        sums.append(amount("usd", spent.usd))
    return ", ".join(sums)


def _read(words: list[str]) -> tuple[Limited, float | None, bool]:
    """Read a limit as an admin writes it; the last tells whether the file is to say it again.

    Raises:
        Declined: it cannot be understood.
    """
    if len(words) == 3:
        words = [*words, "day"]
    if len(words) != 4:
        raise Declined(HOW)
    scope, unit, value, period = words
    if scope not in SCOPES or unit not in UNITS or period not in PERIODS:
        raise Declined(HOW)
    what: Limited = (scope, unit, period)
    if value in ("off", "file"):
        return what, None, value == "file"
    try:
        most = float(value)
    except ValueError:
        raise Declined(HOW) from None
    if not 0 <= most < math.inf:
        raise Declined(HOW)
    return what, most, False
