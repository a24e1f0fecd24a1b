"""Ask several guards at once and make one decision of what they find."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.domain.errors import GuardError, ParleyError
from bot.domain.moderation import Decision, Findings, Sample, decide
from bot.domain.policy import ModerationPolicy
from bot.ports.guard import Guard, Judgement

log = logging.getLogger(__name__)
LAST = "judge"  # costs money and seconds: asked only where the others see no reason to block


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What is to be done about one sample."""

    decision: Decision = Decision()
    failed: tuple[str, ...] = ()  # guards that could not tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """Asks the guards that a policy names; the first reason to block ends the asking."""

    guards: Mapping[str, Guard]

    async def rule(self, sample: Sample, policy: ModerationPolicy) -> Ruling:
        """Judge one sample; a guard that fails is named and takes no part."""
        names = policy.guards
        first = [name for name in names if name != LAST]
        found, failed = await self._ask(first, sample, policy) if first else ((), ())
        decision = decide(found, policy.rule)
        if LAST in names and decision.action != "block":
            more, late = await self._ask([LAST], sample, policy)
            found, failed = (*found, *more), (*failed, *late)
            decision = decide(found, policy.rule)
        return Ruling(decision=decision, failed=failed)

    async def _ask(
        self, names: Sequence[str], sample: Sample, policy: ModerationPolicy
    ) -> tuple[Findings, tuple[str, ...]]:
        if len(names) == 1:
            judgement = await self._one(names[0], sample)
            return (judgement.findings, ()) if judgement else ((), (names[0],))
        tasks = [asyncio.create_task(self._one(name, sample), name=name) for name in names]
        found: Findings = ()
        pending = set(tasks)
        try:
            while pending and decide(found, policy.rule).action != "block":
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    found += judgement.findings if (judgement := task.result()) else ()
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
        failed = [t.get_name() for t in tasks if t not in pending and t.result() is None]
        return found, tuple(failed)

    async def _one(self, name: str, sample: Sample) -> Judgement | None:
        try:
            if name not in self.guards:
                raise GuardError("it is not configured")
            return await self.guards[name].judge(sample)
        except ParleyError as error:
            log.warning("the guard %s cannot tell: %s", name, error)
            return None
