"""What a store of unanswered questions must keep, and for how long."""

from dataclasses import replace

import pytest

from bot.backends.sqlite.store import at_rest, opened
from bot.domain.conversation import Conversation
from bot.ports.gaps import Gap
from bot.ports.library import Chunk, Document
from tests.integration.conftest import stored

ZOE, BOB = "fake::zoe", "fake::bob"


@pytest.fixture
async def store(tmp_path):
    async with opened(tmp_path / "parley.db") as store:
        yield store


def gap(event="e1", person=ZOE, question="do you ship?", **changes):
    values = {"event": event, "lane": "fake:W:C:", "person": person, "private": False,
              "question": question, "at": 1000.0}  # fmt: skip
    return Gap(**{**values, **changes})


async def questions(store, limit=10):
    return [one.question for one in await store.gaps.open(limit=limit)]


async def answered(store, heading="CANARY cages", person=ZOE):
    """Answer one question under its own words."""
    await store.gaps.note(gap("c1", person, heading))
    chunk = Chunk(path=("Learned in chat", heading), text="Yes, we do.", tokens=4)
    document = Document(collection="learned", source="chat:1", title=heading, digest="d")
    id = await store.library.put(document, [chunk])
    (first, *_) = await store.gaps.open(limit=1)
    await store.gaps.close([first.id], heading=first.id, document=id)
    return id


async def test_the_newest_come_first_and_a_message_asks_once(store):
    await store.gaps.note(gap("e1", question="one?"))
    await store.gaps.note(gap("e2", question="two?", private=True))
    await store.gaps.note(gap("e1", question="one, really?"))
    assert await questions(store) == ["two?", "one, really?"]
    assert await questions(store, limit=1) == ["two?"]
    (two, one) = await store.gaps.open(limit=2)
    assert (two.private, one.private, one.person, one.at) == (True, False, ZOE, 1000.0)


async def test_of_a_channel_only_what_was_asked_in_it_or_also_in_its_threads_is_there(store):
    lanes = ("fake:W:C:", "fake:W:C:7", "fake:W:CC:", "fake:W:B:", "fake:WW:C:", "faker:W:C:")
    for number, lane in enumerate(lanes):
        await store.gaps.note(gap(f"e{number}", question=lane, lane=lane))
    await store.gaps.note(gap("e9", question="secret", private=True))
    place = Conversation(platform="fake", workspace="W", channel="C")

    async def found(place, **changes):
        return [one.question for one in await store.gaps.open(limit=2, within=place, **changes)]

    assert await found(place, threads=True) == ["fake:W:C:7", "fake:W:C:"]
    assert await found(place) == ["fake:W:C:"]
    thread = replace(place, thread="7")
    assert await found(thread, threads=True) == await found(thread) == ["fake:W:C:7"]


async def test_what_is_closed_or_dropped_is_gone(store, tmp_path):
    for event in ("e1", "e2", "e3"):
        await store.gaps.note(gap(event, question=event))
    await store.gaps.drop("e2")
    await store.gaps.close([one.id for one in await store.gaps.open(limit=1)])
    assert await questions(store) == ["e1"]
    assert stored(tmp_path, "select count(*) from gaps") == [(1,)]


async def test_of_an_answered_one_only_whose_words_they_were_stays(store, tmp_path):
    id = await answered(store)
    assert await questions(store) == []
    assert stored(tmp_path, "select person, question, lane, document from gaps") == [
        (ZOE, "", "", id)
    ]
    await store.gaps.drop("c1")
    await store.gaps.note(gap("c1"))
    await store.retention.purge(1e12)
    assert stored(tmp_path, "select person, question from gaps") == [(ZOE, "")]
    await store.library.remove(id)
    await store.retention.purge(1e12)
    assert stored(tmp_path, "select 1 from gaps") == []


@pytest.mark.parametrize("running", [True, False])
async def test_the_words_of_who_is_forgotten_go_from_above_an_answer_that_stays(running, tmp_path):
    path = tmp_path / "parley.db"
    async with opened(path) as store:
        id = await answered(store)
        await store.gaps.note(gap("e9", BOB, "what about bicycles?"))
        passages = [p for (p,) in stored(tmp_path, "select id from passages")]
        await store.library.embedded("e", dict.fromkeys(passages, (b"\0" * 8, b"\0" * 8)))
        if running:
            (above,) = await store.library.passages(passages, ["learned"])
            assert "canary" in above.name.lower()
            await store.privacy.erase(ZOE, at=2000.0)
            (above,) = await store.library.passages(passages, ["learned"])
            assert "canary" not in above.name.lower()
            assert await store.privacy.scour()
    if not running:
        async with at_rest(path) as resting:
            await resting.privacy.erase(ZOE, at=2000.0)
            assert await resting.privacy.scour()
    data = b"".join(file.read_bytes() for file in tmp_path.iterdir()).lower()
    assert b"canary" not in data
    assert b"zoe" not in data
    async with opened(path) as store:
        ((passage, _),) = await store.library.worded(["learned"], ["learned"], limit=9)
        (found,) = await store.library.passages([passage], ["learned"])
        assert (found.document, found.path, found.text) == (id, ("Learned in chat",), "Yes, we do.")
        assert await store.library.worded(["canary"], ["learned"], limit=9) == []
        assert (await store.library.progress("e")).embedded == 0
        assert await questions(store) == ["what about bicycles?"]


async def test_a_place_that_moves_takes_its_questions_along(store):
    await store.gaps.note(gap())
    old, new = (Conversation(platform="fake", workspace="W", channel=c) for c in "CD")
    await store.places.move(old, new)
    (moved,) = await store.gaps.open(limit=1)
    assert moved.lane == "fake:W:D:"
