"""From the server's categories and scores to ours."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.errors import GuardError
from bot.domain.moderation import Category, Finding, Findings

OURS: Mapping[str, Category] = {
    "harassment": "harassment",
    "harassment/threatening": "threat",
    "hate": "hate",
    "hate/threatening": "hate",
    "illicit": "illicit",
    "illicit/violent": "illicit",
    "self-harm": "self_harm",
    "self-harm/intent": "self_harm",
    "self-harm/instructions": "self_harm",
    "sexual": "sexual",
    "sexual/minors": "minors",
    "violence": "violence",
    "violence/graphic": "violence",
}
LEAST = 0.01  # a score below it is no finding


def findings(results: Sequence[Any]) -> Findings:
    """Return the highest score of each of our categories.

    Raises:
        GuardError: a result has no scores.
    """
    highest: dict[Category, float] = {}
    for result in results:
        try:
            scores = result["category_scores"].items()
            for theirs, score in scores:
                ours = OURS.get(theirs)
                if ours and score is not None and score > highest.get(ours, LEAST):
                    highest[ours] = float(score)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise GuardError("moderation answered without scores") from error
    return tuple(
        Finding(category=category, score=score, guard="openai")
        for category, score in highest.items()
    )
