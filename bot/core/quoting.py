"""The passages in a prompt: numbered, fenced, and no more of them than there is room for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache

from bot.domain.knowledge import Grounds
from bot.domain.untrusted import Fence, harmless

SHARE = 2  # half of what a question leaves is given to the passages, at most
FENCE_TOKENS = 64  # of a fence and its mark
LEAST = 48  # tokens: less of a passage says nothing
KEPT = 256  # passages that are found often are made ready, and counted, once
ORDERS = (
    "Passages of the documents that may answer are numbered [1] to [{last}]. Answer from them "
    "where they do, and put the number behind what you take from one, like [1]. Where they do not "
    "answer, say that the documents do not say it."
)
DOUBTFUL = (
    "Passages of the documents that come near the question are numbered [1] to [{last}]. They may "
    "be about something else: use one only if it really answers, and then put its number behind "
    "what you take from it, like [1]."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """Passages as a prompt shows them."""

    texts: tuple[str, ...] = ()
    orders: str = ""  # what the model is told about them
    tokens: int = 0  # that all of it takes


async def numbered(
    grounds: Grounds, fence: Fence, room: int, size: Callable[[str, int], Awaitable[int]]
) -> Quoted:
    """Fence the best passages, each whole or not at all.

    Args:
        grounds: what was found, best first.
        fence: of the prompt.
        room: tokens that they may take together.
        size: counts the tokens of a passage within a budget.
    """
    texts: list[str] = []
    before = room
    for number, passage in enumerate(grounds.passages, 1):
        room -= FENCE_TOKENS
        if room < LEAST:
            break
        name = f"[{number}] {passage.name}"
        words = _ready(passage.text)
        taken = await size(words, room) + len(harmless(name).encode())
        if taken > room:  # nothing was fenced, so that no prompt speaks of fences for nothing
            break
        texts.append(fence.holding(name, words))
        room -= taken
    if not texts:
        return Quoted()
    orders = ORDERS if grounds.sure else DOUBTFUL
    return Quoted(texts=tuple(texts), orders=orders.format(last=len(texts)), tokens=before - room)


@lru_cache(maxsize=KEPT)
def _ready(text: str) -> str:
    return harmless(text)
