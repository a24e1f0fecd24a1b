"""What it takes to search the bundled handbook, apart from everything else that a bot does."""

import subprocess
import time
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from bot.app.clocks import SystemClock
from bot.app.grounding import retriever_of
from bot.backends.documents.reading import BUNDLED
from bot.backends.sqlite.store import opened
from bot.core.knowledge.embedding import Embedding
from bot.core.knowledge.retrieving import Query
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


async def searching(folder: Path, knows: str) -> Searching:
    """Search for every question, by "words" or by "meaning", after all were searched for once.

    As in the bot under load each follows the one before, which a short question may lean on.
    """
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
        retriever = retriever_of(store, embedder)
        collections = [*await store.library.collections()]
        for _ in range(2):
            times, began = [], time.process_time()
            for before, text in pairwise((QUESTIONS[-1], *QUESTIONS)):
                asked = time.perf_counter()
                query = Query(question=text, before=partial(_said, before), collections=collections)
                await retriever.found(query, KnowledgePolicy())
                times.append(1000 * (time.perf_counter() - asked))
            cpu = 1000 * (time.process_time() - began) / len(QUESTIONS)
    return Searching(cpu, percentile(times, 50), percentile(times, 99))


async def _said(question: str) -> str:
    return question
