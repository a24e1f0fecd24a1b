"""Models made of models: variation by wrapping, never by flags inside the turn."""

from bot.core.models.deferred import Deferred
from bot.core.models.fallback import Fallback

__all__ = ["Deferred", "Fallback"]
