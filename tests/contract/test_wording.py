"""Single words of the library: what every index of them must tell."""

import pytest

from bot.backends.sqlite.store import opened
from bot.core.knowledge.wording import MOST_HAVING, ByWords, nothing
from bot.ports.library import Chunk, Document

ALL = ("shop", "staff")
RETURNS = ("Returns", "You may send a parcel back within 30 days; returning is free.")
SHIPPING = ("Shipping", "We ship each parcel by bicycle. Returns are free.")
VOUCHERS = ("Gift vouchers", "They are valid for three years, part QX7391Z too.")
WAGES = ("Wages", "The wage of a bicycle courier is 21 euros.")


@pytest.fixture
async def store(tmp_path):
    async with opened(tmp_path / "parley.db") as made:
        yield made


@pytest.fixture
async def wording(store):
    await put(store, "shop", RETURNS, SHIPPING, VOUCHERS)
    await put(store, "staff", WAGES)
    return store.wording


@pytest.fixture
def by_words(store, wording):
    return ByWords(library=store.library, wording=wording)


async def put(store, collection, *sections, source="a.md"):
    chunks = [Chunk(path=("Book", heading), text=text, tokens=20) for heading, text in sections]
    document = Document(collection=collection, source=source, title="Book", digest=str(sections))
    return await store.library.put(document, chunks)


async def having(wording, word, collections=ALL, limit=9):
    (found,) = await wording.having([word], collections, limit=limit)
    return found


async def test_each_word_tells_where_it_stands_and_whether_in_a_title(wording):
    found = await having(wording, "returns")
    assert (len(found.passages), len(found.titles), found.many) == (2, 1, False)
    assert found.titles < found.passages
    many = await wording.having(["parcel", "zebra", "vouchers"], ALL, limit=9)
    assert [len(one.passages) for one in many] == [2, 0, 1]
    assert await wording.having([], ALL, limit=9) == []


async def test_a_word_that_too_many_have_tells_nothing(wording):
    assert len((await having(wording, "parcel", limit=2)).passages) == 2
    found = await having(wording, "parcel", limit=1)
    assert (found.passages, found.titles, found.many) == (frozenset(), frozenset(), True)


async def test_only_the_given_collections_are_looked_at(wording):
    everywhere = (await having(wording, "bicycle")).passages
    shop = (await having(wording, "bicycle", ["shop"])).passages
    staff = (await having(wording, "bicycle", ["staff"])).passages
    assert (len(shop), len(staff)) == (1, 1)
    assert shop | staff == everywhere
    assert not (await having(wording, "bicycle", [])).passages
    assert not (await having(wording, "bicycle", ['shop"', "%", "shop,staff"])).passages
    sizes = [await wording.size(names) for names in (ALL, ["shop"], ["staff"], [], ["none"])]
    assert sizes == [4, 3, 1, 0, 0]


async def test_what_another_collection_has_too_often_hides_nothing(wording, store):
    many = [(f"Ride {n}", "A bicycle.") for n in range(20)]
    await put(store, "staff", *many, source="rides.md")
    assert (await having(wording, "bicycle", limit=5)).many
    assert len((await having(wording, "bicycle", ["shop"], limit=5)).passages) == 1


@pytest.mark.parametrize(
    "word", ["NEAR", "AND", "OR", "NOT", "title", "returns*", "^returns", "a:b", "(", ")", "{", "-",
             "returns NOT parcel", "'", "*", "+"],
)  # fmt: skip
async def test_no_word_is_syntax(wording, word):
    found = await having(wording, word)
    assert len(found.passages) <= 2


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("vuochers", "voucher"),
        ("shiping", ""),  # the index knows "ship": too short to be sure
        ("bicycel", "bicycl"),
        ("parsel", "parcel"),
        ("parcell", "parcel"),
        ("vouchers", "voucher"),
        ("parcal", "parcel"),
        ("zebras", ""),
        ("parc", ""),
        ("q\U0010ffff", ""),
        ("12345678", ""),
        ("parcel-x", ""),
        ("", ""),
    ],
)
async def test_the_word_that_was_meant_is_one_slip_away(wording, typed, meant):
    assert await wording.meant(typed, ALL) == meant


async def test_a_word_that_only_others_may_read_is_never_meant(wording, store):
    await put(store, "staff", ("Parcek", "A secret name, and bicyclx."), source="names.md")
    assert await wording.meant("parcez", ["shop"]) == "parcel"
    assert await wording.meant("parcez", ALL) == "parcek"
    assert await wording.meant("parcez", []) == ""


async def test_a_mistyped_word_finds_what_the_right_one_does(by_words):
    right = await by_words.found("valid vouchers?", nothing, ALL)
    slip = await by_words.found("valid vuochers?", nothing, ALL)
    assert [one.passage.text for one in slip] == [VOUCHERS[1]]
    assert slip[0].passage == right[0].passage
    assert slip[0].fit.answers


async def test_a_typo_tells_nobody_what_only_others_may_read(by_words):
    assert not await by_words.found("couriers courir wages", nothing, ["shop"])


async def test_best_comes_first_and_only_from_the_given_collections(by_words):
    found = await by_words.found("how do returns work?", nothing, ["shop"])
    assert [one.passage.path[-1] for one in found] == ["Returns", "Shipping"]
    assert {one.passage.path[-1] for one in await by_words.found("bicycle", nothing, ALL)} == {
        "Shipping", "Wages"}  # fmt: skip
    assert await by_words.found("bicycle", nothing, []) == []


@pytest.mark.parametrize("question", ["", "   ", "?!", "what is it?", "42", "hello"])
async def test_a_question_without_a_topic_finds_nothing(by_words, question):
    assert await by_words.found(question, nothing, ALL) == []


async def test_a_short_question_leans_on_the_one_before_unless_it_answers_itself(by_words):
    async def before():
        return "are vouchers valid for long?"

    assert await by_words.found("how many?", nothing, ALL) == []
    leaning = await by_words.found("how many?", before, ALL)
    assert leaning[0].passage.text == VOUCHERS[1]
    alone = await by_words.found("shipping parcel?", before, ALL)
    assert alone[0].passage.text == SHIPPING[1]


async def test_a_part_number_names_its_passages_and_a_common_one_names_none(by_words, store):
    assert len(await by_words.named("does qx7391z fit?", ALL)) == 1
    assert not await by_words.named("does qx7391z fit?", ["staff"])
    assert not await by_words.named("is it 12345, or vouchers, or x1?", ALL)
    many = [(f"Part {n}", "Fits AB1234C.") for n in range(21)]
    await put(store, "shop", *many, source="parts.md")
    assert not await by_words.named("AB1234C?", ALL)


async def test_a_word_that_too_many_have_weighs_nothing_in_a_question(by_words, store):
    many = [(f"Number {n}", "A lamp.") for n in range(MOST_HAVING + 1)]
    await put(store, "shop", *many, source="lamps.md")
    (found,) = await by_words.found("is a lamp with the vouchers?", nothing, ALL)
    assert (found.passage.text, found.fit.found, found.fit.coverage) == (VOUCHERS[1], 1, 1.0)
    assert await by_words.found("a lamp?", nothing, ALL) == []
