"""What every store must do for the rights of people: tell, change, forget, and forget every byte."""

import asyncio
import random
import sqlite3
import time
from contextlib import closing
from dataclasses import replace

from bot.backends.sqlite import privacy
from bot.backends.sqlite.backup import back_up, restore
from bot.backends.sqlite.store import at_rest, opened
from bot.domain.budgets import Call, Spent, Tariff
from bot.domain.conversation import Conversation, Person
from bot.domain.events import Announced
from bot.domain.identity import who
from bot.domain.replies import Part, Receipt, Usage
from bot.ports.gaps import Gap
from bot.ports.handovers import Handover
from bot.ports.people import Record
from bot.ports.store import NewLine, Result
from tests.events import ANN, PLACE, command, message

BOB = Person(platform="fake", user="bob", name="CANARY-name")
ROOM = replace(PLACE, channel="room")
CANARY = b"CANARY"
LINE = "(memory, lane, event, message, role, person, name, text, size, at)"


def opens(folder):
    return opened(folder / "parley.db")


def files(folder):
    """Return how often a canary stands in each file of the data directory."""
    found = {
        path.name: path.read_bytes().count(CANARY) for path in folder.rglob("*") if path.is_file()
    }
    return {name: count for name, count in found.items() if count}


def written(text="CANARY-text", author=BOB, **changes):
    return message(text, author=author, private=False, **{"conversation": ROOM, **changes})


async def put(store, event, memory=str(ROOM)):
    return await store.lanes.ingest(event, lane=str(event.conversation), memory=memory)


async def exchange(store, text, answer, author=BOB, memory=str(ROOM)):
    """Let somebody be answered, as a turn does it."""
    await put(store, written(text, author), memory)
    (turn,) = await asyncio.wait_for(store.lanes.claim(1), 5)
    lines = (
        NewLine(role="user", text=text, person=str(author), name=author.name,
                message=turn.event.message),
        NewLine(role="assistant", text=answer),
    )  # fmt: skip
    await paid(store, author, turn.lane)
    receipt = Receipt((f"shown-{turn.id}",))
    assert await store.lanes.finish(turn, Result(lines=lines, receipt=receipt)) is None
    return turn


async def paid(store, author, lane):
    """Enter a call of 7 tokens for half a dollar."""
    call = Call(
        id=time.time_ns(), at=time.time(), who=who(str(author), await store.people.key("people")),
        lane=lane, purpose="answer", tariff=Tariff(model="m"), input=0, output=0,
    )  # fmt: skip
    usage = Usage(model="m", input_tokens=3, output_tokens=4)
    await store.ledger.settle(call, usage, Spent(tokens=7, usd=0.5, messages=1))


async def remembered(store, memory=str(ROOM)):
    rows = await store.records._reader.execute_fetchall(
        "select text from lines where memory = ? order by id", (memory,)
    )
    return [text for (text,) in rows]


def rows(folder, sql):
    with closing(sqlite3.connect(folder / "parley.db")) as db:
        return db.execute(sql).fetchall()


async def forget(store, person=BOB, **more):
    counts = await store.privacy.erase(str(person), at=5000.0, **more)
    return counts, await store.privacy.scour()


async def test_nothing_of_a_forgotten_person_is_left_in_any_file(tmp_path):
    async with opens(tmp_path) as store:
        for number in range(30):
            await exchange(store, f"CANARY-{number} " * 50, "You said CANARY " * 300)
        await exchange(store, "hello", "Ann", author=ANN, memory="ann's")
        await put(store, written("CANARY waits"))
        await store.lanes.schedule(
            written("CANARY later"), lane=str(ROOM), memory=str(ROOM), due=2e9
        )
        assert files(tmp_path)

        counts, complete = await forget(store)

        assert complete
        assert counts["lines"] == 60
        assert counts["waiting"] == counts["timers"] == 1
        assert files(tmp_path) == {}
        assert await remembered(store, "ann's") == ["hello", "Ann"]
    assert files(tmp_path) == {}


async def test_what_others_were_answered_with_these_words_in_sight_goes_too(tmp_path):
    async with opens(tmp_path) as store:
        await exchange(store, "first", "to Ann", author=ANN)
        await exchange(store, "CANARY", "to Bob")
        await exchange(store, "what did he say?", "He said CANARY", author=ANN)

        await forget(store)

        assert await remembered(store) == ["first", "to Ann", "what did he say?"]
    assert files(tmp_path) == {}


async def test_an_answer_that_is_being_written_with_these_words_in_sight_is_not_remembered(
    tmp_path,
):
    async with opens(tmp_path) as store:
        await exchange(store, "CANARY", "to Bob")
        await put(store, written("what did he say?", ANN))
        (turn,) = await store.lanes.claim(1)
        await store.lanes.save(turn, "admitted", {})
        await store.privacy.erase(str(BOB), at=5000.0)
        assert not await store.privacy.scour()
        await store.lanes.save(turn, "answered", {"text": "He said CANARY"})
        said = (NewLine(role="assistant", text="He said CANARY"),)
        await store.lanes.finish(turn, Result(lines=said))

        assert await store.privacy.scour()

        assert await remembered(store) == []
        assert files(tmp_path) == {}
    assert rows(tmp_path, "select * from erasures") == []


async def test_an_answer_that_has_just_begun_is_waited_for(tmp_path):
    async with opens(tmp_path) as store:
        await exchange(store, "CANARY", "to Bob")
        await put(store, written("what did he say?", ANN))
        (turn,) = await store.lanes.claim(1)
        await store.privacy.erase(str(BOB), at=5000.0)
        store.lanes.save(turn, "admitted", {}, along=True)
        assert not await store.privacy.scour()


async def test_a_running_answer_of_theirs_loses_its_words_at_once_and_ends_without_a_trace(
    tmp_path,
):
    async with opens(tmp_path) as store:
        await put(store, written("CANARY runs"))
        (turn,) = await store.lanes.claim(1)
        await store.lanes.save(turn, "admitted", {})
        await store.lanes.save(turn, "answered", {"text": "CANARY"})
        counts, complete = await forget(store)
        assert counts["waiting"] == 1
        assert not complete
        assert files(tmp_path) == {}
        await store.lanes.save(turn, "answered", {"text": "CANARY again"})
        assert files(tmp_path) == {}
        said = (NewLine(role="user", text="CANARY runs", person=str(BOB)),)
        again = await store.lanes.finish(turn, Result(lines=said, revision=turn.revision))
        assert again.steps == {"forgotten": True}
        assert again.event.text == again.event.author.name == ""
        assert (
            await store.lanes.finish(again, Result(outcome="declined", revision=again.revision))
            is None
        )
        assert await store.privacy.scour()
        assert await remembered(store) == []


async def test_what_rests_after_a_failure_comes_back_only_to_take_away_what_was_shown(tmp_path):
    async with opens(tmp_path) as store:
        await put(store, written("CANARY rests"))
        (turn,) = await store.lanes.claim(1)
        await store.lanes.save_part(turn, Part(index=0, id="shown"))
        await store.lanes.fail(turn, not_before=2e9)
    async with at_rest(tmp_path / "parley.db") as resting:
        privacy = resting.privacy
        assert await privacy.erase(str(BOB), at=5000.0) == {"waiting": 1}
        await privacy.scour()
    assert files(tmp_path) == {}
    async with opens(tmp_path) as store:
        (turn,) = store.lanes.waiting.turns(str(ROOM))
        assert turn.steps == {"forgotten": True}
        assert [part.id for part in turn.parts] == ["shown"]


async def test_beside_a_stopped_bot_what_waits_is_closed(tmp_path):
    async with opens(tmp_path) as store:
        await put(store, written("CANARY waits"))
    async with at_rest(tmp_path / "parley.db") as resting:
        privacy = resting.privacy
        await privacy.erase(str(BOB), at=5000.0)
        assert await privacy.scour()
    assert files(tmp_path) == {}
    async with opens(tmp_path) as store:
        assert store.lanes.count() == 0


async def test_letters_that_were_given_up_go(tmp_path):
    async with opens(tmp_path) as store:
        await put(store, written("CANARY dies"))
        (turn,) = await store.lanes.claim(1)
        await store.lanes.finish(turn, Result(outcome="dead", reason="gave up"))
        assert (await forget(store))[0] == {"letters": 1}
        assert await store.backlog.entries(limit=9) == []
    assert files(tmp_path) == {}


async def test_what_others_quote_of_them_goes_wherever_it_is_kept(tmp_path):
    def quoting():
        return written("and this?", ANN, quoted="CANARY", quoted_by=str(BOB))

    async with opens(tmp_path) as store:
        await put(store, quoting())
        (turn,) = await store.lanes.claim(1)
        await store.lanes.finish(turn, Result(outcome="dead", reason="gave up"))
        await store.lanes.schedule(quoting(), lane=str(ROOM), memory=str(ROOM), due=2e9)
        await put(store, quoting())
        assert "CANARY" not in str(await store.privacy.export(str(ANN)))

        assert (await forget(store))[1]

        assert files(tmp_path) == {}
        _, event = await store.backlog.find(turn.id)
        assert (event.words, event.quoted_by) == ("and this?", "")


async def test_what_is_about_to_be_said_to_the_staff_for_them_is_not_said(tmp_path):
    staff = replace(PLACE, channel="staff")
    asked = Handover(id=0, lane=str(ROOM), person=str(BOB), private=False, staff=str(staff),
                     at=1.0, heard=1.0)  # fmt: skip
    async with opens(tmp_path) as store:
        handover = await store.handovers.begin(asked, "CANARY asks", most=1)
        relay = Announced(id=f"relay:{handover.id}:1", at=1.0, conversation=staff, text="CANARY",
                          remembered=True, in_order=True)  # fmt: skip
        await store.lanes.ingest(relay, lane=str(staff), memory=str(staff))

        assert (await forget(store))[1]

        assert files(tmp_path) == {}
        (turn,) = await store.lanes.claim(1)
        assert (turn.event.text, turn.event.remembered) == ("", False)


async def test_a_person_who_is_blocked_and_forgotten_twice_stays_blocked_once(tmp_path):
    async with opens(tmp_path) as store:
        name = who(str(BOB), await store.people.key("people"))
        for _ in range(2):
            await store.people.give(str(BOB), "blocked", by=str(ANN))
            await forget(store)
        assert await store.people.given() == {name: "blocked"}


async def test_an_erasure_that_was_cut_short_is_finished_by_the_next_start(tmp_path):
    async with opens(tmp_path) as store:
        await exchange(store, "CANARY", "CANARY " * 2000)
        await store.privacy.erase(str(BOB), at=5000.0)
        assert files(tmp_path)
    async with opens(tmp_path):
        assert files(tmp_path) == {}
        assert rows(tmp_path, "select * from erasures") == []


async def test_copies_in_which_a_person_occurs_go_and_the_operator_is_told(tmp_path, caplog):
    stamp = "20260101T000000Z"
    theirs = [tmp_path / f"parley.db.{word}-{stamp}" for word in ("v2", "replaced")]
    others = tmp_path / f"parley.db.replaced-{stamp}-2"
    async with opens(tmp_path) as store:
        await exchange(store, "hello", "hi", author=ANN)
        back_up(tmp_path / "parley.db", tmp_path / "copy")
        (tmp_path / "copy").rename(others)
        await put(store, written("CANARY waits"))
        back_up(tmp_path / "parley.db", theirs[0])
        theirs[1].write_bytes(b"damaged, but of bob: CANARY")

        await forget(store)

        assert files(tmp_path) == {}
        assert others.exists()
        assert all(str(path) in caplog.text for path in theirs)
        assert str(others) not in caplog.text


async def test_forgetting_over_and_over_does_not_stop_a_bot_with_a_large_database(
    tmp_path, monkeypatch, caplog
):
    caplog.set_level("INFO")
    monkeypatch.setattr(privacy, "QUICK_S", 0.0)  # any database is large
    monkeypatch.setattr(privacy, "REST", 1e9)
    async with opens(tmp_path) as store:
        await exchange(store, "CANARY", "CANARY")
        assert (await forget(store))[1]
        await exchange(store, "CANARY", "CANARY")
        assert not (await forget(store))[1]
        assert caplog.text.count("was rebuilt") == 1
    async with opens(tmp_path):
        assert files(tmp_path) == {}


async def test_while_an_answer_rests_the_database_is_not_rebuilt_over_and_over(tmp_path, caplog):
    caplog.set_level("INFO")
    async with opens(tmp_path) as store:
        await put(store, written("hello", ANN))
        (turn,) = await store.lanes.claim(1)
        await store.lanes.save(turn, "admitted", {})
        await store.privacy.erase(str(BOB), at=5000.0)
        assert not await store.privacy.scour()
        assert not await store.privacy.scour()
        assert caplog.text.count("was rebuilt") == 1
        await store.lanes.finish(turn, Result())
        assert await store.privacy.scour()


async def test_what_was_paid_blocked_and_decided_stays_under_a_keyed_hash(tmp_path):
    other = f"{BOB}by"  # whose name begins with the other's
    async with opens(tmp_path) as store:
        await exchange(store, "hello", "hi")
        await store.people.give(str(BOB), "blocked", by=str(ANN))
        await store.people.give(other, "moderator", by=str(BOB))
        for subject in (str(BOB), other):
            await store.people.note(
                Record(
                    at=1.0, actor=str(ANN), action="block", subject=subject, details=f"of {subject}"
                )
            )
        name = who(str(BOB), await store.people.key("people"))

        await forget(store)

        assert dict(await store.people.given()) == {name: "blocked", other: "moderator"}
        assert rows(tmp_path, "select person, cost from ledger") == [(name, 0.5)]
        assert [(r.subject, r.details) for r in await store.people.records(limit=9)] == [
            (other, f"of {other}"), (name, f"of {name}"),
        ]  # fmt: skip
        assert await store.people.broken() == 0
        assert set(await store.privacy.erased()) == {name}


async def test_a_right_that_was_given_goes(tmp_path):
    async with opens(tmp_path) as store:
        await store.people.give(str(BOB), "member", by=str(ANN))
        await store.people.knock(str(BOB), "lane", valid_s=60)
        assert (await forget(store))[0] == {"rights": 1, "pairings": 1}
        assert await store.people.given() == {}


async def test_evidence_stays_only_while_its_case_is_open(tmp_path):
    async with opens(tmp_path) as store:
        name = who(str(BOB), await store.people.key("people"))
        case = ("e#0", 1.0, name, str(BOB), "lane", "m", 1, "inbound", "block", "", "CANARY")
        await store.writer.put(lambda db: db.execute(
            """insert into cases (event, at, who, person, lane, message, private, stage, action,
            findings, evidence) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""", case
        ).rowcount)  # fmt: skip
        await forget(store)
        assert rows(tmp_path, "select evidence, person from cases") == [("CANARY", str(BOB))]
        decided = Record(at=2.0, actor=str(ANN), action="lift", subject=str(BOB), place="lane")
        await store.cases.close(1, "lifted", decided)
        assert rows(tmp_path, "select evidence, person, lane from cases") == [("", "", "")]
        (line,) = await store.people.records(limit=1)
        assert (line.subject, line.place) == (name, "")


async def test_a_private_chat_that_bears_the_persons_id_does_not_give_them_away(tmp_path):
    chat = Conversation(platform=BOB.platform, channel=BOB.user)
    order = Record(at=1.0, actor=str(ANN), action="allow", place=str(chat), details=f"{chat}")
    async with opens(tmp_path) as store:
        await put(store, written("hello", conversation=chat), memory=str(chat))
        (turn,) = await store.lanes.claim(1)
        await paid(store, BOB, str(chat))
        await store.lanes.finish(turn, Result(receipt=Receipt(("shown",))))
        await store.records.override(str(chat), "model", "m")
        await store.people.note(order)
        await forget(store)
        assert await store.people.broken() == 0
        assert await store.records.overrides() == {}
    for table, column in (
        ("ledger", "lane"), ("answers", "lane"), ("audit", "place || details"),
    ):  # fmt: skip
        found = rows(tmp_path, f"select {column} from {table}")
        assert not [lane for (lane,) in found if str(BOB) in lane]


async def test_what_nobody_needs_any_more_is_deleted(tmp_path):
    day = 86400.0
    async with opens(tmp_path) as store:
        await store.privacy.notice("old", 0.0)
        await store.privacy.notice("new", 300 * day)
        await store.privacy.erase("fake::old", at=0.0)
        await store.people.knock(str(BOB), "lane", valid_s=60)
        await store.retention.purge(366 * day)
        assert set(await store.privacy.noticed()) == {"new"}
        assert await store.privacy.erased() == {}


async def test_what_was_asked_of_the_staff_is_not_kept_for_ever(tmp_path):
    day = 86400.0
    async with opens(tmp_path) as store:
        for number, heard in enumerate((0.0, 0.0, 80 * day)):
            asked = Handover(id=0, lane=f"lane {number}", person=str(BOB), private=False,
                             staff=str(PLACE), at=heard, heard=heard)  # fmt: skip
            await store.handovers.begin(asked, f"question {number}", most=9)
        await store.handovers.close(1)
        await store.retention.purge(91 * day)
    found = rows(tmp_path, "select id, state, question from handovers")
    assert found == [(2, "open", ""), (3, "open", "question 2")]


async def test_of_a_place_that_is_left_no_question_to_the_staff_stays(tmp_path):
    async with opens(tmp_path) as store:
        for place in (ROOM, PLACE):
            asked = Handover(id=0, lane=str(place), person=str(BOB), private=False,
                             staff="staff", at=1.0, heard=1.0)  # fmt: skip
            await store.handovers.begin(asked, f"in {place.channel}", most=9)
        await store.places.leave(ROOM, forget=True)
    assert rows(tmp_path, "select question from handovers order by id") == [("",), ("in C",)]


async def test_lines_expire_where_they_are_old_enough_and_nowhere_else(tmp_path):
    async with opens(tmp_path) as store:
        for memory in ("one", "two"):
            await exchange(store, memory, "answer", memory=memory)
        assert await store.retention.lanes() == [str(ROOM)]
        assert await store.retention.expire(["elsewhere"], time.time() + 1) == 0
        assert await store.retention.expire([str(ROOM)], time.time() - 60) == 0
        assert await store.retention.expire([str(ROOM)], time.time() + 1) == 4


async def test_a_memory_of_ones_own_keeps_nothing_of_its_persons_name(tmp_path):
    memory = f"{ROOM}|{BOB}"
    async with opens(tmp_path) as store:
        await exchange(store, "hello", "hi", memory=memory)
        await store.records.reset(memory)
        await exchange(store, "hello", "hi", memory=memory)
        asking = command("forget_me", author=BOB)
        turn = await store.lanes.ingest(asking, lane=str(ROOM), memory=memory)
        await forget(store, spare=turn.id)
        await store.lanes.finish(turn, Result())
    for table, column in (("lines", "memory"), ("memories", "key"), ("inbox", "memory")):
        found = rows(tmp_path, f"select {column} from {table}")
        assert not [name for (name,) in found if str(BOB) in name]


async def test_the_turn_that_asks_goes_on_without_a_name(tmp_path):
    asking = command("forget_me", "CANARY", author=BOB)
    async with opens(tmp_path) as store:
        turn = await store.lanes.ingest(asking, lane=str(ROOM), memory=str(ROOM))
        await store.lanes.save(turn, "admitted", {})
        _, complete = await forget(store, spare=turn.id)
        assert complete
        assert files(tmp_path) == {}
        await store.lanes.save(turn, "answered", "Done.")
    async with opens(tmp_path) as store:
        (again,) = store.lanes.waiting.turns(str(ROOM))
        assert again.steps == {"admitted": {}, "answered": "Done."}


async def test_forgetting_twice_or_somebody_unknown_changes_nothing(tmp_path):
    async with opens(tmp_path) as store:
        await exchange(store, "hello", "hi", author=ANN)
        assert await forget(store) == ({}, True)
        assert await forget(store) == ({}, True)
        assert await remembered(store) == ["hello", "hi"]


# ---- telling


async def test_everything_that_is_stored_of_a_person_is_told_and_nothing_of_others(tmp_path):
    async with opens(tmp_path) as store:
        await exchange(store, "mine", "to me")
        await exchange(store, "FOREIGN", "FOREIGN", author=ANN)
        await put(store, written("waits"))
        await store.people.give(str(BOB), "member", by=str(ANN))
        told = await store.privacy.export(str(BOB))
        assert [line["text"] for line in told["lines"]] == ["mine", "to me"]
        assert told["waiting"][0]["text"] == "waits"
        assert told["usage"][0]["cost"] == 0.5
        assert told["usage"][0]["at"].startswith("20")
        assert told["rights"][0]["role"] == "member"
        assert "FOREIGN" not in str(told)


async def test_the_way_back_to_a_person_is_not_told(tmp_path):
    async with opens(tmp_path) as store:
        event = command("export", author=BOB, reply_via="SECRET")
        await store.lanes.ingest(event, lane=str(ROOM), memory=str(ROOM))
        assert "SECRET" not in str(await store.privacy.export(str(BOB)))


async def test_of_a_stranger_nothing_is_told(tmp_path):
    async with opens(tmp_path) as store:
        assert await store.privacy.export("fake::nobody") == {}


async def test_after_forgetting_only_what_was_paid_and_that_it_happened_is_told(tmp_path):
    async with opens(tmp_path) as store:
        await exchange(store, "mine", "to me")
        await forget(store)
        assert set(await store.privacy.export(str(BOB))) == {"usage", "spent", "forgotten"}


# ---- changing


async def test_people_see_and_change_their_own_lines_only(tmp_path):
    memory = [str(ROOM)]
    async with opens(tmp_path) as store:
        await exchange(store, "mine", "to me")
        await exchange(store, "hers", "to her", author=ANN)
        own = await store.privacy.read(memory, str(BOB))
        assert [(line.role, line.text) for line in own] == [
            ("user", "mine"),
            ("assistant", "to me"),
        ]
        hers, _ = await store.privacy.read(memory, str(ANN))
        assert not await store.privacy.rewrite(hers.id, str(BOB), "stolen")
        assert not await store.privacy.rewrite(own[1].id, str(BOB), "put in its mouth")
        assert await store.privacy.rewrite(own[0].id, str(BOB), "mine, corrected")
        assert await store.privacy.delete([hers.id], str(BOB)) == 0
        assert await remembered(store) == ["mine, corrected", "to me", "hers", "to her"]
        assert await store.privacy.delete([own[1].id], str(BOB)) == 2
        assert await remembered(store) == ["hers", "to her"]


async def test_copies_that_pages_keep_of_rows_which_have_moved_are_gone_too(tmp_path):
    """Deleting alone leaves some in this very history: `secure_delete` knows nothing of them."""
    chance = random.Random(1)

    def text(person):
        word = "CANARY" if person == "fake::3" else "SIMPLE"
        return f"{word} of {person} " * chance.choice((1, 1, 2, 3, 10, 40, 300))

    def live(db):
        for number in range(4000):
            person = f"fake::{chance.randrange(20)}"
            sql = "insert into inbox (event, lane, memory, epoch, payload, at) values (?, ?, ?, 0, ?, 1)"
            (id,) = db.execute(f"{sql} returning id", (number, "l", "m", text(person))).fetchone()
            for _ in range(2):
                step = (id, "answered", text(person))
                db.execute("insert or replace into steps values (?, ?, ?)", step)
            if chance.random() < 0.9:
                db.execute("update inbox set payload = null, closed = 1 where id = ?", (id,))
                db.execute("delete from steps where turn = ?", (id,))
                line = (f"m{number % 50}", "l", number, "", "user", person, "", text(person), 1, 1)
                db.execute(f"insert into lines {LINE} values ({'?, ' * 9}?)", line)
            if chance.random() < 0.02:
                db.execute("delete from lines where memory = ?", (f"m{chance.randrange(50)}",))
        db.execute("delete from inbox where payload is not null")
        db.execute("delete from steps")

    async with opens(tmp_path) as store:
        await store.writer.put(live)
        await store.privacy.erase("fake::3", at=5000.0)
        assert await store.privacy.scour()
        assert files(tmp_path) == {}


async def test_who_is_forgotten_together_waits_for_nobody(tmp_path):
    people = [replace(BOB, user=f"bob{n}") for n in range(3)]
    async with opens(tmp_path) as store:
        for person in people:
            asking = command("forget_me", author=person)
            turn = await store.lanes.ingest(asking, lane=str(ROOM), memory=str(ROOM))
            await store.lanes.save(turn, "admitted", {})
            await store.privacy.erase(str(person), at=5000.0, spare=turn.id)
        assert await asyncio.gather(*(store.privacy.scour() for _ in people)) == [True] * 3


async def test_a_clock_that_is_ahead_keeps_nothing_out_that_is_written_later(tmp_path):
    async with opens(tmp_path) as store:
        await put(store, written("hello", at=1000.0))
        await store.privacy.erase(str(BOB), at=9000.0)
        assert list((await store.privacy.erased()).values()) == [1000.0]


async def test_a_backup_that_is_restored_brings_nobody_back(tmp_path):
    path, copy = tmp_path / "parley.db", tmp_path / "elsewhere"
    async with opens(tmp_path) as store:
        await exchange(store, "CANARY-said", "CANARY-answer", memory="own")
        await exchange(store, "words of ann", "an answer", author=ANN)
        back_up(path, copy)
        await forget(store)
        (tombstone,) = (await store.privacy.erased()).items()
    restore(copy, path)
    copy.unlink()
    async with opens(tmp_path) as store:
        assert dict([tombstone]) == await store.privacy.erased()
        assert await remembered(store) == ["words of ann", "an answer"]
    assert files(tmp_path) == {}


async def test_a_backup_brings_back_no_question_of_who_was_forgotten(tmp_path):
    path, copy = tmp_path / "parley.db", tmp_path / "elsewhere"
    async with opens(tmp_path) as store:
        gap = Gap(event="e", lane=str(ROOM), person=str(BOB), private=False, at=1000.0,
                  question="CANARY?")  # fmt: skip
        await store.gaps.note(gap)
        back_up(path, copy)
        await forget(store)
    restore(copy, path)
    copy.unlink()
    async with opens(tmp_path) as store:
        assert await store.gaps.open(limit=9) == []
    assert files(tmp_path) == {}


async def test_a_backup_goes_in_the_place_of_a_database_that_cannot_tell_who_was_forgotten(
    tmp_path,
):
    path, copy = tmp_path / "parley.db", tmp_path / "elsewhere"
    async with opens(tmp_path) as store:
        await exchange(store, "words of ann", "an answer", author=ANN)
        back_up(path, copy)
    path.write_bytes(path.read_bytes()[:4096] + b"x" * 4096)
    restore(copy, path)
    async with opens(tmp_path) as store:
        assert await remembered(store) == ["words of ann", "an answer"]
