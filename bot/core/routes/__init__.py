"""How a question finds its way: by words, by examples that are near it, or by asking a model."""

from bot.core.routes.examples import ByExamples
from bot.core.routes.model import ByModel
from bot.core.routes.rules import by_rules

__all__ = ["ByExamples", "ByModel", "by_rules"]
