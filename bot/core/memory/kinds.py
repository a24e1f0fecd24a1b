"""The kinds of memory, all of them cut to `max_tokens`.

`buffer` keeps whole exchanges from the newest back, `window` the last `window` exchanges, `tokens`
the newest lines, whichever role wrote them; `summary` shows these too, and before them, once they
are no longer all there is, what was said earlier in fewer words; `recall` shows, in a third of the
budget, older lines that mean about the same as the question or have rare words in common with it.

A text of n UTF-8 bytes never has more than n tokens, so nothing is counted (and no tokenizer
loaded) while the bytes fit; each line is counted once.
"""

import asyncio
from dataclasses import dataclass, field

from bot.core.memory.finding import BYTES_PER_TOKEN, NOT_COMPARED, related
from bot.core.memory.meaning import ByMeaning
from bot.domain.policy import MemoryPolicy
from bot.ports.memory import Summaries
from bot.ports.store import Memory, Remembered, Since, Summary
from bot.ports.tokens import TokenCounter

PER_LINE = 4  # tokens that a chat format spends on a line beside its text
PAGE = 64  # lines read at once
MEMORIES_KEPT = 64  # whose lines are kept
FOR_FOUND = 3  # a third of the budget is for older lines
FOR_NEWEST = 3  # a third of it is for the newest ones, whatever was said before
FARTHEST_BACK = 500  # lines that are looked through
RECAP_TOKENS = 64  # of the fence around a summary
USUAL_BYTES = 4  # of a token, to guess by: whoever acts upon a guess counts before


@dataclass(slots=True)
class Kept:
    """The newest lines of one memory as they were read last; newest first."""

    epoch: int
    lines: list[Remembered] = field(default_factory=list)
    complete: bool = False  # nothing older is stored
    spent: int = 0  # tokens that they have at least
    since: Since | None = None  # what was read when they were brought up to date


@dataclass(frozen=True, slots=True)
class Recollected:
    """What a prompt is given of a memory."""

    lines: list[Remembered]  # oldest first
    recap: str = ""  # what was said before them
    found: str = ""  # older lines that may matter


@dataclass(slots=True, kw_only=True)
class Recall:
    """Reads back as many lines as the policy and the budget allow.

    The lines of busy conversations are kept, and only what is new is read: so a message costs the
    same however long its conversation is. What was deleted meanwhile shows in their number.
    """

    memory: Memory
    tokens: TokenCounter
    summaries: Summaries
    meaning: ByMeaning | None = None
    behind: set[str] = field(default_factory=set)  # memories with much that is not summed up
    _kept: dict[str, Kept] = field(default_factory=dict)

    async def recollected(
        self, key: str, epoch: int, policy: MemoryPolicy, *, budget: int, without: str = "",
        question: str = "",
    ) -> Recollected:  # fmt: skip
        """Return what to show with a question, together at most `budget` tokens."""
        wanted = policy.window * 2 if policy.kind == "window" else max(budget // PER_LINE, 0)
        keeping = self._kept  # as long as nobody says that something was changed
        kept = await self._refreshed(key, epoch, without)
        await self._read_back(key, kept, wanted, budget, without)
        whole = policy.kind in ("buffer", "window")
        chosen = await self._newest(kept, wanted, budget, whole=whole)
        recap = found = ""
        everything = kept.complete and len(chosen) == len(kept.lines)
        if policy.kind == "recall" and not everything:
            room = budget // FOR_FOUND
            newest = await self._newest(kept, wanted, budget - room, whole=whole)
            found = await self._found(key, epoch, newest, question, room, without)
            chosen = newest if found else chosen
        if policy.kind == "summary" and (summary := await self._summary(key, kept, policy)):
            room = budget - summary.tokens - RECAP_TOKENS
            if not everything and room >= budget // FOR_NEWEST:
                chosen, recap = await self._newest(kept, wanted, room, whole=whole), summary.text
        if not without and keeping is self._kept:
            self._keep(key, kept, len(chosen))
        return Recollected(chosen[::-1], recap, found)

    async def _found(
        self, key: str, epoch: int, newest: list[Remembered], question: str, room: int, without: str
    ) -> str:
        """Return older lines that fit a question."""
        before = newest[-1].id if newest else None
        older = await self.memory.recall(
            key, epoch, limit=FARTHEST_BACK, before=before, without=without
        )
        likeness = NOT_COMPARED
        if older and self.meaning:
            likeness = await self.meaning.likeness(question, key, before=before)
        await self.tokens.load()
        room, count = room - RECAP_TOKENS, self.tokens.count
        return await asyncio.to_thread(  # hundreds of lines may be long
            related, question, older, room=room, count=count, likeness=likeness
        )

    def forget(self) -> None:
        """Let go of all lines that are kept here: some were changed where they are stored."""
        self._kept = {}

    async def _summary(self, key: str, kept: Kept, policy: MemoryPolicy) -> Summary | None:
        """Return the summary of a memory that has grown, and note when it falls behind."""
        half = policy.max_tokens // 2
        if kept.complete and _fitting_by_size(kept.lines, half) is not None:
            return None
        since = kept.since
        summary = since.summary if since else await self.summaries.read(key, kept.epoch)
        last = summary.last if summary else 0
        if sum(_about(line) for line in kept.lines if line.id > last) > half:
            self.behind.add(key)
        return summary

    async def _refreshed(self, key: str, epoch: int, without: str) -> Kept:
        """Take out what is kept of a memory, brought up to date, or begin anew."""
        kept = None if without else self._kept.pop(key, None)
        if kept is None or kept.epoch != epoch or not kept.lines:
            return Kept(epoch)
        first, last = kept.lines[-1].id, kept.lines[0].id
        kept.since = since = await self.memory.since(key, epoch, first=first, last=last)
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

    async def _newest(
        self, kept: Kept, wanted: int, budget: int, *, whole: bool
    ) -> list[Remembered]:
        """Return the newest lines within the budget, newest first."""
        chosen = _fitting_by_size(kept.lines[:wanted], budget)
        return await self._fitting(kept, wanted, budget, whole=whole) if chosen is None else chosen

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
                tokens = counted[line.id] = self.tokens.count(line.shown)
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
        if len(kept.lines) > shown + 2 * PAGE:  # not at every message, since it is all counted anew
            del kept.lines[shown + PAGE :]
            kept.complete = False
            kept.spent = sum(map(_least, kept.lines))
        self._kept[key] = kept
        if len(self._kept) > MEMORIES_KEPT:
            del self._kept[next(iter(self._kept))]


def _fitting_by_size(newest_first: list[Remembered], budget: int) -> list[Remembered] | None:
    """Return all lines if their bytes fit, so that their tokens do as well; None if not."""
    for line in newest_first:
        budget -= _bytes(line) + PER_LINE
        if budget < 0:
            return None
    return newest_first


def _bytes(line: Remembered) -> int:
    """Return how many bytes a line has as it is shown: never fewer than its tokens."""
    return line.size + (len(line.name.encode()) + len(": ") if line.name else 0)


def _about(line: Remembered) -> int:
    return (_bytes(line) // USUAL_BYTES if line.tokens is None else line.tokens) + PER_LINE


def _least(line: Remembered) -> int:
    tokens = _bytes(line) // BYTES_PER_TOKEN if line.tokens is None else line.tokens
    return tokens + PER_LINE
