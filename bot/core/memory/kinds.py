"""The kinds of memory, all of them cut to `max_tokens`.

`buffer` keeps whole exchanges from the newest back, `window` the last `window` exchanges, `tokens`
the newest lines, whichever role wrote them. A text of n UTF-8 bytes never has more than n tokens,
so nothing is counted (and no tokenizer loaded) while the bytes fit; each line is counted once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.policy import MemoryPolicy
from bot.ports.store import Memory, Remembered
from bot.ports.tokens import TokenCounter

PER_LINE = 4  # tokens that a chat format spends on a line beside its text
PAGE = 64  # lines read at once
BYTES_PER_TOKEN = 8  # more than text of any language has on average: when to stop reading back


@dataclass(slots=True, kw_only=True)
class Recall:
    """Reads back as many lines as the policy and the budget allow."""

    memory: Memory
    tokens: TokenCounter

    async def lines(
        self, key: str, epoch: int, policy: MemoryPolicy, *, budget: int, without: str = ""
    ) -> list[Remembered]:
        """Return the lines to show, oldest first, together at most `budget` tokens."""
        newest_first = await self._read(key, epoch, policy, budget, without)
        if sum(line.size + PER_LINE for line in newest_first) > budget:
            newest_first = await self._fit(newest_first, budget, whole=policy.kind != "tokens")
        return newest_first[::-1]

    async def _read(
        self, key: str, epoch: int, policy: MemoryPolicy, budget: int, without: str
    ) -> list[Remembered]:
        wanted = policy.window * 2 if policy.kind == "window" else budget // PER_LINE
        lines: list[Remembered] = []
        spent = 0
        while len(lines) < wanted and spent < budget:
            page = await self.memory.recall(
                key, epoch, limit=min(PAGE, wanted - len(lines)),
                before=lines[-1].id if lines else None, without=without,
            )  # fmt: skip
            lines += page
            spent += sum(_least(line) for line in page)
            if len(page) < PAGE:
                break
        return lines

    async def _fit(
        self, newest_first: Sequence[Remembered], budget: int, *, whole: bool
    ) -> list[Remembered]:
        await self.tokens.load()
        counted: dict[int, int] = {}
        kept: list[Remembered] = []
        for line in newest_first:
            tokens = line.tokens
            if tokens is None:
                tokens = counted[line.id] = self.tokens.count(line.text)
            budget -= tokens + PER_LINE
            if budget < 0:
                break
            kept.append(line)
        if counted:
            self.memory.counted(counted)
        while whole and kept and kept[-1].role == "assistant":  # its question did not fit
            kept.pop()
        return kept


def _least(line: Remembered) -> int:
    tokens = line.size // BYTES_PER_TOKEN if line.tokens is None else line.tokens
    return tokens + PER_LINE
