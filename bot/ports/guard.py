"""Something that judges texts; variation is made by listing several."""

from dataclasses import dataclass
from typing import Protocol

from bot.domain.moderation import Findings, Sample
from bot.domain.replies import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a guard found, and what asking it took."""

    findings: Findings = ()
    usage: Usage = Usage()  # of a paid call; without a model nothing was paid


class Guard(Protocol):
    """Judges one sample at a time; it only reports, the core decides."""

    @property
    def name(self) -> str:
        """What findings and logs call it."""
        ...

    async def judge(self, sample: Sample) -> Judgement:
        """Return what is wrong with a sample; no findings when nothing is.

        Raises:
            GuardError: it cannot tell now.
        """
        ...
