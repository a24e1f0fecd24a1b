"""What every model keeps to, whatever is behind it; a new model or wrapper is one more factory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

import pytest

from bot.backends.documents import DocumentsModel
from bot.backends.openai.model import OpenAIModel
from bot.backends.openai.settings import OpenAISettings
from bot.core.models import Deferred, Fallback
from bot.domain.dialogue import Ended, Line, Prompt
from bot.ports.model import Model
from tests.fakes.openai import FakeOpenAI

Factory = Callable[[], AbstractAsyncContextManager[Model]]


@asynccontextmanager
async def documents() -> AsyncIterator[Model]:
    yield DocumentsModel.read()


@asynccontextmanager
async def openai(**behaviour) -> AsyncIterator[Model]:
    async with FakeOpenAI(**behaviour) as fake:
        settings = OpenAISettings(base_url=fake.base_url, model="m")
        model = OpenAIModel("fake", settings, look_up={}.get)
        yield model
        await model.close()


@asynccontextmanager
async def openai_word_by_word() -> AsyncIterator[Model]:
    async with openai(chunk=3, interval=0.001, usage=False) as model:
        yield model


@asynccontextmanager
async def fallback() -> AsyncIterator[Model]:
    async with FakeOpenAI() as gone:
        settings = OpenAISettings(base_url=gone.base_url, model="m")
    broken = OpenAIModel("broken", settings, look_up={}.get)
    async with documents() as model:
        yield Fallback([("broken", broken), ("documents", model)])
    await broken.close()


@asynccontextmanager
async def deferred() -> AsyncIterator[Model]:
    async def opened() -> Model:
        return DocumentsModel.read()

    yield Deferred(opened())


FACTORIES: tuple[Factory, ...] = (documents, openai, openai_word_by_word, fallback, deferred)


@pytest.fixture(params=FACTORIES, ids=lambda factory: factory.__name__)
async def model(request) -> AsyncIterator[Model]:
    async with request.param() as model:
        yield model


def prompt(*texts: str, role: str = "user") -> Prompt:
    return Prompt(lines=(Line("system", "Be kind."), *(Line(role, text) for text in texts)))


QUESTION = prompt("Where can I park my car?")
ODD = {
    "empty text": prompt(""),
    "blank": prompt(" \n\t"),
    "10,000 emoji": prompt("\U0001f44b" * 10_000),
    "lone surrogates": prompt("a\ud83d b\udc00"),
    "U+0000": prompt("a\x00b"),
    "special token": prompt("<|endoftext|><|im_start|>"),
    "a query language": prompt('"NEAR(a b) OR title:*'),
    "right to left": prompt("\u202eمرحبا"),
    "only a system line": Prompt(lines=(Line("system", "Be kind."),)),
    "no line": Prompt(lines=()),
    "an answer last": prompt("Hello", "Hi", role="assistant"),
    "a long history": prompt(*(f"question {number}" for number in range(500))),
    "a long question": prompt("park " * 50_000),
}


async def said(model: Model, asked: Prompt = QUESTION) -> tuple[str, Ended]:
    """Hear an answer out; checks on the way that words come first and one `Ended` last."""
    async with aclosing(model.stream(asked)) as stream:
        *words, ended = [delta async for delta in stream]
    assert isinstance(ended, Ended)
    assert all(isinstance(word, str) and word for word in words)
    return "".join(words), ended


async def test_words_come_first_and_one_end_last(model):
    text, ended = await said(model)
    assert text
    assert ended.reason == "complete"


async def test_the_usage_names_the_model_and_is_the_same_for_the_same_prompt(model):
    _, first = await said(model)
    _, second = await said(model)
    assert first == second
    assert first.usage.model
    assert min(first.usage.input_tokens, first.usage.output_tokens) >= 0


@pytest.mark.parametrize("asked", ODD.values(), ids=ODD)
async def test_no_prompt_is_too_odd(model, asked):
    text, _ = await said(model, asked)
    text.encode("utf-8")  # what is said can be stored and sent


async def test_closing_a_stream_early_is_clean(model):
    async with aclosing(model.stream(QUESTION)) as stream:
        await anext(stream)
    await stream.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    assert (await said(model))[0]


async def test_closing_a_stream_that_never_began_is_clean(model):
    await model.stream(QUESTION).aclose()
    assert (await said(model))[0]


async def test_cancelling_is_clean(model):
    task = asyncio.create_task(said(model))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await said(model))[0]


async def test_answers_given_side_by_side_do_not_mix(model):
    questions = ["Where can I park?", "Are dogs allowed?", "Do you sell gift cards?"] * 5
    alone = {question: await said(model, prompt(question)) for question in set(questions)}
    together = await asyncio.gather(*(said(model, prompt(question)) for question in questions))
    assert together == [alone[question] for question in questions]
