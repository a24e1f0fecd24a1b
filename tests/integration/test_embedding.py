"""Embedders as they are configured: what is sent, what comes back wrong, what it costs."""

import math
from array import array
from contextlib import AsyncExitStack, asynccontextmanager

import openai._base_client
import pytest

from bot.app.embedding import embedder_of
from bot.app.metering import metering_of
from bot.backends.openai.settings import OpenAISettings
from bot.backends.sqlite.store import opened
from bot.config import Config, Secrets
from bot.config.sections import KnowledgeSettings, PrivacySettings
from bot.domain.budgets import Allowance, Budgets, period_of
from bot.domain.errors import ConfigError, ModelError, ModelRefused, OverBudget
from bot.ports.embedder import Texts
from tests.fakes.embeddings import embeddings
from tests.fakes.openai import EMBEDDINGS, FakeOpenAI
from tests.fakes.script import Refuse, Reset, ServerError, TooMany

TEXTS = Texts(
    texts=("where to park", "opening hours"), person="fake::ann", conversation="fake:W:C:"
)


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    """Let the SDK wait milliseconds between its retries."""
    monkeypatch.setattr(openai._base_client, "INITIAL_RETRY_DELAY", 0.005)


@pytest.fixture
async def fake():
    async with FakeOpenAI() as fake:
        yield fake


@asynccontextmanager
async def embedding(folder, base_url, redact="off", budgets=None, **model):
    settings = OpenAISettings(**{"base_url": base_url, "model": "m", "price_input": 2.0, **model})
    config = Config(
        models={"vectors": settings},
        library=KnowledgeSettings(embedder="vectors"),
        privacy=PrivacySettings(redact=redact),
        budgets=budgets or Budgets(),
    )
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(folder / "parley.db"))
        metering = await metering_of(config, store)
        yield embedder_of(config, Secrets({}), metering, stack), store, metering


async def test_what_it_took_is_entered_for_whoever_asked_and_is_no_message(tmp_path, fake):
    async with embedding(tmp_path, fake.base_url) as (embedder, store, metering):
        await embedder.embed(TEXTS)
        await store.probe()
        await store.probe()
        spent = await store.ledger.spent("total", period_of(metering.now(), "day"))

    assert (spent.tokens, spent.messages) == (5, 0)
    assert spent.usd == pytest.approx(5 * 2.0 / 1_000_000)


async def test_what_a_budget_leaves_no_room_for_is_not_sent(tmp_path, fake):
    budgets = Budgets(total=Allowance(tokens=20))
    async with embedding(tmp_path, fake.base_url, budgets=budgets) as (embedder, _, _):
        with pytest.raises(OverBudget):
            await embedder.embed(Texts(texts=("car " * 100,)))

    assert fake.calls == []


@pytest.mark.parametrize(("redact", "leaves"), [("off", True), ("remote", True), ("always", False)])
async def test_personal_data_leaves_only_where_it_may(tmp_path, fake, redact, leaves):
    async with embedding(tmp_path, fake.base_url, redact=redact) as (embedder, _, _):
        await embedder.embed(Texts(texts=("write to ann@example.com",)))

    assert ("ann@example.com" in str(fake.calls[0].args)) is leaves


async def test_many_texts_are_sent_in_few_calls(tmp_path, fake):
    async with embedding(tmp_path, fake.base_url) as (embedder, _, _):
        assert len(await embedder.embed(Texts(texts=("park",) * 150))) == 150

    assert [len(call.args["input"]) for call in fake.calls] == [64, 64, 22]


async def test_vectors_may_come_in_base64_and_in_any_order(tmp_path, fake):
    def shuffled(body):
        answer = embeddings({**body, "encoding_format": "base64"})
        return {**answer, "data": answer["data"][::-1]}

    async with embedding(tmp_path, fake.base_url) as (embedder, _, _):
        plain = await embedder.embed(TEXTS)
        fake.vectors = shuffled
        assert await embedder.embed(TEXTS) == plain
    assert math.hypot(*array("f", plain[0])) == pytest.approx(1, abs=1e-5)


async def test_a_text_that_is_too_long_for_the_server_is_cut(tmp_path, fake):
    fake.script.on(EMBEDDINGS, Refuse("input is too large to process", 400), None)
    async with embedding(tmp_path, fake.base_url) as (embedder, _, _):
        assert len(await embedder.embed(Texts(texts=("ä" * 9_000,)))) == 1

    assert [len(call.args["input"][0].encode()) for call in fake.calls] == [8_000, 1_600]


@pytest.mark.parametrize("fault", [TooMany(0.01), ServerError(500), Reset()])
async def test_what_passes_is_tried_again(tmp_path, fake, fault):
    fake.script.on(EMBEDDINGS, fault, None)
    async with embedding(tmp_path, fake.base_url) as (embedder, _, _):
        assert len(await embedder.embed(TEXTS)) == 2


async def test_a_refusal_is_one(tmp_path, fake):
    fake.script.on(EMBEDDINGS, Refuse("bad", 400))
    async with embedding(tmp_path, fake.base_url) as (embedder, _, _):
        with pytest.raises(ModelRefused):
            await embedder.embed(TEXTS)


def _answer(*vectors, **more):
    return {"data": [{"embedding": vector} for vector in vectors], **more}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (_answer([1.0]), "sent 1 vectors for 2 texts"),
        (_answer([1.0], [1.0, 2.0]), "sent vectors of different sizes"),
        (_answer([1.0], [0.0]), "sent vectors of an unknown shape"),
        (_answer([1.0], []), "sent vectors of an unknown shape"),
        (_answer([1.0], ["x"]), "sent vectors of an unknown shape"),
        (_answer([1.0], "not base64!"), "sent vectors of an unknown shape"),
        (_answer([1.0], [1e39]), "sent vectors of an unknown shape"),
        ({"data": [1, 2]}, "sent vectors of an unknown shape"),
        ({"error": {"message": "no"}}, "reported an error"),
        ([], "reported an error"),
    ],
)
async def test_what_is_no_answer_is_said_in_a_sentence(tmp_path, fake, answer, said):
    fake.vectors = lambda _: answer
    async with embedding(tmp_path, fake.base_url) as (embedder, _, _):
        with pytest.raises(ModelError, match=said):
            await embedder.embed(TEXTS)


async def test_vectors_of_another_size_than_before_are_refused(tmp_path, fake):
    async with embedding(tmp_path, fake.base_url) as (embedder, _, _):
        await embedder.embed(TEXTS)
        fake.vectors = lambda _: _answer([1.0], [1.0])
        with pytest.raises(ModelError, match="vectors of 1 numbers, not 256"):
            await embedder.embed(TEXTS)


async def test_a_key_that_is_missing_is_said_when_it_is_opened(tmp_path):
    async with embedding(tmp_path, "https://api.openai.com/v1") as (embedder, _, _):
        with pytest.raises(ConfigError, match="OPENAI_API_KEY is not set"):
            await embedder.ready()
