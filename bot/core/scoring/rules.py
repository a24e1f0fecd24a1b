"""Scores by six plain rules, of which each gives its weight or a part of it.

    weight  an answer
    3       has none of the words in `must_not`
    3       has the words in `must`; of several, each its share
    2       does not speak of itself as a machine or refuse
    2       is in the language of the question, as far as that can be told
    1       has a length between `shortest` and `longest`
    1       cites a source, where there are some

The score is what was given, divided by all that there is: an answer that keeps every rule has 1.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.words import stands_in
from bot.domain.chains import BestOfSettings
from bot.domain.dialogue import Prompt
from bot.domain.languages import same_language
from bot.ports.scorer import Scored

_MACHINE = re.compile(
    r"\bas an? (?:ai|artificial|(?:large )?language model)\b"
    r"|\bi(?:'|’)?m (?:just |only )?an? (?:ai|language model)\b"
    r"|\bi(?: am|(?:'|’)m)? (?:sorry|unable|afraid)\b[^.!?\n]{0,40}"
    r"\b(?:can(?:no|'|’)?t|unable|assist)\b"
    r"|\bals (?:ki|sprachmodell)\b|\ben tant qu(?:'|’)ia\b|\bcomo (?:una )?ia\b",
    re.IGNORECASE,
)
_CITED = re.compile(r"\[\d{1,3}\]|\]\(https?://|https?://")
BEGINNING = 400  # characters in which an answer refuses, if it does


@dataclass(frozen=True, slots=True)
class RulesScorer:
    """Looks at the words alone, and costs nothing."""

    settings: BestOfSettings

    async def score(self, prompt: Prompt, candidates: Sequence[str]) -> Scored:
        """Score each candidate by itself."""
        scores = tuple(self._one(prompt, text) for text in candidates)
        return Scored(scores=scores, by="rules")

    def _one(self, prompt: Prompt, text: str) -> float:
        own, said = self.settings, text.strip()
        had = [stands_in(word, said) for word in own.must]
        cites = not prompt.material.documents or bool(_CITED.search(said))
        given = (
            (3, float(not any(stands_in(word, said) for word in own.must_not))),
            (3, sum(had) / len(had) if had else 1.0),
            (2, float(not _MACHINE.search(said[:BEGINNING]))),
            (2, float(same_language(prompt.question, said))),
            (1, float(max(own.shortest, 1) <= len(said) <= own.longest)),
            (1, float(cites)),
        )
        score = sum(weight * part for weight, part in given) / sum(weight for weight, _ in given)
        return round(score, 4) if said else 0.0
