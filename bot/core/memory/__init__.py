"""How much of a conversation the model is shown: always within the token budget."""

from bot.core.memory.kinds import Recall

__all__ = ["Recall"]
