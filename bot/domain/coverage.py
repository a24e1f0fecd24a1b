"""Which passage fits a question by its words, and whether it covers enough of it to answer.

Whether a passage answers is its coverage: the share of the question's information that it contains.
A word's information is its inverse document frequency, so a word that no document knows weighs most
against an answer. Weights and thresholds were chosen on labelled questions (tests/unit/backends/
documents, tests/evaluation).
"""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from heapq import nlargest
from typing import NamedTuple

from bot.domain.asking import carries_topic, words

ENOUGH = 0.5  # coverage by two or more words: below it an answer would be a guess
ENOUGH_ALONE = 0.65  # coverage by a single word
RELATED = 0.3  # coverage of a passage that is worth a mention
IN_TITLE, WHOLE_TITLE, RANK = 0.5, 0.4, 0.2  # what a score gains beside coverage
CONTEXT = 0.3  # weight of a word of the question before, in a short question that continues it
CANDIDATES = 50


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a question and the passages that have it."""

    information: float
    passages: frozenset[int]
    titles: frozenset[int]  # those that have it in their title


class Fit(NamedTuple):
    """One passage that has words of the question; a tuple, since a question makes dozens."""

    passage: int
    found: int  # words of the question that it has
    titled: int  # and of these, how many are in its title
    coverage: float  # 0 to 1
    score: float

    @property
    def answers(self) -> bool:
        """Whether it covers enough of the question to be quoted as its answer."""
        return self.coverage >= (ENOUGH if self.found > 1 else ENOUGH_ALONE)

    @property
    def related(self) -> bool:
        """Whether it is worth a mention when nothing answers."""
        return self.titled > 0 and self.coverage >= RELATED


def information(having: int, passages: int) -> float:
    """Return how much a word tells that so many of all passages have."""
    return math.log((passages + 1) / (having + 0.5))


def candidates(topic: Iterable[Word]) -> list[int]:
    """Return the passages that have most of a question, at most `CANDIDATES` of them."""
    found: defaultdict[int, float] = defaultdict(float)
    for word in topic:
        for passage in word.passages:
            found[passage] += word.information * (1 + IN_TITLE * (passage in word.titles))
    return nlargest(CANDIDATES, found, key=found.__getitem__)


def fits(
    topic: Collection[Word],
    found: Iterable[int],
    ranks: Mapping[int, float],
    title: Callable[[int], str],
) -> list[Fit]:
    """Return how well passages fit, best first.

    Args:
        topic: the words of the question that carry its topic.
        found: the passages to look at.
        ranks: how well they fit by BM25 to all words of the question, the best as 1.
        title: the title of a passage.
    """
    total = sum(word.information for word in topic) or 1.0

    def fit(passage: int) -> Fit:
        return _fit(passage, topic, total, ranks.get(passage, 0.0), title(passage))

    return sorted(map(fit, found), key=_score, reverse=True)


def _fit(passage: int, topic: Collection[Word], total: float, rank: float, title: str) -> Fit:
    having = [word.information for word in topic if passage in word.passages]
    titled = [word.information for word in topic if passage in word.titles]
    coverage = sum(having) / total
    return Fit(
        passage=passage,
        found=len(having),
        titled=len(titled),
        coverage=coverage,
        score=coverage
        + IN_TITLE * sum(titled) / total
        + WHOLE_TITLE * min(1.0, len(titled) / _telling(title))
        + RANK * rank,
    )


@lru_cache(maxsize=4096)
def _telling(title: str) -> int:
    """Return how many words of a title say what it is about, at least one."""
    return sum(map(carries_topic, words(title))) or 1


def _score(fit: Fit) -> float:
    return fit.score
