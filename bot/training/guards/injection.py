"""Learns what injections look like, with the very features that the guard looks at."""

import math
from collections.abc import Sequence

from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from bot.backends.guards.offline.linear import BUCKETS, Injection, features

STRENGTH = 10.0  # inverse of the regularisation
ALARMS = 0.0015  # of harmless messages: where the score is 0.5


def trained(samples: Sequence[tuple[list[str], int]]) -> Injection:
    """Return a model that tells the words of injections from others."""
    model = LogisticRegression(C=STRENGTH, max_iter=2000)
    model.fit(_table([words for words, _ in samples]), [label for _, label in samples])
    return Injection([*model.coef_[0].tolist(), float(model.intercept_[0])])


def calibrated(model: Injection, harmless: Sequence[list[str]]) -> Injection:
    """Move the scores so that ALARMS of the harmless texts reach 0.5."""
    logits = sorted(_logit(model.score(words)) for words in harmless)
    limit = logits[math.ceil(len(logits) * (1 - ALARMS))]
    return Injection([*model.weights[:-1], model.weights[-1] - limit])


def _table(texts: Sequence[list[str]]) -> csr_matrix:
    cells = [(row, at, len(found))
             for row, words in enumerate(texts)
             for found in (features(words),)
             for at in sorted(found)]  # fmt: skip
    rows, columns, sizes = zip(*cells, strict=True)
    values = [1 / math.sqrt(size) for size in sizes]
    return csr_matrix((values, (rows, columns)), shape=(len(texts), BUCKETS))


def _logit(score: float) -> float:
    score = min(max(score, 1e-12), 1 - 1e-12)
    return math.log(score / (1 - score))
