"""Ask a guard without telling it personal data."""

from dataclasses import dataclass, replace

from bot.core.redaction import Redactor
from bot.domain.moderation import Sample
from bot.ports.guard import Guard, Judgement


@dataclass(frozen=True, slots=True)
class RedactedGuard:
    """A guard on somebody else's server: what it judges has placeholders in it."""

    guard: Guard

    @property
    def name(self) -> str:
        """What findings and logs call it."""
        return self.guard.name

    async def judge(self, sample: Sample) -> Judgement:
        """Hide, then ask; where something was hidden, its spans would lie elsewhere."""
        hidden = Redactor().hide(sample.text)
        judgement = await self.guard.judge(replace(sample, text=hidden))
        if hidden == sample.text:
            return judgement
        findings = tuple(replace(finding, spans=()) for finding in judgement.findings)
        return replace(judgement, findings=findings)
