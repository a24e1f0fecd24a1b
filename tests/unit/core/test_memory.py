"""The budget holds for every kind of memory, whatever was said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.backends.tokens.o200k import O200kCounter
from bot.core.memory import Recall
from bot.core.memory.kinds import PER_LINE
from bot.domain.policy import MemoryPolicy
from bot.ports.store import Remembered

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

    async def recall(self, key, epoch, *, limit, before=None, without=""):
        older = [line for line in self.lines if before is None or line.id < before]
        return [line for line in older[::-1] if line.event != without][:limit]

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
    assert kept == lines.lines[len(lines.lines) - len(kept) :]
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
