"""What every model keeps to, whatever is behind it; a new model or wrapper is one more factory."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any

import pytest

from bot.backends.documents import DocumentsModel
from bot.backends.openai.model import OpenAIModel
from bot.backends.openai.settings import OpenAISettings
from bot.core.models import Deferred, Fallback
from bot.domain.dialogue import Delta, Ended, Line, Prompt
from bot.domain.errors import ModelError
from bot.ports.model import Model
from tests.fakes.openai import Answer, FakeOpenAI, echo

Factory = Callable[[], AbstractAsyncContextManager[Model]]


@asynccontextmanager
async def documents() -> AsyncIterator[Model]:
    yield DocumentsModel.read()


@asynccontextmanager
async def openai(answer: Answer = echo, **behaviour: Any) -> AsyncIterator[Model]:
    async with FakeOpenAI(answer, **behaviour) as fake:
        settings = OpenAISettings(base_url=fake.base_url, model="m")
        model = OpenAIModel("fake", settings, look_up={}.get)
        yield model
        await model.close()


@asynccontextmanager
async def openai_word_by_word() -> AsyncIterator[Model]:
    async with openai(lambda body: echo(body)[:60], chunk=7, interval=0.001, usage=False) as model:
        yield model


class Down:
    """A model that never answers."""

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        raise ModelError("down")
        yield ""


@asynccontextmanager
async def fallback() -> AsyncIterator[Model]:
    yield Fallback([("down", Down()), ("documents", DocumentsModel.read())])


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
    heard = asyncio.Event()

    async def listen() -> None:
        async with aclosing(model.stream(QUESTION)) as stream:
            await anext(stream)
            heard.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(listen())
    await heard.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await said(model))[0]


async def test_answers_given_side_by_side_do_not_mix(model):
    questions = ["Where can I park?", "Are dogs allowed?", "Do you sell gift cards?"] * 5
    alone = {question: await said(model, prompt(question)) for question in set(questions)}
    together = await asyncio.gather(*(said(model, prompt(question)) for question in questions))
    assert together == [alone[question] for question in questions]
