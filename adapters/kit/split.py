"""Cut a long answer into messages without losing a character.

Joining the slices' sources gives the text back. A code fence that a cut goes through is closed in
one message and opened again, with its language, in the next. The length is measured after
rendering, in the platform's own unit. A cut depends only on the text before it (plus one limit's
worth), so parts that were posted while the answer was still growing keep their boundaries.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slice:
    """One message's share: `text[start:end]`, and what is shown of it (fences made whole)."""

    start: int
    end: int
    shown: str


def split(
    text: str, limit: int, measure: Callable[[str], int] = len, *, ends: Sequence[int] = ()
) -> list[Slice]:
    """Return the messages that carry `text`, each at most `limit` long by `measure(shown)`.

    Args:
        text: Markdown.
        limit: in the unit of `measure`.
        measure: length of a shown slice as the platform counts it, after rendering.
        ends: end offsets of parts that are posted already; their boundaries do not move.
    """
    raise NotImplementedError


def utf16(text: str) -> int:
    """Length in UTF-16 code units, as Telegram counts."""
    raise NotImplementedError
