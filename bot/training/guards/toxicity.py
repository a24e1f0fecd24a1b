"""Takes alt-profanity-check's model out of its wheel, and learns which words are everyday ones."""

import io
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import joblib

from bot.backends.guards.offline.linear import ADDRESSED, Toxicity
from bot.training.guards.sources import PROFANITY, inside

DATA = "profanity_check/data/{}.joblib"
LICENCE = "alt_profanity_check-1.9.1.dist-info/licenses/LICENSE"
BLAMED = 2  # false alarms that make a word an everyday one
ROUNDS = 3  # a word may hide behind a weightier one


@dataclass(frozen=True, slots=True)
class Original:
    """The model as it is published; it is unpickled, so only a wheel of known hash is read."""

    wheel: Path

    def exported(self) -> Toxicity:
        """Return its weights."""
        vectorizer, members = self._load("vectorizer"), self._load("model").calibrated_classifiers_
        numbers = {str(word): at for at, word in enumerate(vectorizer.get_feature_names_out())}
        lines = tuple(
            (-line.a_, -line.a_ * float(member.estimator.intercept_[0]) - line.b_)
            for member in members
            for line in member.calibrators
        )
        return Toxicity(numbers=numbers, rarity=vectorizer.idf_.tolist(), lines=lines,
                        members=[m.estimator.coef_[0].tolist() for m in members])  # fmt: skip

    def scores(self, texts: Iterable[str]) -> list[float]:
        """Return what the original says of texts."""
        seen = self._load("vectorizer").transform(texts)
        return [float(pair[1]) for pair in self._load("model").predict_proba(seen)]

    def licence(self) -> str:
        """Return the text of its licence."""
        return inside(self.wheel, PROFANITY, LICENCE).decode()

    def _load(self, name: str) -> Any:
        return joblib.load(io.BytesIO(inside(self.wheel, PROFANITY, DATA.format(name))))


def everyday(
    model: Toxicity, texts: Iterable[str], read: Callable[[str], list[str]]
) -> frozenset[int]:
    """Return the words that weigh most where the model takes harmless texts for abuse."""
    known = [
        [word for word in read(text) if word in model.numbers and word not in ADDRESSED]
        for text in texts
    ]
    alarms = [words for words in known if model.score(words) >= 0.5]
    found: frozenset[int] = frozenset()
    for _ in range(ROUNDS):
        milder = replace(model, everyday=found)
        blamed = Counter(
            _weightiest(milder, words) for words in alarms if milder.score(words) >= 0.5
        )
        found |= {word for word, times in blamed.items() if times >= BLAMED}
    return found


def _weightiest(model: Toxicity, words: list[str]) -> int:
    def weight(at: int) -> float:
        return counts[at] * model.rarity[at] * sum(weights[at] for weights in model.members)

    counts = Counter(model.numbers[word] for word in words)
    return max(sorted(counts.keys() - model.everyday), key=weight)
