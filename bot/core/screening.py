"""Between the model and the reader: words are held back until they form a part that may be shown.

A part ends with a sentence or a line, or is as long as a reader would wait for. It is judged with
the end of what was said before, so that what is split over two parts is seen; a part is never
judged twice, so the cost grows with the length of the answer and no faster.
"""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from bot.domain.errors import Declined
from bot.domain.replies import Retraction

LONGEST_WAIT = 400  # characters: an answer without full stops still flows
SHORTEST = 80  # of every part but the first: short sentences are judged together
TAIL = 200  # characters of what was said that a part is judged with
PART_END = re.compile(r"[.!?…。！？]+[\"'”’)\]]*\s|\n")

Judge = Callable[[str, str], Awaitable[str]]  # (part, what was said before it) → what to show


async def screened(
    words: AsyncGenerator[str, None], judge: Judge
) -> AsyncGenerator[str | Retraction, None]:
    """Pass on what may be shown; at the first part that may not, take everything back.

    Raises:
        Declined: it was taken back; the sentence says so.
    """
    waiting, said = "", ""
    try:
        async with aclosing(words):
            async for more in words:
                waiting += more
                end = _part(waiting, SHORTEST if said else 1)
                if end and (shown := await judge(waiting[:end], said)):
                    yield shown
                    said = (said + shown)[-TAIL:]
                waiting = waiting[end:]
        if waiting and (shown := await judge(waiting, said)):
            yield shown
    except Declined:
        yield Retraction("")
        raise


def _part(waiting: str, least: int) -> int:
    """Return where the part ends that can be judged; 0 while there is none."""
    if len(waiting) >= LONGEST_WAIT:
        return len(waiting)
    ends = [
        end for found in PART_END.finditer(waiting) if not _in_code(waiting, end := found.end())
    ]
    return ends[-1] if ends and ends[-1] >= least else 0


def _in_code(waiting: str, end: int) -> bool:
    """Tell whether a part would end within inline code, and its first half be shown as text."""
    return waiting.count("`", waiting.rfind("\n", 0, end) + 1, end) % 2 == 1
