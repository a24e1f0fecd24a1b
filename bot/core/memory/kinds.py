"""The kinds of memory, all of them cut to `max_tokens`.

`buffer` keeps whole exchanges from the newest back, `window` the last `window` exchanges, `tokens`
the newest lines, whichever role wrote them. A text of n UTF-8 bytes never has more than n tokens,
so nothing is counted (and no tokenizer loaded) while the bytes fit; each line is counted once.
"""

from dataclasses import dataclass, field

from bot.domain.policy import MemoryPolicy
from bot.ports.store import Memory, Remembered
from bot.ports.tokens import TokenCounter

PER_LINE = 4  # tokens that a chat format spends on a line beside its text
PAGE = 64  # lines read at once
MEMORIES_KEPT = 64  # whose lines are kept
BYTES_PER_TOKEN = 8  # more than text of any language has on average: when to stop reading back


@dataclass(slots=True)
class Kept:
    """The newest lines of one memory as they were read last; newest first."""

    epoch: int
    lines: list[Remembered] = field(default_factory=list)
    complete: bool = False  # nothing older is stored
    spent: int = 0  # tokens that they have at least


@dataclass(slots=True, kw_only=True)
class Recall:
    """Reads back as many lines as the policy and the budget allow.

    The lines of busy conversations are kept, and only what is new is read: so a message costs the
    same however long its conversation is. What was deleted meanwhile shows in their number.
    """

    memory: Memory
    tokens: TokenCounter
    _kept: dict[str, Kept] = field(default_factory=dict)

    async def lines(
        self, key: str, epoch: int, policy: MemoryPolicy, *, budget: int, without: str = ""
    ) -> list[Remembered]:
        """Return the lines to show, oldest first, together at most `budget` tokens."""
        wanted = policy.window * 2 if policy.kind == "window" else max(budget // PER_LINE, 0)
        kept = await self._refreshed(key, epoch, without)
        await self._read_back(key, kept, wanted, budget, without)
        chosen = _fitting_by_size(kept.lines[:wanted], budget)
        if chosen is None:
            whole = policy.kind != "tokens"
            chosen = await self._fitting(kept, wanted, budget, whole=whole)
        if not without:
            self._keep(key, kept, len(chosen))
        return chosen[::-1]

    async def _refreshed(self, key: str, epoch: int, without: str) -> Kept:
        """Take out what is kept of a memory, brought up to date, or begin anew."""
        kept = None if without else self._kept.pop(key, None)
        if kept is None or kept.epoch != epoch or not kept.lines:
            return Kept(epoch)
        first, last = kept.lines[-1].id, kept.lines[0].id
        since = await self.memory.since(key, epoch, first=first, last=last)
        if since is None or since.still != len(kept.lines):
            return Kept(epoch)
        kept.lines[:0] = since.newer
        kept.spent += sum(map(_least, since.newer))
        return kept

    async def _read_back(
        self, key: str, kept: Kept, wanted: int, budget: int, without: str
    ) -> None:
        while not kept.complete and len(kept.lines) < wanted and kept.spent < budget:
            before = kept.lines[-1].id if kept.lines else None
            page = await self.memory.recall(
                key, kept.epoch, limit=PAGE, before=before, without=without
            )
            kept.lines += page
            kept.complete = len(page) < PAGE
            kept.spent += sum(map(_least, page))

    async def _fitting(
        self, kept: Kept, wanted: int, budget: int, *, whole: bool
    ) -> list[Remembered]:
        """Return the newest lines within the budget; each line is counted once in its life."""
        await self.tokens.load()
        counted: dict[int, int] = {}
        fitting = 0
        for index, line in enumerate(kept.lines[:wanted]):
            tokens = line.tokens
            if tokens is None:
                tokens = counted[line.id] = self.tokens.count(line.text)
                kept.lines[index] = line._replace(tokens=tokens)
            budget -= tokens + PER_LINE
            if budget < 0:
                break
            fitting = index + 1
        if counted:
            self.memory.counted(counted)
        while whole and fitting and kept.lines[fitting - 1].role == "assistant":
            fitting -= 1  # its question did not fit
        return kept.lines[:fitting]

    def _keep(self, key: str, kept: Kept, shown: int) -> None:
        if len(kept.lines) > shown + PAGE:
            del kept.lines[shown + PAGE :]
            kept.complete = False
            kept.spent = sum(map(_least, kept.lines))
        self._kept[key] = kept
        if len(self._kept) > MEMORIES_KEPT:
            del self._kept[next(iter(self._kept))]


def _fitting_by_size(newest_first: list[Remembered], budget: int) -> list[Remembered] | None:
    """Return all lines if their bytes fit, so that their tokens do as well; None if not."""
    for line in newest_first:
        budget -= line.size + PER_LINE
        if budget < 0:
            return None
    return newest_first


def _least(line: Remembered) -> int:
    tokens = line.size // BYTES_PER_TOKEN if line.tokens is None else line.tokens
    return tokens + PER_LINE
