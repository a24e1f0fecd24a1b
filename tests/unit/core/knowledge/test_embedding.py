"""Vectors of passages in the background, where an embedder makes none of some of them."""

import asyncio
from array import array

import pytest

from bot.backends.sqlite.store import opened
from bot.core.knowledge.embedding import LONGEST_PAUSE, Embedding
from bot.domain.errors import ModelError
from bot.ports.library import Chunk, Document

VECTOR = array("f", [1.0, 0.0]).tobytes()


class Server:
    """Makes no vectors of what is bad, as servers that send no numbers for some texts."""

    name = "e"

    def __init__(self, failures=0):
        self.failures = failures
        self.read = []

    async def embed(self, texts):
        self.read += texts.texts
        self.failures -= 1
        if self.failures >= 0 or any("bad" in text for text in texts.texts):
            raise ModelError("sent vectors of an unknown shape")
        return [VECTOR] * len(texts.texts)


class Hasty:
    """A clock that waits for nothing."""

    def __init__(self):
        self.slept = 0.0

    def now(self):
        return 0.0

    async def sleep(self, seconds):
        self.slept += seconds
        await asyncio.sleep(0)


@pytest.fixture
async def library(tmp_path):
    async with opened(tmp_path / "parley.db") as store:
        yield store.library


async def shelve(library, *texts):
    chunks = [Chunk(path=("A",), text=text, tokens=3) for text in texts]
    document = Document(collection="c", source=texts[0], title="A", digest=texts[0])
    await library.put(document, chunks)


async def until(library, embedded):
    async with asyncio.timeout(20):
        while (await library.progress("e")).embedded < embedded:
            await asyncio.sleep(0.005)


async def test_one_passage_without_a_vector_holds_up_no_other(library):
    good = [f"good {n}" for n in range(100)]
    await shelve(library, *good[:40], "bad", *good[40:])
    server, clock = Server(), Hasty()
    embedding = Embedding(library=library, embedder=server, clock=clock)
    running = asyncio.create_task(embedding.run())
    await until(library, 100)
    assert len(server.read) < 400  # titles and texts: half of them were paid for nothing
    assert clock.slept < LONGEST_PAUSE

    read = len(server.read)
    await shelve(library, "news")
    embedding.changed()
    await until(library, 101)
    assert server.read[read:] == ["A", "A\nnews"]
    running.cancel()


async def test_a_server_that_was_away_for_a_moment_makes_all_vectors(library):
    await shelve(library, *[f"good {n}" for n in range(40)])
    server = Server(failures=4)
    embedding = Embedding(library=library, embedder=server, clock=Hasty())
    running = asyncio.create_task(embedding.run())
    await until(library, 40)
    running.cancel()
