"""How well questions find their answers in the official Python FAQ, and how fast.

    python -m tests.evaluation.retrieval [--quick]

The FAQ is added with `parley knowledge add`, as an operator would; questions were written without
sight of the search (`tests/evaluation/*.tsv`). A question counts by the section that answers it.
The numbers of the search were chosen on all sets but those named `unseen`, which are only measured.
Every answerable set in English was labelled a second time, blind.
"""

import argparse
import asyncio
import contextlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bot.app.clocks import SystemClock
from bot.backends.embeddings import MINILM
from bot.backends.embeddings.minilm import MiniLM
from bot.backends.sqlite.store import opened
from bot.core.knowledge.embedding import Embedding
from bot.core.knowledge.retrieving import Query, Retriever
from bot.core.knowledge.wording import ByWords, nothing
from bot.domain.asking import words
from bot.domain.policy import KnowledgePolicy
from bot.ports.embedder import Texts
from bot.ports.library import Chunk, Document
from tests.evaluation import faq

SETS = {"unseen": "questions_unseen", "natural": "questions_natural", "hard": "questions"}
UNANSWERABLE = {"unseen": "unanswerable_unseen", "no answer": "unanswerable"}
OTHER = faq.HERE / "questions_other.tsv"
POLICY = KnowledgePolicy()
SIZES = (10_000, 100_000)
EVERYDAY = (  # words of any English text, the commonest first
    "the", "of", "and", "to", "a", "in", "is", "you", "that", "it", "for", "on", "are", "as",
    "with", "i", "be", "at", "this", "have", "or", "not", "can", "how", "do", "your", "by", "when",
)  # fmt: skip
console = Console()


def asked(name):
    return faq.questions(faq.HERE / f"{name}.tsv")


def unanswerable(name):
    """Return the questions that the FAQ does not answer, by what they are about."""
    found = {}
    for line in (faq.HERE / f"{name}.tsv").read_text(encoding="utf-8").splitlines():
        kind, text = line.split("\t")
        found.setdefault(kind, []).append((set(), text))
    return found


def added(folder):
    """Add the FAQ with the public command; returns the ids by file and heading, and the seconds."""
    ids = faq.write(faq.entries(faq.package()), folder / "faq")
    config = folder / "config.toml"
    config.write_text(f'data_dir = "{folder / "data"}"\n[models.main]\nkind = "documents"\n')
    began = time.perf_counter()
    command = (sys.executable, "-m", "bot", "knowledge", "add", str(folder / "faq"))
    subprocess.run([*command, "--config", str(config)], check=True, stdout=subprocess.DEVNULL)
    return ids, time.perf_counter() - began


async def embedded(store, embedder):
    """Give every passage its vectors; returns how many there are, and the seconds."""
    began = time.perf_counter()
    embedding = Embedding(library=store.library, embedder=embedder, clock=SystemClock())
    while await embedding.step():
        pass
    done = await store.library.progress(embedder.name)
    return done.passages, time.perf_counter() - began


def place(passages, right, ids):
    """Return the place of the first right section, counting each section once."""
    seen = {}
    for passage in passages:
        seen.setdefault((passage.source, passage.path[-1]))
    found = [ids.get(section) for section in seen]
    return next((at for at, id in enumerate(found, 1) if id in right), 99)


async def ranked(store, embedder, collections):
    """Yield each way to search by its name."""
    library = store.library
    by_words = ByWords(library=library, wording=store.wording)

    async def plain(text):
        scored = await library.worded(words(text), collections, limit=50)
        return await library.passages([one.passage for one in scored], collections)

    async def covered(text):
        return [one.passage for one in await by_words.found(text, nothing, collections)]

    async def meant(text):
        (vector,) = await embedder.embed(Texts(texts=(text,), kind="query"))
        scored = await library.near(vector, embedder.name, collections, limit=50)
        return await library.passages([one.passage for one in scored], collections)

    both = retriever(store, embedder)

    async def fused(text):
        return await both.ranked(text, collections)

    return {"FTS5": plain, "words (no embedder)": covered, "MiniLM": meant, "MiniLM + words": fused}


def retriever(store, embedder):
    by_words = ByWords(library=store.library, wording=store.wording)
    english = embedder is not None and embedder.name == MINILM
    return Retriever(library=store.library, by_words=by_words, embedder=embedder, english=english)


async def quality(store, embedder, ids):
    collections = [*await store.library.collections()]
    ways = await ranked(store, embedder, collections)
    for name, file in SETS.items():
        rows = asked(file)
        table = Table(title=f"{name}: {len(rows)} questions", min_width=56)
        for head in ("search", "R@1", "R@5", "MRR"):
            table.add_column(head, justify="left" if head == "search" else "right")
        for way, search in ways.items():
            places = [place(await search(text), right, ids) for right, text in rows]
            table.add_row(way, *(f"{value:.2f}" for value in (
                statistics.mean(at == 1 for at in places),
                statistics.mean(at <= 5 for at in places),
                statistics.mean(1 / at if at < 99 else 0 for at in places),
            )))  # fmt: skip
        console.print(table)


async def abstention(store, embedder, ids):
    collections = [*await store.library.collections()]
    table = Table(title="What is answered, offered (did you mean) and refused")
    for head in ("questions", "search", "answered", "right", "offered", "refused"):
        side = "left" if head in ("questions", "search") else "right"
        table.add_column(head, justify=side, no_wrap=True)
    sets = [(name, asked(file)) for name, file in SETS.items()]
    sets += [(f"{name}, {kind}", rows) for name, file in UNANSWERABLE.items()
             for kind, rows in unanswerable(file).items()]  # fmt: skip
    for name, rows in sets:
        for way, one in (("words", None), ("meaning", embedder)):
            search = retriever(store, one)
            found = []
            for right, text in rows:
                grounds, _ = await search.found(
                    Query(question=text, collections=collections), POLICY
                )
                found.append((grounds, place(grounds.passages[:1], right, ids)))
            sure = [at for grounds, at in found if grounds.sure]
            offered = sum(bool(grounds.passages) and not grounds.sure for grounds, _ in found)
            table.add_row(name, way, f"{len(sure)} of {len(rows)}",
                          f"{sum(at == 1 for at in sure)}" if rows[0][0] else "-",
                          str(offered), str(len(rows) - len(sure) - offered))  # fmt: skip
    console.print(table)


async def languages(store, embedder, ids):
    collections = [*await store.library.collections()]
    search = retriever(store, embedder)
    rows = [line.split("\t") for line in OTHER.read_text(encoding="utf-8").splitlines() if line]
    told = {}
    for language, right, text in rows:
        grounds, by = await search.found(Query(question=text, collections=collections), POLICY)
        told.setdefault(language, []).append(
            (by, grounds.sure, place(grounds.passages, set(right.split()), ids) == 1)
        )
    table = Table(title="Other languages: searched by words alone, and mostly refused")
    for head in ("language", "by meaning", "answered", "right"):
        table.add_column(head, justify="right")
    for language, found in told.items():
        table.add_row(language, *(f"{sum(each)} of {len(found)}" for each in (
            [by.startswith("meaning") for by, *_ in found], [sure for _, sure, _ in found],
            [sure and right for _, sure, right in found])))  # fmt: skip
    console.print(table)


async def filled(folder, size, embedder):
    """Make a store of so many passages with vectors; half their words are those of any text."""
    draw, dice = random.Random(7), np.random.default_rng(7)
    known = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in ("a", "e", "io", "u") for c in
             ("lan", "mer", "tik", "son", "ver", "dor", "pel", "gan")]  # fmt: skip
    often = [1 / rank for rank in range(1, len(EVERYDAY) + 1)]
    weights = [*(sum(often) / len(known) for _ in known), *often]
    async with opened(folder / f"{size}.db") as store:
        for number in track(range(size // 500), f"Filling {size:,} passages", transient=True):
            chunks = [
                Chunk(path=(f"Part {number}", " ".join(draw.choices(known, k=5))),
                      text=" ".join(draw.choices((*known, *EVERYDAY), weights, k=80)), tokens=110)
                for _ in range(500)
            ]  # fmt: skip
            document = Document(collection="a", source=f"/{number}", title=f"Part {number}",
                                digest=str(number))  # fmt: skip
            await store.library.put(document, chunks)
        while bare := await store.library.plain(embedder.name, limit=5000):
            made = dice.standard_normal((len(bare), 2, 384), dtype=np.float32)
            made /= np.linalg.norm(made, axis=2, keepdims=True)
            await store.library.embedded(embedder.name, {
                one.id: (title.tobytes(), body.tobytes())
                for one, (title, body) in zip(bare, made, strict=True)
            })  # fmt: skip
    return folder / f"{size}.db", known


async def speed(path, known, embedder):
    """Return milliseconds: of a question by words, of one by meaning, and of its vector alone."""
    draw = random.Random(3)
    questions = [f"how do I {' '.join(draw.choices(known, k=4))} today" for _ in range(40)]
    async with opened(path) as store:
        times = {}
        for name, one in (("words", None), ("meaning", embedder)):
            search = retriever(store, one)
            times[name] = [await timed(search.found(Query(question=text, collections=["a"]), POLICY))
                           for text in questions]  # fmt: skip
        times["vector"] = [
            await timed(embedder.embed(Texts(texts=(text,), kind="query"))) for text in questions
        ]
    first = times["meaning"][0]
    return {**{name: statistics.median(each[1:]) for name, each in times.items()}, "first": first}


async def timed(work):
    began = time.perf_counter()
    await work
    return (time.perf_counter() - began) * 1000


def cold(folder):
    """Return seconds and megabytes of a new process that answers its first question by meaning."""
    code = (
        "import asyncio, sys, time; began = time.perf_counter()\n"
        "from tests.evaluation.retrieval import first\n"
        "print(asyncio.run(first(sys.argv[1])), time.perf_counter() - began)"
    )
    command = [sys.executable, "-c", code, str(folder / "data" / "parley.db")]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(out[1]), float(out[0])


async def first(path):
    """Answer one question; returns the megabytes that this process takes then."""
    embedder = await asyncio.to_thread(MiniLM.read)
    async with opened(Path(path)) as store:
        query = Query(question="why is 0.1 + 0.2 not 0.3", collections=["default"])
        await retriever(store, embedder).found(query, POLICY)
    return psutil.Process(os.getpid()).memory_info().rss / 1e6


async def measure(folder, *, quick):
    ids, seconds = added(folder)
    embedder = await asyncio.to_thread(MiniLM.read)
    async with opened(folder / "data" / "parley.db") as store:
        passages, took = await embedded(store, embedder)
        console.print(f"{len(ids)} questions added in {seconds:.1f} s, "
                      f"{passages} passages embedded in {took:.1f} s")  # fmt: skip
        await quality(store, embedder, ids)
        await abstention(store, embedder, ids)
        await languages(store, embedder, ids)
    start, rss = cold(folder)
    console.print(f"First answer by meaning of a new process: {start:.2f} s, {rss:.0f} MB")
    if quick:
        return
    table = Table(title="p50 of one question, in ms")
    for head in ("passages", "words", "meaning", "of which its vector", "first by meaning"):
        table.add_column(head, justify="right")
    for size in SIZES:
        times = await speed(*await filled(folder, size, embedder), embedder)
        table.add_row(f"{size:,}", *(f"{times[name]:.1f}" for name in
                      ("words", "meaning", "vector", "first")))  # fmt: skip
    console.print(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="leave the large stores out")
    quick = parser.parse_args().quick
    with contextlib.suppress(BrokenPipeError), tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), quick=quick))


if __name__ == "__main__":
    main()
