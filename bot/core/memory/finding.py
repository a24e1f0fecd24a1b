"""Find older lines that mean the same as a question, or have rare words in common with it."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import log

from bot.domain.text import visible
from bot.domain.untrusted import roleless
from bot.ports.store import Remembered

WORD = re.compile(r"\w{3,}")
RARE = 0.2  # of the lines may have a word that tells something
WORDS = 0.3  # what shared words are worth beside a likeness
NEAR = 0.3  # likeness below which two texts have nothing to do with each other
BYTES_PER_TOKEN = 8  # more than text of any language has on average: what need not be counted
NOT_COMPARED: Mapping[int, float] = {}


def related(
    question: str,
    lines: Sequence[Remembered],
    *,
    room: int,
    count: Callable[[str], int],
    likeness: Mapping[int, float] = NOT_COMPARED,
) -> str:
    """Return the lines that fit a question best, oldest first, within so many tokens.

    Args:
        question: what is asked now.
        lines: the older lines of its memory.
        room: tokens that may be used.
        count: counts tokens.
        likeness: by line, how near it is in meaning; words alone decide where there is none.
    """
    asked = set(WORD.findall(question.casefold()))
    words = [asked.intersection(WORD.findall(line.text.casefold())) for line in lines]
    common = Counter(word for found in words for word in found)
    most = max(len(lines) * RARE, 1)
    weight = {word: log(1 + len(lines) / n) for word, n in common.items() if n <= most}
    shared = [sum(weight.get(word, 0.0) for word in found) for found in words]
    most_shared = max(shared, default=0.0) or 1.0
    scored = [
        (_near(likeness.get(line.id, 0.0)) + WORDS * value / most_shared, line)
        for value, line in zip(shared, lines, strict=True)
    ]
    best = sorted(
        (pair for pair in scored if pair[0] > 0), key=lambda pair: (-pair[0], -pair[1].id)
    )
    chosen: dict[int, str] = {}
    for _, line in best:
        if line.size // BYTES_PER_TOKEN > room:
            continue
        text = roleless(visible(spoken(line)))
        size = count(text) + 1
        if size <= room:
            chosen[line.id] = text
            room -= size
    return "\n".join(chosen[id] for id in sorted(chosen))


def _near(likeness: float) -> float:
    return likeness if likeness >= NEAR else 0.0


def spoken(line: Remembered) -> str:
    """Write a line with who said it."""
    who = "assistant" if line.role == "assistant" else line.name or "person"
    return f"{who}: {line.text}"
