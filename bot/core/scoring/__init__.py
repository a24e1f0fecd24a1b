"""Which of several answers is shown: by rules, by nearness to the sources, or by a model."""

from collections.abc import Mapping

from bot.core.scoring.judge import JudgeScorer
from bot.core.scoring.rules import RulesScorer
from bot.core.scoring.sources import SourcesScorer
from bot.domain.chains import BestOfSettings
from bot.ports.embedder import Embedder
from bot.ports.model import Model
from bot.ports.scorer import Scorer

__all__ = ["JudgeScorer", "RulesScorer", "SourcesScorer", "scorer_of"]


def scorer_of(
    settings: BestOfSettings, models: Mapping[str, Model], usual: str, embedder: Embedder | None
) -> Scorer:
    """Return the scorer that a chain asks for; `usual` is the model that answers in the place."""
    rules = RulesScorer(settings)
    if settings.scorer == "model":
        return JudgeScorer(models[settings.judge_model or usual])
    if settings.scorer == "sources" and embedder is not None:
        return SourcesScorer(embedder, rules)
    return rules
