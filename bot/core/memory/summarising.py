"""Sum up what no longer fits into a prompt, in the background: no answer waits for it.

A summary is begun once half of the budget is not covered by it, and leaves the newest quarter
alone: so the lines after it still fit while the next part is made. It is built up part by part,
each stored by itself, so that a kill costs one call. What was made from lines that have changed
meanwhile is thrown away. Only an answer begins one, and it does not reach back without end: so what
people say to each other costs little where nobody asks the bot.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.core.memory.finding import BYTES_PER_TOKEN, spoken
from bot.core.memory.kinds import PAGE, PER_LINE, Recall
from bot.core.models.listening import heard
from bot.domain.dialogue import Line, Prompt
from bot.domain.errors import ContextTooLong, ModelError
from bot.domain.policy import MemoryPolicy, Policy
from bot.domain.text import storable, visible
from bot.domain.untrusted import Fence, roleless
from bot.ports.memory import Summaries
from bot.ports.model import Model
from bot.ports.store import Remembered, Summary, Turn

log = logging.getLogger(__name__)
AT_ONCE = 8  # jobs: fewer fall behind where many talk at once
FARTHEST = 8  # times the budget: what lies farther back is not summed up any more
SHARE = 4  # a summary is at most this part of the budget, and so much is left out of it
THINKING = 1024  # tokens beside its words that a model may need to find them
OLD_NOTES, NEW_LINES = "the notes so far", "the new lines"
ORDERS_TOKENS = 256  # of the orders and the fences of a call
LEAST_PART = 256  # tokens of lines: a model that cannot take these sums nothing up
FIRST_PAUSE, LONGEST_PAUSE = 15.0, 3600.0  # seconds before another try; doubles with each failure
ORDERS = """\
You keep the notes of a chat between people and an assistant. Rewrite the notes so that they cover \
the new lines too: facts, names, numbers, dates, wishes, decisions, open questions, and who said \
what. Keep what is still true of the old notes. Leave out greetings and small talk. Use the \
language of the conversation, plain sentences, and at most {words} words. Write only the notes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One memory to sum up, for whom it is paid."""

    memory: str
    epoch: int
    policy: MemoryPolicy
    model: str
    person: str
    conversation: str


@dataclass(slots=True, kw_only=True)
class Summarising:
    """Makes summaries, one at a time for each memory."""

    recall: Recall
    summaries: Summaries
    models: Mapping[str, Model]  # those that can write
    timeout_s: float
    rooms: Mapping[str, int] = field(default_factory=dict)  # tokens of prompt by model, if limited
    now: Callable[[], float] = time.time
    _queue: "asyncio.Queue[Job]" = field(default_factory=asyncio.Queue)
    _open: set[str] = field(default_factory=set)  # memories whose job waits or runs
    _failures: dict[str, tuple[int, float]] = field(default_factory=dict)  # how many, until when

    def consider(self, turn: Turn, policy: Policy) -> None:
        """Begin a summary if the memory of a turn that was answered needs one."""
        if self.recall.meaning:
            self.recall.meaning.consider(turn, policy)
        key = turn.memory
        if key not in self.recall.behind:
            return
        self.recall.behind.discard(key)
        model = policy.memory.summary_model or policy.model
        _, pause = self._failures.get(key, (0, 0.0))
        if model not in self.models or key in self._open or self.now() < pause:
            return
        self._open.add(key)
        job = Job(
            memory=key, epoch=turn.epoch, policy=self._fitting(policy.memory, model), model=model,
            person=str(getattr(turn.event, "author", "")), conversation=turn.lane,
        )  # fmt: skip
        self._queue.put_nowait(job)

    def _fitting(self, policy: MemoryPolicy, model: str) -> MemoryPolicy:
        """Return a policy whose summaries a model can make: notes, lines and answer have room."""
        room = self.rooms.get(model)
        if room is None:
            return policy
        most = max((room - ORDERS_TOKENS) * SHARE // (SHARE + 1), LEAST_PART)
        return replace(policy, max_tokens=min(policy.max_tokens, most))

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._work())
            if self.recall.meaning:
                group.create_task(self.recall.meaning.run())

    async def _work(self) -> None:
        while True:
            job = await self._queue.get()
            try:
                await self._sum_up(job)
            except Exception as error:  # noqa: BLE001 - one memory must not stop the others
                self._pause(job, error)
            else:
                self._failures.pop(job.memory, None)
            finally:
                self._open.discard(job.memory)

    def _pause(self, job: Job, error: Exception) -> None:
        count = self._failures.get(job.memory, (0, 0.0))[0] + 1
        pause = min(FIRST_PAUSE * 2.0 ** min(count - 1, 16), LONGEST_PAUSE)
        self._failures[job.memory] = (count, self.now() + pause)
        log.warning("%s is not summed up for %.0f s: %r", job.conversation, pause, error)

    async def _sum_up(self, job: Job) -> None:
        """Go on part by part until the rest is small, or something has changed."""
        room = job.policy.max_tokens * (SHARE - 1) // SHARE  # beside the notes so far
        while True:
            before = await self.summaries.read(job.memory, job.epoch)
            part = _older(await self._uncovered(job, before), job.policy, room)
            if not part:
                return
            try:
                text = await self._condensed(job, before, part, room)
            except ContextTooLong:
                room //= 2
                if room < LEAST_PART:
                    raise
                continue
            summary = Summary(
                memory=job.memory, epoch=job.epoch, first=before.first if before else part[0].id,
                last=part[-1].id, text=text, tokens=self.recall.tokens.count(text),
                model=job.model, at=self.now(),
            )  # fmt: skip
            if not await self.summaries.write(summary, before=before, lines=part):
                return

    async def _uncovered(self, job: Job, before: Summary | None) -> list[Remembered]:
        """Return the newest lines that no summary covers, oldest first, with their tokens."""
        await self.recall.tokens.load()
        last = before.last if before else 0
        found: list[Remembered] = []
        spent, most = 0, FARTHEST * job.policy.max_tokens
        oldest: int | None = None
        while spent < most:
            page = await self.recall.memory.recall(job.memory, job.epoch, limit=PAGE, before=oldest)
            fresh = [self._counted(line) for line in page if line.id > last]
            found += fresh
            spent += sum(_size(line) for line in fresh)
            if len(fresh) < PAGE:
                break
            oldest = page[-1].id
        return found[::-1]

    def _counted(self, line: Remembered) -> Remembered:
        if line.tokens is not None:
            return line
        return line._replace(tokens=self.recall.tokens.count(line.shown))

    async def _condensed(
        self, job: Job, before: Summary | None, part: Sequence[Remembered], room: int
    ) -> str:
        """Ask for one summary, and cut it to its share of the budget."""
        most = job.policy.max_tokens // SHARE
        fence = Fence()
        said = "\n".join(_spoken(line, room) for line in part)
        notes = [fence.around(OLD_NOTES, before.text)] if before else []
        asked = "\n\n".join((*notes, fence.around(NEW_LINES, said)))
        orders = f"{ORDERS.format(words=max(most * 2 // 3, 8))}\n\n{fence.note}"
        prompt = Prompt(
            lines=(Line("system", orders), Line("user", asked)), person=job.person,
            conversation=job.conversation, purpose="summary", limit=most + THINKING,
        )  # fmt: skip
        async with asyncio.timeout(self.timeout_s):
            longest = most * BYTES_PER_TOKEN  # some small models never stop
            result = await heard(self.models[job.model], prompt, longest=longest)
        text = _unrepeated(_unfenced(roleless(visible(storable(result.text))), fence.mark))
        if result.reason not in ("complete", "length") or not text:
            raise ModelError(f"{job.model} wrote no summary")
        return self._cut(text, most)

    def _cut(self, text: str, most: int) -> str:
        while (count := self.recall.tokens.count(text)) > most:
            text = text[: min(len(text) * most // count, len(text) - 1)].rstrip()
        return text


def _unfenced(text: str, mark: str) -> str:
    """Take out what small models copy of the fence around their material."""
    return re.sub(rf"⟦?{mark}(?: {OLD_NOTES}| {NEW_LINES})?⟧?", "", text)


def _unrepeated(text: str) -> str:
    """Keep one of what comes again and again: small models do not find out of a loop.

    What is said again elsewhere stays, since it may be of somebody else.
    """
    lines: list[str] = []
    for line in filter(str.strip, text.splitlines()):
        lines.append(line.rstrip())
        for size in range(1, len(lines) // 2 + 1):
            if lines[-size:] == lines[-2 * size : -size]:
                del lines[-size:]
                break
    return "\n".join(lines).strip()


def _older(lines: Sequence[Remembered], policy: MemoryPolicy, room: int) -> list[Remembered]:
    """Return what to sum up next of lines that no summary covers: nothing while they are few."""
    left = sum(map(_size, lines))
    if left <= policy.max_tokens // 2:
        return []
    part: list[Remembered] = []
    for line in lines:
        if left <= policy.max_tokens // SHARE or (part and _size(line) > room):
            break
        part.append(line)
        left -= _size(line)
        room -= _size(line)
    return part


def _size(line: Remembered) -> int:
    return (line.tokens or 0) + PER_LINE


def _spoken(line: Remembered, room: int) -> str:
    """Write a line with who said it; one that is too long is cut, by bytes, as it has more."""
    if line.tokens is not None and line.tokens > room:
        line = line._replace(text=line.text.encode()[:room].decode(errors="ignore"))
    return spoken(line)
