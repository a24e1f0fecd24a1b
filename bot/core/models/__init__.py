"""Models made of models: variation by wrapping, never by flags inside the turn."""

from bot.core.models.breaker import Breaker
from bot.core.models.deferred import Deferred
from bot.core.models.fallback import Fallback
from bot.core.models.metered import Metered
from bot.core.models.redacted import Redacted

__all__ = ["Breaker", "Deferred", "Fallback", "Metered", "Redacted"]
