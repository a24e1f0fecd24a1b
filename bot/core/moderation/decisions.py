"""One decision about one sample: counted, and only noted where it has no consequences."""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.core import sentences
from bot.core.moderation.casebook import Casebook, Matter, told
from bot.core.moderation.judging import Judging, Ruling
from bot.core.moderation.modes import Modes
from bot.domain.errors import Declined
from bot.domain.moderation import Category, Decision, Findings, Sample, Stage
from bot.domain.policy import ModerationPolicy

log = logging.getLogger(__name__)
TROUBLE_S = 60.0  # in which the audit log tells once that a guard fails


@dataclass(slots=True, kw_only=True)
class Decisions:
    """Makes decisions by the policy of a place, and says whether they are carried out."""

    judging: Judging
    modes: Modes
    casebook: Casebook
    count: Callable[[Stage, str], None]  # (stage, verdict)
    found: Counter[Category] = field(default_factory=Counter)  # since the start
    _troubled: dict[str, float] = field(default_factory=dict)  # guard → when it was noted

    async def ruling(self, matter: Matter, sample: Sample, rules: ModerationPolicy) -> Ruling:
        """Ask the guards; a failing one is told of, once in a while."""
        ruling = await self.judging.rule(sample, rules)
        self.count(matter.stage, ruling.decision.action)
        for category in {finding.category for finding in ruling.decision.findings}:
            self.found[category] += 1
        for guard in ruling.failed:
            await self._trouble(matter, guard, rules)
        return ruling

    async def holds(self, matter: Matter, ruling: Ruling, rules: ModerationPolicy) -> bool:
        """Tell whether something is to be carried out; in shadow mode it is only noted.

        Raises:
            Declined: a guard cannot tell, and what nobody can judge is not let pass.
        """
        decision = ruling.decision
        if decision.action == "allow" and not ruling.failed:
            return False
        if not await self.modes.enforces(rules):
            await self._note(matter, decision)
            return False
        if ruling.failed and rules.on_error == "block" and decision.action != "block":
            raise Declined(sentences.UNJUDGED)
        return decision.action != "allow"

    async def _note(self, matter: Matter, decision: Decision) -> None:
        if decision.action != "allow":
            details = f"shadow: {told(decision.findings)}"
            await self.casebook.note(matter, decision.action, details)

    async def _trouble(self, matter: Matter, guard: str, rules: ModerationPolicy) -> None:
        self.count(matter.stage, "error")
        now = self.casebook.now()
        if now - self._troubled.get(guard, 0.0) < TROUBLE_S:
            return
        self._troubled[guard] = now
        done = "is not answered" if rules.on_error == "block" else "is answered all the same"
        log.error("the guard %s fails; what it cannot judge %s", guard, done)
        await self.casebook.note(matter, "error", f"{guard} failed: {rules.on_error}")


def to_redact(decision: Decision, rules: ModerationPolicy) -> Findings:
    """Return the findings that are to be taken out of a text."""
    return tuple(f for f in decision.findings if rules.rule(f.category).action == "redact")
