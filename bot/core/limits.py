"""Which limits hold now: those of the file, and those that admins have set in chat."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core import sentences
from bot.domain.budgets import (
    Budgets,
    Check,
    Limited,
    Period,
    Refused,
    Rule,
    accounts,
    amount,
    period_of,
    renewal,
    share,
)
from bot.domain.errors import OverBudget
from bot.ports.ledger import Accounts

DURING: Mapping[Period, str] = {"day": "today", "month": "this month"}
MOST_TOLD = 10_000  # people who are remembered to have been told


@dataclass(slots=True, kw_only=True)
class LimitKeeper:
    """Knows every limit, and who has run into one."""

    budgets: Budgets
    accounts: Accounts
    _changed: dict[Limited, float | None] = field(default_factory=dict)
    _rules: tuple[Rule, ...] = ()
    _empty: dict[str, Refused] = field(default_factory=dict)  # accounts without a message left
    _told: set[tuple[str, str, str]] = field(default_factory=set)  # who, account, period

    async def load(self) -> None:
        """Read what was set in chat."""
        self._changed = dict(await self.accounts.limits())
        self._apply()

    def replace(self, budgets: Budgets) -> None:
        """Let the limits of a changed file hold, below those that were set in chat."""
        self.budgets = budgets
        self._apply()

    async def change(self, what: Limited, most: float | None) -> None:
        """Set a limit in chat; None: there is none, whatever the file says."""
        await self.accounts.limit(what, most)
        self._changed[what] = most
        self._apply()

    async def follow(self, what: Limited) -> None:
        """Let the file say again what holds."""
        await self.accounts.follow(what)
        self._changed.pop(what, None)
        self._apply()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All limits that hold."""
        return self._rules

    @property
    def changed(self) -> Mapping[Limited, float | None]:
        """What was set in chat."""
        return self._changed

    def checks(self, who: str, lane: str, at: float) -> tuple[Check, ...]:
        """Return what a call has to pass; nothing when nothing is limited."""
        if not self._rules:
            return ()
        named = dict(accounts(who, lane))
        return tuple(
            Check(rule=rule, account=named[rule.scope], period=period_of(at, rule.period))
            for rule in self._rules
            if rule.scope in named
        )

    def refuse_known(self, who: str, lane: str, at: float) -> None:
        """Stop a message before anything is paid for it, when it is known to get no answer.

        Raises:
            OverBudget: whoever wrote it, or the place, has no message left.
        """
        if not self._empty:
            return
        for _, account in accounts(who, lane):
            refused = self._empty.get(account)
            if refused is None:
                continue
            if refused.check.period == period_of(at, refused.check.rule.period):
                raise self.refusal(who, at, refused)
            del self._empty[account]

    async def refuse_spent(self, who: str, lane: str, at: float) -> None:
        """Stop an answer that no message is left for before what it needs besides is paid.

        Raises:
            OverBudget: whoever asked, or the place, has no message left.
        """
        for check in self.checks(who, lane, at):
            if check.rule.unit != "messages":
                continue
            spent = await self.accounts.spent(check.account, check.period)
            left = check.rule.most - spent.messages
            if left < 1:  # another answer that runs may give its message back: nothing is noted
                raise self.refusal(who, at, Refused(check, left, passing=True))

    def refusal(self, who: str, at: float, refused: Refused) -> OverBudget:
        """Return what a person is told: all of it once in a period, afterwards in short."""
        check, rule = refused.check, refused.check.rule
        if rule.unit == "messages" and not refused.passing:
            self._empty[check.account] = refused
        when = renewal(at, rule.period)
        key = (who, check.account, check.period)
        if key in self._told:
            return OverBudget(sentences.BUDGET_AGAIN.format(when=when))
        if len(self._told) >= MOST_TOLD:
            self._told.clear()
        self._told.add(key)
        return OverBudget(_explained(rule, refused.left, when))

    def _apply(self) -> None:
        rules = {(rule.scope, rule.unit, rule.period): rule for rule in self.budgets.rules()}
        for what, most in self._changed.items():
            rules.pop(what, None)
            if most is not None:
                scope, unit, period = what
                rules[what] = Rule(scope=scope, unit=unit, period=period, most=most)
        self._rules = tuple(rules.values())
        self._empty.clear()
        self._told.clear()


def _explained(rule: Rule, left: float, when: str) -> str:
    whose, during = sentences.BUDGET_OF[rule.scope], DURING[rule.period]
    if rule.scope in ("per_workspace", "total"):  # what all may use is not everybody's business
        return sentences.BUDGET_GONE.format(whose=whose, during=during, figures="", when=when)
    if left <= 0:
        most = f"{amount(rule.unit, rule.most)} a {rule.period}"
        return sentences.BUDGET_GONE.format(
            whose=whose, during=during, figures=f" ({most})", when=when
        )
    return sentences.BUDGET_SHORT.format(
        whose=whose,
        during=during,
        left=share(rule.unit, left, rule.most),
        period=rule.period,
        when=when,
    )
