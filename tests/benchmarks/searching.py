"""What it takes to search the bundled handbook, apart from everything else that a bot does."""

import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from bot.app.clocks import SystemClock
from bot.app.grounding import retriever_of
from bot.backends.documents.reading import BUNDLED
from bot.backends.sqlite.store import opened
from bot.core.knowledge.embedding import Embedding
from bot.core.knowledge.retrieving import Query, Retriever
from bot.domain.policy import KnowledgePolicy
from tests.acceptance.stage import PARLEY
from tests.benchmarks.ledger import percentile
from tests.unit.backends.documents.questions import HELD_OUT, TUNING

QUESTIONS = [text for text, _ in (*TUNING, *HELD_OUT) if "question" not in text.lower()]


@dataclass(frozen=True, slots=True)
class Searching:
    """Milliseconds of one search: CPU, and what passes until its end."""

    cpu: float = 0.0
    p50: float = 0.0
    p99: float = 0.0


def add(config: Path) -> None:
    """Add the handbook with the public command."""
    command = (PARLEY, "knowledge", "add", str(BUNDLED), "--config", str(config))
    subprocess.run(command, check=True, capture_output=True)


class Searcher:
    """Searches for every question, by "words" or by "meaning", again and again.

    As in the bot under load each follows the one before, which a short question may lean on.
    """

    def __init__(self, retriever: Retriever, collections: Sequence[str]) -> None:
        self._retriever, self._collections = retriever, collections

    async def turn(self) -> Searching:
        """Search for all of them once."""
        times, began = [], time.process_time()
        for before, text in pairwise((QUESTIONS[-1], *QUESTIONS)):
            asked = time.perf_counter()
            query = Query(
                question=text, before=partial(_said, before), collections=self._collections
            )
            await self._retriever.found(query, KnowledgePolicy())
            times.append(1000 * (time.perf_counter() - asked))
        cpu = 1000 * (time.process_time() - began) / len(QUESTIONS)
        return Searching(cpu, percentile(times, 50), percentile(times, 99))


@asynccontextmanager
async def searching(folder: Path, knows: str) -> AsyncIterator[Searcher]:
    """Add the handbook to a store, and search for everything once."""
    config = folder / "config.toml"
    config.write_text(f'data_dir = "{folder}/data"\n[models.main]\nkind = "documents"\n')
    add(config)
    async with opened(folder / "data" / "parley.db") as store:
        embedder = None
        if knows == "meaning":
            from bot.backends.embeddings.minilm import MiniLM

            embedder = MiniLM.read()
            embedding = Embedding(library=store.library, embedder=embedder, clock=SystemClock())
            while await embedding.step():
                pass
        searcher = Searcher(retriever_of(store, embedder), [*await store.library.collections()])
        await searcher.turn()
        yield searcher


async def _said(question: str) -> str:
    return question
