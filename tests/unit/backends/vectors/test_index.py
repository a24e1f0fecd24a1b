"""The index finds what a plain loop finds, whatever was put in and taken out before."""

import asyncio
import math
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.backends.vectors.index import Near, VectorIndex, halved

WIDTH = 4


def vector(*numbers: float) -> bytes:
    length = math.sqrt(sum(number * number for number in numbers))
    return array("f", [number / length for number in numbers]).tobytes()


def numbers(packed: bytes) -> list[float]:
    return list(array("f", packed))


def cosine(one: bytes, other: bytes) -> float:
    return sum(a * b for a, b in zip(numbers(one), numbers(other), strict=True))


vectors = (
    st.lists(st.integers(-9, 9), min_size=WIDTH, max_size=WIDTH)
    .filter(any)
    .map(lambda found: vector(*found))
)
ids = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 12)
changes = st.lists(
    st.tuples(st.just("put"), st.dictionaries(ids, st.lists(vectors, max_size=3), max_size=9))
    | st.tuples(st.just("drop"), st.sets(ids, max_size=4)),
    max_size=12,
)


def plainly(
    kept: dict[int, list[bytes]], query: bytes, allowed: set[int] | None
) -> dict[int, float]:
    return {
        id: max(cosine(query, one) for one in several)
        for id, several in kept.items()
        if several and (allowed is None or id in allowed)
    }


@settings(max_examples=150, deadline=None)
@given(changes, vectors, st.integers(1, 9), st.none() | st.sets(ids, max_size=9))
def test_it_finds_what_a_plain_loop_finds(changes, query, limit, allowed):
    async def work() -> list[Near]:
        index = VectorIndex()
        kept: dict[int, list[bytes]] = {}
        for verb, changed in changes:
            if verb == "put":
                await index.put(changed)
                kept |= changed
            else:
                await index.drop(changed)
                kept = {id: several for id, several in kept.items() if id not in changed}
        assert len(index) == sum(map(len, kept.values()))
        expected = plainly(kept, query, allowed)
        found = await index.search(query, limit=limit, allowed=allowed)
        assert {near.id for near in found} <= set(
            expected
        )  # no other, and none that is not allowed
        assert [near.score for near in found] == pytest.approx(
            sorted(expected.values(), reverse=True)[:limit], abs=1e-6
        )
        for near in found:
            assert near.score == pytest.approx(expected[near.id], abs=1e-6)
        return found

    found = asyncio.run(work())
    assert len({near.id for near in found}) == len(found)


async def test_an_id_counts_by_its_best_vector_and_is_found_once():
    index = VectorIndex()
    await index.put({1: [vector(1, 0), vector(0, 1)], 2: [vector(3, 4)]})

    found = await index.search(vector(0, 1), limit=5)

    assert found == [Near(1, pytest.approx(1)), Near(2, pytest.approx(0.8))]


async def test_many_vectors_of_one_id_do_not_push_others_out():
    index = VectorIndex()
    await index.put({7: [vector(1, 0)] * 500, 8: [vector(4, 3)], 9: [vector(0, 1)]})

    assert [near.id for near in await index.search(vector(1, 0), limit=2)] == [7, 8]


async def test_what_was_put_again_replaces_what_was_there():
    index = VectorIndex()
    await index.put({number: [vector(1, 0)] for number in range(200)})
    await index.put({5: [vector(0, 1)]})

    assert [near.id for near in await index.search(vector(0, 1), limit=1)] == [5]
    assert len(index) == 200


async def test_of_equals_the_lower_id_comes_first():
    index = VectorIndex()
    await index.put({number: [vector(1, 0)] for number in (9, 3, 5, 1)})

    assert [near.id for near in await index.search(vector(1, 0), limit=2)] == [1, 3]


@pytest.mark.parametrize("allowed", [set(), {77}, {-1}])
async def test_nothing_is_found_when_nothing_is_allowed_that_is_there(allowed):
    index = VectorIndex()
    await index.put({1: [vector(1, 0)]})

    assert await index.search(vector(1, 0), limit=3, allowed=allowed) == []


async def test_an_empty_index_finds_nothing_and_may_be_filled_with_another_size():
    index = VectorIndex()
    assert await index.search(vector(1, 0), limit=3) == []
    await index.put({1: [vector(1, 0)]})
    await index.drop({1})
    await index.put({2: [vector(1, 0, 0)]})

    assert [near.id for near in await index.search(vector(1, 0, 0), limit=3)] == [2]


async def test_a_vector_or_a_query_of_another_size_is_refused_and_changes_nothing():
    index = VectorIndex()
    await index.put({1: [vector(1, 0)]})

    with pytest.raises(ValueError, match="3, not 2"):
        await index.put({1: [vector(1, 0, 0)]})
    with pytest.raises(ValueError, match="different sizes"):
        await index.put({2: [vector(1, 0)], 3: [vector(1, 0, 0)]})
    with pytest.raises(ValueError, match="3 numbers, not 2"):
        await index.search(vector(1, 0, 0), limit=1)
    assert [near.id for near in await index.search(vector(1, 0), limit=9)] == [1]


@given(st.lists(st.floats(-1, 1, width=32), min_size=8, max_size=8).filter(lambda v: max(map(abs, v)) > 0.1))  # fmt: skip
def test_half_the_size_changes_a_cosine_by_next_to_nothing(given):
    packed, other = vector(*given), vector(1, 2, 3, 4, 5, 6, 7, 8)

    async def score(one: bytes, *, half: bool) -> float:
        index = VectorIndex()
        await index.put({1: [one]}, half=half)
        return (await index.search(other, limit=1))[0].score

    assert len(halved(packed)) * 2 == len(packed)
    assert asyncio.run(score(halved(packed), half=True)) == pytest.approx(
        asyncio.run(score(packed, half=False)), abs=0.0008
    )


async def test_searches_and_changes_side_by_side_see_each_other_whole():
    """Two vectors of one id are always both there or both gone."""
    index = VectorIndex()
    await index.put({number: [vector(1, 0)] for number in range(2000)})

    async def change() -> None:
        for _ in range(30):
            await index.put({1: [vector(0, 1)], 2: [vector(0, 1)]})
            await index.drop({1, 2})

    async def look() -> None:
        for _ in range(60):
            best = [
                near.id for near in await index.search(vector(0, 1), limit=2) if near.score > 0.9
            ]
            assert best in ([], [1, 2])

    await asyncio.gather(change(), look(), look())
