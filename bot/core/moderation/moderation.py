"""Moderation as the turn sees it: messages are admitted, answers are screened."""

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.core.journal import TurnJournal
from bot.core.moderation.casebook import Casebook
from bot.core.moderation.decisions import Decisions
from bot.core.moderation.inbound import Inbound
from bot.core.moderation.outbound import Answer
from bot.core.screening import screened
from bot.domain.attachments import Opened
from bot.domain.events import MessageReceived
from bot.domain.moderation import Category
from bot.domain.policy import ModerationPolicy, Policy
from bot.domain.replies import Retraction
from bot.ports.store import Turn

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What an operator asks about moderation."""

    guards: tuple[str, ...]
    enforces: bool
    until: float | None  # when it begins to enforce, in seconds since 1970; None: never
    categories: Mapping[Category, int]  # how often each was found since the start


@dataclass(slots=True, kw_only=True)
class Moderation:
    """Judges what is said to the bot and what it says."""

    inbound: Inbound
    decisions: Decisions
    casebook: Casebook

    async def load(self, rules: ModerationPolicy) -> None:
        """Read what earlier runs have decided, and say in the log what holds."""
        await self.casebook.load()
        if not rules.guards:
            return
        names, modes = ", ".join(rules.guards), self.decisions.modes
        await modes.load()
        until = modes.until(rules)
        if await modes.enforces(rules):
            log.info("moderation by %s is carried out", names)
        elif until is None:
            log.info("moderation by %s only takes notes", names)
        else:
            end = datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%d %H:%M")
            log.info("moderation by %s only takes notes until %s UTC", names, end)

    async def admitted(
        self, turn: Turn, event: MessageReceived, policy: Policy, journal: TurnJournal
    ) -> MessageReceived:
        """Return a message as it may be answered and remembered.

        Raises:
            Declined: it is not answered.
        """
        return await self.inbound.admitted(turn, event, policy, journal)

    def looks(self, policy: Policy) -> bool:
        """Tell whether pictures are judged here."""
        return self.inbound.looks(policy)

    async def enclosed(
        self, turn: Turn, files: Sequence[Opened], policy: Policy, journal: TurnJournal
    ) -> tuple[Opened, ...]:
        """Return the files of a message as a model may be shown them.

        Raises:
            Declined: the message is not answered because of them.
        """
        return await self.inbound.enclosed(turn, files, policy, journal)

    def screened(
        self, words: AsyncGenerator[str, None], turn: Turn, event: MessageReceived, policy: Policy
    ) -> AsyncGenerator[str | Retraction, None]:
        """Pass on the words of an answer as far as they may be shown; without guards all of them.

        Raises:
            Declined: the answer was taken back.
        """
        rules = policy.moderation
        if not (rules.outbound and rules.guards):
            return words
        answer = Answer(
            decisions=self.decisions, casebook=self.casebook, turn=turn, event=event, rules=rules
        )
        return screened(words, answer.judged)

    async def summary(self, rules: ModerationPolicy) -> Summary:
        """Say what holds by a policy, and what was found."""
        modes = self.decisions.modes
        return Summary(
            guards=rules.guards,
            enforces=bool(rules.guards) and await modes.enforces(rules),
            until=modes.until(rules) if rules.guards else None,
            categories=dict(self.decisions.found),
        )
