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
LINES_KEPT = 512  # of one memory, for its next message
MEMORIES_KEPT = 64  # whose lines are kept
BYTES_PER_TOKEN = 8  # more than text of any language has on average: when to stop reading back


@dataclass(slots=True)
class Kept:
    """The newest lines of one memory as they were read last; newest first."""

    epoch: int
    lines: list[Remembered] = field(default_factory=list)
    complete: bool = False  # nothing older is stored


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
        chosen = kept.lines[:wanted]
        if sum(line.size + PER_LINE for line in chosen) > budget:
            await self._count(kept, wanted, budget)
            chosen = _fitting(kept.lines[:wanted], budget, whole=policy.kind != "tokens")
        if not without:
            self._keep(key, kept)
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
        return kept

    async def _read_back(
        self, key: str, kept: Kept, wanted: int, budget: int, without: str
    ) -> None:
        spent = sum(_least(line) for line in kept.lines)
        while not kept.complete and len(kept.lines) < wanted and spent < budget:
            before = kept.lines[-1].id if kept.lines else None
            page = await self.memory.recall(
                key, kept.epoch, limit=PAGE, before=before, without=without
            )
            kept.lines += page
            kept.complete = len(page) < PAGE
            spent += sum(_least(line) for line in page)

    async def _count(self, kept: Kept, wanted: int, budget: int) -> None:
        """Count the lines that may fit, each once in its life."""
        await self.tokens.load()
        counted: dict[int, int] = {}
        for index, line in enumerate(kept.lines[:wanted]):
            if line.tokens is None:
                counted[line.id] = self.tokens.count(line.text)
                kept.lines[index] = line._replace(tokens=counted[line.id])
            budget -= (kept.lines[index].tokens or 0) + PER_LINE
            if budget < 0:
                break
        if counted:
            self.memory.counted(counted)

    def _keep(self, key: str, kept: Kept) -> None:
        if len(kept.lines) > LINES_KEPT:
            del kept.lines[LINES_KEPT:]
            kept.complete = False
        self._kept[key] = kept
        if len(self._kept) > MEMORIES_KEPT:
            del self._kept[next(iter(self._kept))]


def _fitting(newest_first: list[Remembered], budget: int, *, whole: bool) -> list[Remembered]:
    fitting: list[Remembered] = []
    for line in newest_first:
        budget -= (line.tokens or 0) + PER_LINE
        if line.tokens is None or budget < 0:
            break
        fitting.append(line)
    while whole and fitting and fitting[-1].role == "assistant":  # its question did not fit
        fitting.pop()
    return fitting


def _least(line: Remembered) -> int:
    tokens = line.size // BYTES_PER_TOKEN if line.tokens is None else line.tokens
    return tokens + PER_LINE
