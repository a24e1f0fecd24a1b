"""Counting tokens without ever asking a network."""

from typing import Protocol


class TokenCounter(Protocol):
    """Counts the tokens of a text; never fewer than a model would, roughly."""

    async def load(self) -> None:
        """Get ready, off the event loop; cheap when called again."""
        ...

    def count(self, text: str) -> int:
        """Return the number of tokens; call `load` first."""
        ...
