"""Let a small real model sum up real conversations, and ask it at the end what was said early.

    python -m tests.evaluation.memory_small --conversations 12

The conversations and their facts are those of `memory`. The summaries come from the small model by
way of the whole engine; so does the last prompt, which the small model then answers through the
same backend as in a chat. Beside it stand what it answers when the fact is told just before the
question (it cannot do better), and when only the newest lines are remembered. It exits with 0
unless a prompt was larger than its budget: how well so small a model does is a figure, not a test.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bot.backends.openai.model import OpenAIModel
from bot.backends.openai.settings import OpenAISettings
from bot.backends.tokens.o200k import O200kCounter
from bot.domain.conversation import Conversation
from bot.domain.dialogue import Ended, Line, Prompt
from bot.domain.policy import MemoryKind, MemoryPolicy
from tests.evaluation.conversations import FACTS, planted
from tests.evaluation.memory import BUDGET, PER_LINE, REAL, Rooms
from tests.evaluation.small_model import small_model
from tests.events import message
from tests.fakes.openai import FakeOpenAI
from tests.harness import configuration, running
from tests.integration.conftest import stored

KINDS: tuple[MemoryKind, ...] = ("summary", "recall", "tokens")
TOLD = "told just before"
TURNS = 30
LONGEST_ANSWER = 48  # tokens
ORDERS = "You are a helpful assistant in a chat. Answer briefly and correctly."


@dataclass
class Score:
    """What came of one way to remember."""

    asked: int = 0
    shown: int = 0  # prompts that had the fact
    answered: int = 0  # answers that had it
    over: int = 0  # prompts larger than the budget
    summaries: int = 0


def exchanges(number: int) -> dict[str, str]:
    """Return what one person says in a real conversation, with what the other one said to it."""
    conversation, question, _ = planted(REAL[number], number)
    [(speaker, _)] = Counter(who for who, _ in conversation).most_common(1)
    found = {
        text: after if other != speaker else "Mm."
        for (who, text), (other, after) in pairwise(conversation)
        if who == speaker and text.strip()
    }
    return {**dict(islice(found.items(), TURNS)), question: "I have to think."}


async def held(platform: Rooms, engine: Any, number: int) -> None:
    """Hold a conversation at the pace of a person, who reads while a summary is being made."""
    place = Conversation(platform="fake", workspace="W", channel=f"C{number}")
    for text in exchanges(number):
        await platform.inbox.accept(message(text, conversation=place))
        async with asyncio.timeout(60):
            await platform.answered[place].get()
        while str(place) in engine.summarising._open:
            await asyncio.sleep(0.05)


async def last_prompt(kind: MemoryKind, number: int, settings: OpenAISettings) -> tuple[Any, int]:
    """Return the lines of the last prompt of a conversation, and how many summaries were made."""
    replies = exchanges(number)

    def reply(body: dict[str, Any]) -> str:
        asked = body["messages"][-1]["content"]
        return next((after for text, after in replies.items() if asked.endswith(text)), "Mm.")

    with TemporaryDirectory() as name:
        async with FakeOpenAI(answer=reply) as chat:
            config = configuration(Path(name), chat.base_url)
            memory = MemoryPolicy(kind=kind, max_tokens=BUDGET, summary_model="small")
            config = replace(config, memory=memory, models={**config.models, "small": settings})
            platform = Rooms()
            async with running(config, platform) as engine:
                await held(platform, engine, number)
            lines = chat.calls[-1].args["messages"]
        ledger = "select count(*) from ledger where purpose = 'summary' and output > 0"
        ((summaries,),) = stored(Path(name), ledger)
    return lines, summaries


async def answer(model: OpenAIModel, lines: Any) -> str:
    """Let the small model answer a prompt."""
    prompt = Prompt(lines=tuple(Line(line["role"], line["content"]) for line in lines))
    async with aclosing(model.stream(replace(prompt, limit=LONGEST_ANSWER))) as deltas:
        return "".join([delta async for delta in deltas if not isinstance(delta, Ended)])


async def measured(count: int, log: Any) -> dict[str, Score]:
    """Measure all ways, conversation by conversation."""
    scores = {name: Score() for name in (TOLD, *KINDS)}
    counter = O200kCounter()
    await counter.load()
    async with small_model() as url:
        settings = OpenAISettings(base_url=url, model="small", temperature=0.0, timeout_s=600)
        model = OpenAIModel("small", settings)
        await model.open()
        for number in track(range(count), "conversations", console=Console(stderr=True)):
            fact, question, token = FACTS[number % len(FACTS)]
            for name, score in scores.items():
                if name == TOLD:
                    lines = [{"role": "system", "content": ORDERS}]
                    lines += [{"role": "user", "content": f"{fact[0].upper()}{fact[1:]}."},
                              {"role": "assistant", "content": "I will remember that."},
                              {"role": "user", "content": question}]  # fmt: skip
                else:
                    lines, made = await last_prompt(name, number, settings)
                    score.summaries += made
                size = sum(counter.count(line["content"]) + PER_LINE for line in lines[1:])
                text = await answer(model, lines)
                score.asked += 1
                score.over += size > BUDGET
                score.shown += any(token in line["content"] for line in lines)
                score.answered += token.lower() in text.lower()
                told = {"memory": name, "fact": fact, "answer": text, "prompt": lines}
                print(json.dumps(told), file=log, flush=True)
        await model.close()
    return scores


def table(scores: dict[str, Score]) -> Table:
    """Show all ways side by side."""
    shown = Table(title=f"a model of 135 million parameters, {BUDGET} tokens of memory")
    for name in (
        "memory",
        "fact in the last prompt",
        "… in the answer",
        "over budget",
        "summaries",
    ):
        shown.add_column(name, justify="left" if name == "memory" else "right")
    for name, score in scores.items():
        of = f"of {score.asked}"
        shown.add_row(name, f"{score.shown} {of}", f"{score.answered} {of}", str(score.over),
                      str(score.summaries))  # fmt: skip
    return shown


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conversations", type=int, default=12)
    parser.add_argument("--log", type=Path, help="write prompts and answers here, a line for each")
    given = parser.parse_args()
    with (given.log or Path("/dev/null")).open("w", encoding="utf-8") as log:
        scores = asyncio.run(measured(given.conversations, log))
    Console(width=110).print(table(scores))
    return int(any(score.over for score in scores.values()))


if __name__ == "__main__":
    sys.exit(main())
