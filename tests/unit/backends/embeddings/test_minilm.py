"""The real MiniLM, on this machine."""

import asyncio
import math
from array import array

import pytest

from bot.backends.embeddings.minilm import MOST_READ, MOST_WINDOWS, WINDOW, MiniLM
from bot.domain.errors import ConfigError
from bot.ports.embedder import Texts

PARK = "Customers may leave their vehicles in the yard behind the shop, two hours free of charge."
REFUND = "Money is paid back within 14 days when something is brought back with its receipt."


@pytest.fixture(scope="module")
def minilm() -> MiniLM:
    return MiniLM.read()


async def embedded(minilm: MiniLM, *texts: str, **about: str) -> list[list[float]]:
    return [list(array("f", vector)) for vector in await minilm.embed(Texts(texts=texts, **about))]


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_a_question_is_near_to_its_answer_without_a_word_in_common(minilm):
    asked, park, refund = await embedded(minilm, "Where can I park my car?", PARK, REFUND)

    assert cosine(asked, park) > 0.35
    assert cosine(asked, refund) < 0.2


async def test_vectors_are_384_numbers_of_length_1(minilm):
    for vector in await embedded(minilm, PARK, "", "\ud83d", "word " * 5000):
        assert len(vector) == 384
        assert math.hypot(*vector) == pytest.approx(1, abs=1e-5)


async def test_a_text_has_the_same_vector_whatever_is_beside_it(minilm):
    (alone,) = await minilm.embed(Texts(texts=(PARK,)))
    beside = await minilm.embed(Texts(texts=("x", PARK, REFUND * 9)))
    asked = await minilm.embed(Texts(texts=(PARK,), kind="query"))

    assert alone == beside[1] == asked[0]


async def test_a_long_text_is_read_to_its_end(minilm):
    filler = "The weather was fine and nothing happened that anybody would write down. " * 30
    asked, with_end, without = await embedded(
        minilm, "Where can I park my car?", filler + PARK * 6, filler
    )

    assert cosine(asked, with_end) > cosine(asked, without) + 0.04


def test_a_text_is_cut_into_few_parts_of_about_one_size(minilm):
    for words in (0, 1, WINDOW, WINDOW + 1, WINDOW * 3, WINDOW * 100):
        sizes = [len(window) for window in minilm._windows("car " * words)]
        assert 1 <= len(sizes) <= MOST_WINDOWS
        assert max(sizes) <= WINDOW
        assert max(sizes) - min(sizes) <= len(sizes)
        assert sum(sizes) == min(words, WINDOW * MOST_WINDOWS)


async def test_a_text_speaks_of_the_question_that_it_answers_and_hardly_of_one_that_is_near(minilm):
    answered = await minilm.spoken("Is money paid back when I bring something back?", REFUND)
    near = await minilm.spoken("Is money paid back when the parcel was lost at sea?", REFUND)

    assert await minilm.spoken(REFUND, REFUND) == pytest.approx(1, abs=0.01)
    assert answered > near + 0.1
    assert near > await minilm.spoken("Who wrote Hamlet?", REFUND) + 0.1


async def test_what_is_kept_of_texts_does_not_grow(minilm):
    for number in range(MOST_READ + 10):
        await minilm.spoken("A question?", f"Answer {number}.")
        await minilm.spoken("A question?", PARK)

    assert len(minilm._tokens) == MOST_READ
    assert PARK in minilm._tokens  # asked for every time


async def test_a_question_does_not_wait_for_what_is_being_indexed(minilm):
    order: list[str] = []

    async def index(number: int) -> None:
        await minilm.embed(Texts(texts=(PARK * 2,) * 10))
        order.append(f"index {number}")

    async def ask() -> None:
        await minilm.embed(Texts(texts=("Where can I park?",), kind="query"))
        order.append("ask")

    indexing = [asyncio.create_task(index(number)) for number in range(4)]
    await asyncio.sleep(0)  # all of them want their turn
    await asyncio.gather(ask(), *indexing)

    assert order[0] == "ask"


async def test_the_event_loop_goes_on_while_texts_are_read(minilm):
    steps = 0

    async def tick() -> None:
        nonlocal steps
        while True:
            await asyncio.sleep(0.001)
            steps += 1

    ticking = asyncio.create_task(tick())
    await minilm.embed(Texts(texts=(PARK * 3,) * 10))
    ticking.cancel()

    assert steps > 20


def test_another_model_than_the_one_that_is_known_is_refused_in_one_sentence(tmp_path):
    other = tmp_path / "model.onnx"
    other.write_bytes(b"something else")

    with pytest.raises(
        ConfigError, match=r"not the model that Parley knows; install 1\.0\.0 again"
    ):
        MiniLM.read(other)
    with pytest.raises(ConfigError, match="cannot be read; install it again"):
        MiniLM.read(tmp_path / "nothing.onnx")
