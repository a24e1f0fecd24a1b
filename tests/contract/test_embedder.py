"""What every embedder keeps to, whatever is behind it; a new one is one more factory."""

import asyncio
import math
from array import array
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from bot.app.embedding import embedder_of
from bot.app.metering import metering_of
from bot.backends.embeddings.minilm import MiniLM
from bot.backends.openai.settings import OpenAISettings
from bot.backends.sqlite.store import opened
from bot.config import Config, Secrets
from bot.config.sections import KnowledgeSettings, PrivacySettings
from bot.ports.embedder import Embedder, Texts
from tests.fakes.openai import FakeOpenAI

Factory = Callable[[Path], AbstractAsyncContextManager[Embedder]]


@asynccontextmanager
async def configured(folder: Path, name: str, **model: object) -> AsyncIterator[Embedder]:
    """Open an embedder as the bot does, with the ledger before it."""
    async with FakeOpenAI() as fake, AsyncExitStack() as stack:
        settings = OpenAISettings(base_url=fake.base_url, model="m", **model)
        config = Config(
            models={"vectors": settings},
            library=KnowledgeSettings(embedder=name),
            privacy=PrivacySettings(redact="always"),
        )
        store = await stack.enter_async_context(opened(folder / "parley.db"))
        embedder = embedder_of(config, Secrets({}), await metering_of(config, store), stack)
        assert embedder is not None
        yield embedder


@asynccontextmanager
async def minilm(folder: Path) -> AsyncIterator[Embedder]:
    yield MiniLM.read()


@asynccontextmanager
async def local(folder: Path) -> AsyncIterator[Embedder]:
    async with configured(folder, "local") as embedder:
        yield embedder


@asynccontextmanager
async def remote(folder: Path) -> AsyncIterator[Embedder]:
    async with configured(folder, "vectors") as embedder:
        yield embedder


@asynccontextmanager
async def remote_and_small(folder: Path) -> AsyncIterator[Embedder]:
    async with configured(folder, "vectors", dimensions=64) as embedder:
        yield embedder


@pytest.fixture(params=(minilm, local, remote, remote_and_small), ids=lambda made: made.__name__)
async def embedder(request, tmp_path) -> AsyncIterator[Embedder]:
    async with request.param(tmp_path) as embedder:
        yield embedder


ODD = ("", " \n\t", "\U0001f44b" * 10_000, "a\ud83d b\udc00", "a\x00b", "<|endoftext|>[SEP]",
       "\u202eمرحبا", "park " * 50_000, "x" * 30_000, "mail ann@example.com")  # fmt: skip


def numbers(vector: bytes) -> list[float]:
    return list(array("f", vector))


def cosine(one: bytes, other: bytes) -> float:
    return sum(a * b for a, b in zip(numbers(one), numbers(other), strict=True))


async def test_each_text_has_one_vector_of_length_1_whatever_it_says(embedder):
    vectors = await embedder.embed(Texts(texts=ODD))

    assert len(vectors) == len(ODD)
    assert len({len(vector) for vector in vectors}) == 1
    for vector in vectors:
        assert math.hypot(*numbers(vector)) == pytest.approx(1, abs=1e-5)


async def test_texts_with_the_same_words_are_nearer_than_others(embedder):
    asked, near, far = await embedder.embed(
        Texts(texts=("where to park a car", "you can park a car here", "we bake bread at night"))
    )

    assert cosine(asked, near) > cosine(asked, far) + 0.2


async def test_no_text_is_nothing_to_do(embedder):
    assert list(await embedder.embed(Texts(texts=()))) == []


async def test_many_texts_come_back_in_their_order(embedder):
    texts = tuple(f"text number {number}" for number in range(150))
    together = await embedder.embed(Texts(texts=texts))

    for place in (0, 63, 64, 149):
        (alone,) = await embedder.embed(Texts(texts=(texts[place],), kind="query"))
        assert cosine(alone, together[place]) == pytest.approx(1, abs=1e-5)


async def test_calls_side_by_side_do_not_mix(embedder):
    words = ("park", "bread", "money", "night") * 4
    together = await asyncio.gather(*(embedder.embed(Texts(texts=(word,))) for word in words))
    alone = {word: await embedder.embed(Texts(texts=(word,))) for word in set(words)}

    assert [tuple(found) for found in together] == [tuple(alone[word]) for word in words]


async def test_cancelling_is_clean(embedder):
    task = asyncio.create_task(embedder.embed(Texts(texts=("park here",) * 40)))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert len(await embedder.embed(Texts(texts=("park",)))) == 1


async def test_the_name_says_what_makes_the_vectors(embedder):
    assert embedder.name in ("minilm-l6-int8", "openai:m", "openai:m/64")


async def test_how_much_a_text_speaks_of_a_question_is_between_0_and_1_or_not_told(embedder):
    for odd in ODD:
        spoken = await embedder.spoken(odd, "Leave your car in the yard.")
        assert spoken is None or 0.0 <= spoken <= 1.0
        spoken = await embedder.spoken("Where can I park?", odd)
        assert spoken is None or 0.0 <= spoken <= 1.0
