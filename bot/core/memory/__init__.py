"""How much of a conversation the model is shown: always within the token budget."""

from bot.core.memory.kinds import Recall, Recollected
from bot.core.memory.summarising import Summarising

__all__ = ["Recall", "Recollected", "Summarising"]
