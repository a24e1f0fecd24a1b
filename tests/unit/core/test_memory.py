"""The budget holds for every kind of memory, whatever was said."""

import itertools

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


async def recalled(lines, budget=100_000, **policy):
    recall = Recall(memory=lines, tokens=COUNTER)
    return await recall.lines("key", 0, MemoryPolicy(**policy), budget=budget)


@pytest.mark.parametrize("kind", ["buffer", "window", "tokens"])
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
    recall = Recall(memory=lines, tokens=COUNTER)
    for texts in rounds:
        lines.add(*texts)
        if data.draw(st.booleans()) and len(lines.lines) > 1:
            del lines.lines[data.draw(st.integers(0, len(lines.lines) - 1))]
        policy = MemoryPolicy(kind=data.draw(st.sampled_from(["buffer", "window", "tokens"])))
        lines.counts.clear()
        kept = await recall.lines("key", 0, policy, budget=budget)
        lines.counts.clear()
        fresh = await Recall(memory=lines, tokens=COUNTER).lines("key", 0, policy, budget=budget)
        assert [line.id for line in kept] == [line.id for line in fresh]
