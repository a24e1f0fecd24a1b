"""Documents, their passages and vectors: what every library must do."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from bot.backends.sqlite import shelving
from bot.backends.sqlite.store import opened
from bot.ports.library import Chunk, Document, Having

SHOP = Document(collection="shop", source="faq.md", title="Shop FAQ", digest="d1", at=1000.0)
STAFF = Document(collection="staff", source="rota.md", title="Rota", digest="d2", at=1000.0)
ALL = ("shop", "staff")


def chunk(text, *path):
    return Chunk(path=path, text=text, tokens=len(text.split()))


RETURNS = chunk("You may bring them back within 14 days.", "Shop FAQ", "Returns")
HOURS = chunk("We open at ten. Returns are welcome.", "Shop FAQ", "Opening hours")


def vector(*numbers):
    made = np.array(numbers, dtype="<f4")
    return (made / np.linalg.norm(made)).tobytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "parley.db"


@pytest.fixture
async def store(path):
    async with opened(path) as made:
        yield made


@pytest.fixture
def library(store):
    return store.library


async def found(library, words, collections=ALL):
    scored = await library.worded(words.split(" "), collections, limit=9)
    return [p.text for p in await library.passages([one.passage for one in scored], collections)]


async def embedded(library, *vectors, embedder="e"):
    plain = await library.plain(embedder, limit=99)
    await library.embedded(embedder, {p.id: v for p, v in zip(plain, vectors, strict=True)})
    return [p.id for p in plain]


async def near(library, query, collections=ALL, embedder="e"):
    return await library.near(query, embedder, collections, limit=9)


async def test_words_are_found_in_any_form_and_a_title_counts_more(library):
    await library.put(SHOP, [HOURS, RETURNS])

    assert await found(library, "returning") == [RETURNS.text, HOURS.text]
    assert await found(library, "opens nothing") == [HOURS.text]
    assert await found(library, "zebra") == []
    scores = [one.score for one in await library.worded(["returns"], ALL, limit=9)]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0


async def test_a_title_without_headings_is_the_documents(library):
    await library.put(SHOP, [chunk("Nothing else.")])

    assert await found(library, "faq") == ["Nothing else."]
    assert (await library.plain("e", limit=1))[0][1:] == ("Shop FAQ", "Shop FAQ\nNothing else.")


@pytest.mark.parametrize(
    "word",
    ['"', "'", "*", "NEAR(a b)", "title:open", "a OR b", "-", "(", "x\0y", "\udc80", "^open", "{"],
)
async def test_no_word_is_syntax(library, word):
    await library.put(SHOP, [HOURS])

    assert await library.worded([word], ["none"], limit=9) == []
    assert len(await library.worded([word, "open"], ALL, limit=9)) == 1


async def test_many_words_and_none_can_be_asked_for(library):
    await library.put(SHOP, [HOURS])

    assert len(await library.worded([f"w{n}" for n in range(3000)] + ["ten"], ALL, limit=9)) == 1
    assert await library.worded([], ALL, limit=9) == []
    assert await library.worded(["", " "], ALL, limit=9) == []


async def test_what_another_bot_adds_is_seen_by_whoever_borrows_its_documents(path, tmp_path):
    async with opened(path) as owner:
        await owner.library.put(SHOP, [HOURS])
        async with opened(tmp_path / "own.db", library=path) as guest:
            assert await guest.library.collections() == {"shop": 1}
            await owner.library.put(STAFF, [chunk("Ann opens on Monday.", "Rota")])
            assert await guest.library.collections() == {"shop": 1, "staff": 1}
            assert await found(guest.library, "monday") == ["Ann opens on Monday."]


async def test_a_collection_that_comes_while_they_are_counted_is_there(path):
    async with opened(path):
        pass
    many = ((f"c{n % 7}", f"s{n}", "t", "x", "d") for n in range(200_000))
    with closing(sqlite3.connect(path)) as db, db:
        sql = "insert into documents (collection, source, title, type, digest, at) values "
        db.executemany(f"{sql}(?, ?, ?, ?, ?, 0)", many)
    async with opened(path) as store:
        counting = asyncio.create_task(store.library.collections())
        await asyncio.sleep(0.003)  # to count takes longer than to write
        await store.library.put(SHOP, [HOURS])
        await counting
        assert "shop" in await store.library.collections()


async def test_what_lies_in_another_collection_is_not_there(library):
    await library.put(SHOP, [HOURS])
    await library.put(STAFF, [chunk("Ann opens on Monday.", "Rota")])
    ids = await embedded(library, (vector(1, 0), vector(1, 0)), (vector(1, 0.1), vector(1, 0)))

    assert await found(library, "open", ["shop"]) == [HOURS.text]
    assert await found(library, "open", ["staff"]) == ["Ann opens on Monday."]
    assert await found(library, "open", []) == []
    assert [one.passage for one in await near(library, vector(1, 0), ["staff"])] == [ids[1]]
    assert await near(library, vector(1, 0), []) == []
    assert [p.id for p in await library.passages(ids, ["shop"])] == [ids[0]]
    assert await library.collections() == {"shop": 1, "staff": 1}


async def test_passages_come_in_the_asked_order_with_where_they_stand(library):
    link = "https://example.com/faq"
    document = await library.put(Document(**{**_plain(SHOP), "link": link}), [HOURS, RETURNS])
    ids = [p.id for p in await library.plain("e", limit=9)]

    second, first = await library.passages([ids[1], 99, ids[0]], ALL)

    assert (first.text, second.text) == (HOURS.text, RETURNS.text)
    assert (second.document, second.title, second.path) == (document, SHOP.title, RETURNS.path)
    assert (second.source, second.link) == ("faq.md", link)


async def test_a_path_of_this_machine_is_not_shown(library):
    await library.put(Document(**{**_plain(SHOP), "source": "/srv/ann/faq.md"}), [HOURS])
    ((id, *_),) = await library.plain("e", limit=9)

    assert [p.source for p in await library.passages([id], ALL)] == ["faq.md"]


async def test_a_passage_that_stays_as_it_is_keeps_its_vectors(library):
    await library.put(SHOP, [HOURS, RETURNS])
    hours, returns = await embedded(library, *[(vector(1, 0), vector(1, 0))] * 2)
    twice = chunk("The same again.", "Shop FAQ", "Twice")

    await library.put(Document(**{**_plain(SHOP), "review": "2027-06-30"}), [HOURS, RETURNS])
    assert await library.plain("e", limit=9) == []
    assert len(await near(library, vector(1, 0))) == 2

    await library.put(Document(**{**_plain(SHOP), "digest": "d9"}), [twice, RETURNS, twice])
    assert [one.text for one in await library.plain("e", limit=9)] == [
        "Shop FAQ › Twice\nThe same again."
    ] * 2
    assert [one.passage for one in await near(library, vector(1, 0))] == [returns]
    assert await found(library, "ten") == []
    assert await found(library, "same") == [twice.text] * 2
    assert await library.passages([hours], ALL) == []

    await library.put(Document(**{**_plain(SHOP), "title": "Questions"}), [RETURNS])
    assert await library.passages([returns], ALL) == []  # it stands below another title
    assert await found(library, "questions") == [RETURNS.text]


async def test_documents_are_listed_with_all_that_is_known(library):
    await library.put(STAFF, [])
    facts = {**_plain(SHOP), "owner": "Ann", "review": "2027-06-30", "type": "text/html",
             "note": "Half of it."}  # fmt: skip
    await library.put(Document(**facts), [HOURS, RETURNS])

    shop, staff = await library.documents()

    assert shop == Document(**{**facts, "id": shop.id, "chunks": 2})
    assert (staff.collection, staff.chunks) == ("staff", 0)
    assert [d.source for d in await library.documents("staff")] == ["rota.md"]


async def test_a_document_is_replaced_whole(library):
    first = await library.put(SHOP, [HOURS, RETURNS])
    old = [p.id for p in await library.plain("e", limit=9)]
    later = chunk("Returns within 30 days.", "Shop FAQ", "Returns")
    second = await library.put(Document(**{**_plain(SHOP), "digest": "d9"}), [later])

    assert first == second
    assert await found(library, "open returns") == [later.text]
    assert await library.passages(old, ALL) == []  # no id is used twice
    assert [(d.digest, d.chunks) for d in await library.documents()] == [("d9", 1)]


async def test_a_removed_document_is_found_no_more(library):
    document = await library.put(SHOP, [HOURS])
    await embedded(library, (vector(1, 0), vector(1, 0)))
    assert len(await near(library, vector(1, 0))) == 1

    assert await library.remove(document)

    assert not await library.remove(document)
    assert await found(library, "open") == []
    assert await near(library, vector(1, 0)) == []
    assert await library.progress("e") == (0, 0)
    assert await library.documents() == []


@pytest.mark.parametrize("killed", [False, True])
async def test_a_removed_document_leaves_no_byte(path, killed):
    words = [f"canary{n}x" for n in range(400)]
    async with opened(path) as store:
        kept = chunk("We keep this sentence.", "Kept")
        await store.library.put(STAFF, [kept])
        gone = [chunk(" ".join(words[n : n + 20]), "Secret heading") for n in range(0, 400, 20)]
        document = await store.library.put(SHOP, gone)
        await embedded(store.library, *[(vector(1, 2), vector(3, 4))] * 21)
        await store.library.put(SHOP, gone)
        await store.library.remove(document)
        if not killed:
            assert await store.library.scour()
        data = b"".join(file.read_bytes() for file in path.parent.iterdir()).lower()
    async with opened(path) as store:
        assert await found(store.library, "sentence") == [kept.text]
        if killed:  # the next start does it
            assert b"canary" in data
            data = b"".join(file.read_bytes() for file in path.parent.iterdir()).lower()
    for word in (b"canary", b"secret heading", b"shop faq", b"faq.md"):
        assert word not in data


async def test_what_is_removed_while_another_one_is_scoured_is_not_forgotten(path, store, library):
    first, second = await library.put(SHOP, [RETURNS]), await library.put(STAFF, [HOURS])
    await library.remove(first)
    held = threading.Event()
    store.writer.put(lambda _: held.wait(5))
    scouring = asyncio.create_task(library.scour())
    await asyncio.sleep(0)
    removing = asyncio.create_task(library.remove(second))
    await asyncio.sleep(0)
    held.set()
    assert await removing
    assert await scouring
    with closing(sqlite3.connect(path)) as db:
        left = "select count(*) from facts where name = 'unscoured'"
        assert db.execute(left).fetchall() == [(1,)]
        assert await library.scour()
        assert db.execute(left).fetchall() == [(0,)]


async def test_a_title_counts_a_third_and_the_text_the_rest(library):
    await library.put(SHOP, [HOURS, RETURNS])
    title, text = (vector(1, 0), vector(0, 1)), (vector(1, 3), vector(1, 2))
    ids = await embedded(library, title, text)

    best, next_best = await near(library, vector(1, 0))
    assert (next_best.passage, best.passage) == tuple(ids)
    assert next_best.score == pytest.approx(1 / 3, abs=1e-3)
    assert best.score == pytest.approx(1 / 3 / 10**0.5 + 2 / 3 / 5**0.5, abs=1e-3)


async def test_vectors_are_true_while_documents_come_and_go_and_after_a_start(path):
    async with opened(path) as store:
        library = store.library
        await library.put(SHOP, [HOURS])
        assert await near(library, vector(1, 0)) == []  # loaded while there are none
        await embedded(library, (vector(1, 0), vector(1, 0)))
        staff = await library.put(STAFF, [chunk("Ann.")])
        await embedded(library, (vector(1, 1), vector(1, 1)))
        assert len(await near(library, vector(1, 0))) == 2
        await library.put(SHOP, [RETURNS])
        assert [p.text for p in await library.passages(
            [one.passage for one in await near(library, vector(1, 0))], ALL)] == ["Ann."]  # fmt: skip
        await embedded(library, (vector(1, 0), vector(1, 0)))
        assert len(await near(library, vector(1, 0))) == 2
        await library.remove(staff)
        alive = await near(library, vector(1, 0))
    async with opened(path) as store:
        assert await near(store.library, vector(1, 0)) == alive
        assert len(alive) == 1


async def test_another_embedder_takes_the_place_of_the_former_bit_by_bit(library):
    await library.put(SHOP, [HOURS, RETURNS])
    await embedded(library, *[(vector(1, 0), vector(1, 0))] * 2)
    (first, _) = await library.plain("other", limit=9)

    await library.embedded("other", {first.id: (vector(1, 0, 0), vector(0, 1, 0))})

    assert await library.progress("other") == (1, 2)
    assert await library.progress("e") == (1, 2)
    assert len(await near(library, vector(1, 0, 0), embedder="other")) == 1
    assert len(await near(library, vector(1, 0), embedder="e")) == 1


async def test_vectors_of_passages_that_are_gone_are_not_kept(library):
    document = await library.put(SHOP, [HOURS])
    ((id, *_),) = await library.plain("e", limit=9)
    await near(library, vector(1, 0))
    await library.remove(document)

    await library.embedded("e", {id: (vector(1, 0), vector(1, 0))})

    assert await library.progress("e") == (0, 0)
    assert await near(library, vector(1, 0)) == []


async def test_what_was_read_lately_is_read_anew_after_a_change(store, library):
    await library.put(SHOP, [RETURNS, HOURS])
    first = await library.worded(["returns"], ALL, limit=9)
    ids = [one.passage for one in first]
    for _ in range(2):  # from the store, and from memory
        assert len(await library.passages(ids, ALL)) == 2
        assert await library.passages(ids, ["staff"]) == []
        (having,) = await store.wording.having(["returns"], ALL, limit=9)
        assert having.passages == {*ids}
        assert await store.wording.meant("retunrs", ALL) == "return"

    document = await library.put(SHOP, [HOURS])

    assert [p.text for p in await library.passages(ids, ALL)] == [HOURS.text]
    (having,) = await store.wording.having(["returns"], ALL, limit=9)
    assert len(having.passages) == 1
    await library.remove(document)
    assert await library.passages(ids, ALL) == []
    assert await store.wording.having(["returns"], ALL, limit=9) == [
        Having(frozenset(), frozenset())
    ]
    assert await store.wording.meant("retunrs", ALL) == ""


async def test_what_is_being_read_while_documents_change_is_not_kept(store, library):
    document = await library.put(SHOP, [RETURNS])
    ids = [one.passage for one in await library.worded(["back"], ALL, limit=9)]

    for _ in range(50):  # the reads begin before the change, and end before or after it
        reads = [library.passages(ids, ALL), store.wording.having(["back"], ALL, limit=9)]
        await asyncio.gather(*reads, library.remove(document))
        assert await library.passages(ids, ALL) == []
        (having,) = await store.wording.having(["back"], ALL, limit=9)
        assert not having.passages
        document = await library.put(SHOP, [RETURNS])
        ids = [one.passage for one in await library.worded(["back"], ALL, limit=9)]


async def test_who_is_cancelled_while_documents_change_leaves_nothing_outdated(store, library):
    await library.put(SHOP, [RETURNS])
    ids = [one.passage for one in await library.worded(["back"], ALL, limit=9)]
    held = threading.Event()
    store.writer.put(lambda _: held.wait(5))  # the disk is slow
    changing = asyncio.create_task(library.put(SHOP, [HOURS]))
    await asyncio.sleep(0)
    changing.cancel()
    await asyncio.gather(changing, return_exceptions=True)
    assert len(await library.passages(ids, ALL)) == 1
    held.set()
    await store.probe()
    assert await library.passages(ids, ALL) == []


async def test_more_passages_than_are_kept_in_memory_are_all_found(library):
    await library.put(SHOP, [chunk(f"green {n}") for n in range(700)])
    ids = [one.passage for one in await library.worded(["green"], ALL, limit=999)]
    for _ in range(2):
        assert [p.id for p in await library.passages(ids, ALL)] == ids
        assert [p.id for p in await library.passages([*reversed(ids)], ALL)] == ids[::-1]


async def test_a_word_that_is_nearly_everywhere_is_not_what_passages_are_ranked_by(library):
    words = ("the zebra is", "the lion is", "the tiger", "policy", "bear")
    texts = [f"{word} there" for word in words]
    await library.put(SHOP, [chunk(text) for text in texts])

    async def ids(*words):
        return [one.passage for one in await library.worded(words, ALL, limit=9)]

    for _ in range(2):  # counted, and known
        assert await ids("the", "zebra") == await ids("zebra")
        assert len(await ids("the", "policy", "zebra")) == 2  # a word of many questions, but rare
        assert len(await ids("the", "is")) == 2  # the passages that have "is"
        assert len(await ids("the")) == 3
    await library.put(SHOP, [chunk(text) for text in (texts[0], *"abcdefg")])
    assert len(await ids("the", "a")) == 2


async def test_the_word_index_stays_in_few_parts(path, library):
    """Each word of a search is looked up in all of them."""
    with closing(sqlite3.connect(path)) as db:
        for n in range(40):
            await library.put(replace(SHOP, source=f"{n}.md"), [chunk(f"green {n}", "Shop FAQ")])
            assert _parts(db) <= 3
        await library.scour()
        assert _parts(db) == 1


async def test_the_word_index_outlives_any_number_of_removals(path, library, monkeypatch):
    """SQLite 3.40 takes an index for damaged that was merged as a whole some thousand times."""
    monkeypatch.setattr(shelving, "MOST_MERGES", 5)
    await library.put(STAFF, _pages(30))
    levels = []
    with closing(sqlite3.connect(path)) as db:
        for n in range(20):
            await library.put(SHOP, [chunk(f"green {n}", "Shop FAQ"), HOURS])
            assert await library.scour()
            ((structure,),) = db.execute("select block from passage_words_data where id = 10")
            levels.append(structure[4])
    assert 2 < max(levels) <= 12
    assert await found(library, "green") == ["green 19"]
    assert await found(library, "green 18") == ["green 19"]


async def test_the_word_index_is_made_anew_at_a_start_rather_than_beside_answers(path, monkeypatch):
    monkeypatch.setattr(shelving, "MOST_MERGES", 6)
    merges = "select value from facts where name = 'merges'"
    async with opened(path) as store:
        await store.library.put(STAFF, _pages(30))
        for n in range(4):
            await store.library.put(SHOP, [chunk(f"green {n}"), HOURS])
            assert await store.library.scour()
            assert await store.library.scour()  # there is nothing to do, so it does not count
    with closing(sqlite3.connect(path)) as db:
        assert db.execute(merges).fetchall() == [(4,)]
        async with opened(path) as store:
            assert db.execute(merges).fetchall() == []
            assert await found(store.library, "green") == ["green 3"]


async def test_cleaning_up_ends_while_documents_are_put(path, library, monkeypatch):
    monkeypatch.setattr(shelving, "PAGES", 1)
    await library.put(SHOP, _pages(300))
    await library.put(SHOP, _pages(299))
    putting = asyncio.create_task(_put_for_ever(library))
    async with asyncio.timeout(20):
        assert await library.scour()
    putting.cancel()
    await asyncio.gather(putting, return_exceptions=True)
    with closing(sqlite3.connect(path)) as db:  # it has not begun anew
        assert db.execute("select value from facts where name = 'merges'").fetchall() == [(1,)]


async def test_searching_while_documents_change_sees_whole_documents(library):
    """Every search sees the old text or the new one."""
    versions = [[chunk(f"green {n}.{part}") for part in range(5)] for n in range(30)]

    async def change():
        for chunks in versions:
            await library.put(SHOP, chunks)

    changing = asyncio.create_task(change())
    seen = 0
    while not changing.done():
        rows = await library.worded(["green"], ALL, limit=9)
        assert len(rows) in (0, 5)
        seen += len(rows) == 5
        await asyncio.sleep(0)
    await changing
    assert seen


def _pages(number):
    return [chunk(" ".join(f"word{n}x{m}" for m in range(60)), "Shop FAQ") for n in range(number)]


async def _put_for_ever(library):
    for n in count():
        await library.put(replace(STAFF, source=f"{n % 9}.md"), [chunk(f"rota {n}")])


def _parts(db):
    ((parts,),) = db.execute("select count(distinct segid) from passage_words_idx")
    return parts


def _plain(document):
    return {name: getattr(document, name) for name in document.__dataclass_fields__}
