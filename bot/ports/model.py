"""A language model, as one method; variation is made by wrapping it."""

from collections.abc import AsyncGenerator
from typing import Protocol

from bot.domain.dialogue import Delta, Prompt


class Model(Protocol):
    """Something that continues a conversation."""

    def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Yield words as they come and `Ended` last; closing the generator ends the call.

        An answer that breaks off after its first words ends with `Ended(reason="interrupted")`.

        Raises:
            ModelRefused: trying again is of no use.
            ContextTooLong: the prompt is too long for this model.
            ModelError: nothing was heard; another model, or the same one later, may answer.
        """
        ...
