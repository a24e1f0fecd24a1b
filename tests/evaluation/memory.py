"""Hold long conversations with every kind of memory, and measure what reaches the model.

    python -m tests.evaluation.memory

The whole engine runs, with a model on loopback that answers by an echo and sums up by keeping
planted facts in words of its own. What is said are the hundred longest real conversations of
`chitchat-dataset`, with a fact among the first lines and a question about it, in other words, at
the end. It exits with 0 unless a prompt was larger than its budget.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from bot.backends.tokens.o200k import O200kCounter
from bot.domain.conversation import Conversation
from bot.domain.policy import MemoryKind, MemoryPolicy
from tests.evaluation.conversations import FACTS, conversations, planted
from tests.events import message
from tests.fakes.openai import FakeOpenAI, asks_for_summary
from tests.harness import MemoryPlatform, configuration, running
from tests.integration.conftest import stored

REAL = conversations()
KINDS: tuple[MemoryKind, ...] = ("buffer", "window", "tokens", "summary", "recall")
BUDGET = 600  # tokens
PER_LINE = 4  # tokens of a chat format
AT_ONCE = 25  # conversations
SUMMARY_S = 0.1  # seconds that the model thinks about each call


@dataclass
class Found:
    """What one kind of memory gave."""

    over: int = 0  # prompts larger than the budget
    prompts: int = 0
    largest: int = 0  # tokens
    reached: int = 0  # conversations whose last prompt had the fact
    waits: list[float] = field(default_factory=list)  # seconds for an answer, no summary being made
    beside: list[float] = field(default_factory=list)  # the same while one was
    calls: int = 0
    tokens: int = 0  # of summaries, as the ledger has them


def said(number: int, turns: int) -> tuple[list[str], str]:
    """Return what one person says in a real conversation, and the token to be found at the end."""
    conversation, question, token = planted(REAL[number], number)
    [(speaker, _)] = Counter(who for who, _ in conversation).most_common(1)
    own = [text for who, text in conversation if who == speaker and text.strip()]
    early = [text for who, text in conversation[:3] if who == speaker]  # the fact is among them
    return [*early, *own[len(early) : turns - 1], question], token


def condensing(body: dict[str, Any]) -> str:
    """Sum up by keeping the planted tokens in other words: reversed; else answer by an echo."""
    text = str(body["messages"][-1]["content"])
    if not asks_for_summary(body):
        return f"I see: {text[-60:]}"
    kept = [token[::-1] for _, _, token in FACTS if token in text or token[::-1] in text]
    return f"Notes: {' '.join(kept)}"


class Rooms(MemoryPlatform):
    """Counts answers by conversation, so that each waits for its own alone."""

    def __init__(self) -> None:
        super().__init__()
        self.answered: dict[Conversation, asyncio.Queue[None]] = defaultdict(asyncio.Queue)

    async def deliver(self, to: Any, reply: Any, outbox: Any) -> Any:
        receipt = await super().deliver(to, reply, outbox)
        self.answered[to.conversation].put_nowait(None)
        return receipt


async def held(platform: Rooms, engine: Any, number: int, turns: int, found: Found) -> None:
    """Hold one conversation, line by line."""
    place = Conversation(platform="fake", workspace="W", channel=f"C{number}")
    for text in said(number, turns)[0]:
        beside, began = str(place) in engine.summarising._open, time.perf_counter()
        await platform.inbox.accept(message(text, conversation=place))
        async with asyncio.timeout(60):
            await platform.answered[place].get()
        (found.beside if beside else found.waits).append(time.perf_counter() - began)


async def measured(kind: MemoryKind, count: int, turns: int) -> Found:
    """Hold all conversations with one kind of memory."""
    found = Found()
    with TemporaryDirectory() as name:
        async with FakeOpenAI(answer=condensing, delay=SUMMARY_S) as model:
            config = replace(
                configuration(Path(name), model.base_url),
                memory=MemoryPolicy(kind=kind, max_tokens=BUDGET),
            )
            platform, limit = Rooms(), asyncio.Semaphore(AT_ONCE)

            async def one(number: int) -> None:
                async with limit:
                    await held(platform, engine, number, turns, found)

            async with running(config, platform) as engine:
                await asyncio.gather(*(one(number) for number in range(count)))
            await judge([call.args for call in model.calls], found)
        rows = stored(Path(name), "select input + output from ledger where purpose = 'summary'")
    found.calls, found.tokens = len(rows), sum(tokens for (tokens,) in rows)
    return found


async def judge(calls: list[dict[str, Any]], found: Found) -> None:
    """Count what the model was shown."""
    counter = O200kCounter()
    await counter.load()
    for call in calls:
        if "messages" not in call or asks_for_summary(call):
            continue
        lines = [line["content"] for line in call["messages"][1:]]
        size = sum(counter.count(text) + PER_LINE for text in lines)
        found.prompts += 1
        found.over += size > BUDGET
        found.largest = max(found.largest, size)
        for _, question, token in FACTS:
            if lines[-1].endswith(question):
                found.reached += any(token in text or token[::-1] in text for text in lines)


def table(results: dict[MemoryKind, Found], conversations: int) -> Table:
    """Show all kinds side by side."""
    shown = Table(title=f"{conversations} conversations, {BUDGET} tokens of memory")
    for name in ("kind", "over budget", "largest prompt", "fact reaches the end", "answer ms p50",
                 "… while summing up", "summary calls", "tokens"):  # fmt: skip
        shown.add_column(name, justify="left" if name == "kind" else "right")
    for kind, found in results.items():
        beside = f"{median(found.beside) * 1000:.0f} ({len(found.beside)})" if found.beside else "–"
        shown.add_row(
            kind, f"{found.over} of {found.prompts}", str(found.largest),
            f"{found.reached * 100 // conversations} %", f"{median(found.waits) * 1000:.0f}",
            beside, str(found.calls), str(found.tokens),
        )  # fmt: skip
    return shown


def main() -> int:
    """Measure every kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=100)
    parser.add_argument("--turns", type=int, default=30)
    given = parser.parse_args()
    results = {
        kind: asyncio.run(measured(kind, given.conversations, given.turns)) for kind in KINDS
    }
    Console(width=120).print(table(results, given.conversations))
    return int(any(found.over for found in results.values()))


if __name__ == "__main__":
    sys.exit(main())
