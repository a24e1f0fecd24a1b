"""An embedder that failed rests: questions go on by words, and one of them tries it again."""

import asyncio

import pytest

from bot.core.embedders import RestingEmbedder
from bot.core.embedders.resting import SLOW_S
from bot.core.models.breaker import FIRST_REST_S, LONGEST_REST_S
from bot.domain.errors import ModelError, ModelRefused, OverBudget
from bot.ports.embedder import Texts

QUESTION = Texts(texts=("where to park",), kind="query")
PASSAGE = Texts(texts=("the car park is in the north",))


class Server:
    """An embedder that does what is next on its list, and then answers."""

    name = "vectors"

    def __init__(self, *faults):
        self.faults, self.calls, self.time = list(faults), 0, 1000.0

    def now(self):
        return self.time

    async def embed(self, texts):
        self.calls += 1
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, BaseException):
            raise fault
        if fault is not None:
            await fault.wait()
        return (b"vector",) * len(texts.texts)


async def failed(embedder, error=ModelError):
    with pytest.raises(error) as raised:
        await embedder.embed(QUESTION)
    return str(raised.value)


async def test_after_a_failure_nobody_waits_until_one_question_tries_it_again():
    server = Server(ModelError("down"), ModelError("down"))
    embedder = RestingEmbedder(server, now=server.now)
    for rest in (FIRST_REST_S, FIRST_REST_S * 2):
        assert await failed(embedder) == "down"
        asked = server.calls
        server.time += rest - 0.1
        assert "rests" in await failed(embedder)
        assert server.calls == asked
        server.time += 0.2
    assert await embedder.embed(QUESTION) == (b"vector",)
    assert await embedder.embed(QUESTION) == (b"vector",)


async def test_a_rest_has_a_longest_and_a_failure_after_an_answer_begins_with_a_short_one():
    server = Server(*[ModelError("down")] * 20)
    embedder = RestingEmbedder(server, now=server.now)
    for _ in range(20):
        assert await failed(embedder) == "down"
        server.time += LONGEST_REST_S
    await embedder.embed(QUESTION)
    server.faults = [ModelError("down")]
    assert await failed(embedder) == "down"
    server.time += FIRST_REST_S
    await embedder.embed(QUESTION)


async def test_while_one_question_tries_it_again_others_do_not_wait():
    hold = asyncio.Event()
    server = Server(ModelError("down"), hold)
    embedder = RestingEmbedder(server, now=server.now)
    await failed(embedder)
    server.time += FIRST_REST_S
    trying = asyncio.create_task(embedder.embed(QUESTION))
    await asyncio.sleep(0)
    assert "rests" in await failed(embedder)
    hold.set()
    await trying
    await embedder.embed(QUESTION)


async def test_those_who_fail_side_by_side_are_one_failure():
    server = Server(*[asyncio.Event()] * 5)
    embedder = RestingEmbedder(server, now=server.now)
    waiting = [asyncio.create_task(embedder.embed(QUESTION)) for _ in range(5)]
    await asyncio.sleep(0)
    assert server.calls == 5
    server.time += SLOW_S
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    server.time += FIRST_REST_S
    await embedder.embed(QUESTION)


@pytest.mark.parametrize(("seconds", "rests"), [(SLOW_S, True), (0.5, False)])
async def test_who_gave_up_after_a_while_was_failed_too(seconds, rests):
    server = Server(asyncio.Event())
    embedder = RestingEmbedder(server, now=server.now)
    waiting = asyncio.create_task(embedder.embed(QUESTION))
    await asyncio.sleep(0)
    server.time += seconds
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    if rests:
        assert "rests" in await failed(embedder)
    else:
        await embedder.embed(QUESTION)


@pytest.mark.parametrize("error", [ModelRefused("wrong key"), OverBudget("nothing left")])
async def test_who_is_refused_at_once_has_not_waited_and_lets_others_try(error):
    server = Server(error, ModelError("down"), error)
    embedder = RestingEmbedder(server, now=server.now)
    await failed(embedder, type(error))
    await failed(embedder)
    server.time += FIRST_REST_S
    await failed(embedder, type(error))
    await embedder.embed(QUESTION)


async def test_what_is_embedded_in_the_background_is_always_tried():
    server = Server(ModelError("down"), ModelError("down"))
    embedder = RestingEmbedder(server, now=server.now)
    await failed(embedder)
    with pytest.raises(ModelError, match="down"):
        await embedder.embed(PASSAGE)
    assert await embedder.embed(PASSAGE) == (b"vector",)
