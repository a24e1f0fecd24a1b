"""The budget holds for every kind of memory, whatever was said."""

import asyncio
import itertools
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.backends.tokens.o200k import O200kCounter
from bot.core.memory import Recall
from bot.core.memory.kinds import PER_LINE
from bot.domain.policy import MemoryPolicy
from bot.ports.store import Remembered, Since

COUNTER = O200kCounter()


class Lines:
    """Memory in a list, newest first on recall; counts are kept as a store would."""

    def __init__(self, texts):
        roles = ("user", "assistant")
        self.lines = [
            Remembered(id=n + 1, role=roles[n % 2], text=text, name="", size=len(text.encode()),
                       tokens=None, event=str(n // 2))
            for n, text in enumerate(texts)
        ]  # fmt: skip
        self.counts = {}
        self.ids = itertools.count(len(self.lines) + 1)

    async def recall(self, key, epoch, *, limit, before=None, without=""):
        older = [line for line in self.lines if before is None or line.id < before]
        return [line for line in older[::-1] if line.event != without][:limit]

    async def since(self, key, epoch, *, first, last):
        newer = [line for line in self.lines if line.id > last]
        there = [line for line in self.lines if first <= line.id <= last]
        if not any(line.id == last for line in there):
            return None
        return Since(len(there), newer[::-1])

    def add(self, *texts):
        for line in Lines(texts).lines:
            self.lines.append(line._replace(id=next(self.ids)))

    def counted(self, tokens):
        assert not self.counts.keys() & tokens.keys(), "a line is counted once"
        self.counts.update(tokens)


class NoSummaries:
    """Summaries of memories that have none."""

    async def read(self, memory, epoch):
        return None


def recall_of(lines):
    return Recall(memory=lines, tokens=COUNTER, summaries=NoSummaries())


async def recalled(lines, budget=100_000, **policy):
    recall = recall_of(lines)
    return (await recall.recollected("key", 0, MemoryPolicy(**policy), budget=budget)).lines


@pytest.mark.parametrize("kind", ["buffer", "window", "tokens", "summary", "recall"])
@settings(deadline=None)
@given(st.lists(st.text(max_size=80), max_size=40), st.integers(8, 400), st.integers(1, 9))
async def test_the_budget_is_never_exceeded_and_what_is_kept_is_the_newest(
    kind, texts, budget, window
):
    lines = Lines(texts)
    kept = await recalled(lines, budget=budget, kind=kind, window=window)
    await COUNTER.load()
    assert sum(COUNTER.count(line.text) + PER_LINE for line in kept) <= budget
    newest = lines.lines[len(lines.lines) - len(kept) :]
    assert [line.id for line in kept] == [line.id for line in newest]
    if kind == "window":
        assert len(kept) <= 2 * window


async def test_everything_is_kept_and_nothing_counted_while_the_bytes_fit():
    lines = Lines([f"line {n}" for n in range(200)])
    assert await recalled(lines) == lines.lines
    assert not lines.counts


async def test_a_window_is_counted_in_exchanges():
    lines = Lines([f"line {n}" for n in range(20)])
    assert [line.text for line in await recalled(lines, kind="window", window=2)] == [
        "line 16", "line 17", "line 18", "line 19"]  # fmt: skip


async def test_a_buffer_begins_with_a_question_and_tokens_with_whatever_fits():
    lines = Lines(["question " * 50, "answer", "next", "last"])
    budget = 40
    assert [line.text for line in await recalled(lines, budget=budget, kind="tokens")] == [
        "answer", "next", "last"]  # fmt: skip
    lines = Lines(["question " * 50, "answer", "next", "last"])
    assert [line.text for line in await recalled(lines, budget=budget, kind="buffer")] == [
        "next", "last"]  # fmt: skip


async def test_tokens_that_were_counted_before_are_not_counted_again():
    lines = Lines(["word " * 100] * 6)
    await recalled(lines, budget=300)
    assert lines.counts
    lines.lines = [
        line._replace(tokens=lines.counts.get(line.id)) for line in lines.lines
    ]  # fmt: skip
    await recalled(lines, budget=300)


@settings(deadline=None)
@given(st.lists(st.lists(st.text(max_size=60), min_size=1, max_size=4), min_size=1, max_size=12),
       st.integers(8, 300), st.data())  # fmt: skip
async def test_kept_lines_are_always_those_that_a_fresh_reading_would_find(rounds, budget, data):
    lines = Lines([])
    recall = recall_of(lines)
    for texts in rounds:
        lines.add(*texts)
        if data.draw(st.booleans()) and len(lines.lines) > 1:
            del lines.lines[data.draw(st.integers(0, len(lines.lines) - 1))]
        policy = MemoryPolicy(kind=data.draw(st.sampled_from(["buffer", "window", "tokens"])))
        lines.counts.clear()
        kept = (await recall.recollected("key", 0, policy, budget=budget)).lines
        lines.counts.clear()
        fresh = (await recall_of(lines).recollected("key", 0, policy, budget=budget)).lines
        assert [line.id for line in kept] == [line.id for line in fresh]


class Slow(Lines):
    """A store that waits before it tells what is new."""

    def __init__(self, texts):
        super().__init__(texts)
        self.asked, self.goes_on = asyncio.Event(), asyncio.Event()

    async def since(self, key, epoch, *, first, last):
        found = await super().since(key, epoch, first=first, last=last)
        self.asked.set()
        await self.goes_on.wait()
        return found


async def test_what_was_changed_while_a_prompt_is_made_is_shown_changed_in_the_next_one():
    lines = Slow(["the door code is 4711", "ok"])
    recall = recall_of(lines)
    policy = MemoryPolicy()
    await recall.recollected("key", 0, policy, budget=1000)
    during = asyncio.create_task(recall.recollected("key", 0, policy, budget=1000))
    await lines.asked.wait()
    lines.lines[0] = lines.lines[0]._replace(text="never mind")
    recall.forget()
    lines.goes_on.set()
    await during
    shown = (await recall.recollected("key", 0, policy, budget=1000)).lines
    assert [line.text for line in shown] == ["never mind", "ok"]


class Noting(O200kCounter):
    """Notes what of the older lines it counts, and in which thread."""

    def __init__(self):
        super().__init__()
        self.counted = []

    def count(self, text):
        if text.startswith(("person: ", "> assistant: ")):  # as a fence shows it
            self.counted.append((len(text), threading.current_thread()))
        return super().count(text)


async def test_older_lines_are_looked_through_beside_the_loop_and_too_long_ones_not_counted():
    lines = Lines([f"garden {n} {'word ' * (10 if n % 2 else 900)}" for n in range(200)])
    recall = Recall(memory=lines, tokens=Noting(), summaries=NoSummaries())
    policy = MemoryPolicy(kind="recall")
    question = " ".join(f"{n}" for n in range(100, 120))
    found = (await recall.recollected("key", 0, policy, budget=500, question=question)).found
    assert "garden 119 " in found
    assert {size > 4000 for size, _ in recall.tokens.counted} == {False}
    assert threading.current_thread() not in {thread for _, thread in recall.tokens.counted}
