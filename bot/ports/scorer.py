"""Something that tells which of several answers to one question is the best."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.dialogue import Prompt
from bot.domain.replies import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A score for each candidate, and what finding them took."""

    scores: tuple[float, ...]  # 0 to 1; of equals the first candidate is taken
    by: str  # who gave them in the end: "rules", "sources", "model", "nobody"
    usage: Usage = Usage()  # of a paid call


class Scorer(Protocol):
    """Scores candidates; one that cannot tell says so with scores that are all equal."""

    async def score(self, prompt: Prompt, candidates: Sequence[str]) -> Scored:
        """Return a score for each of the candidates, in their order; never fails."""
        ...
