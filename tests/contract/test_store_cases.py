"""Cases, strikes and time-outs: what every store must do."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from bot.backends.sqlite.store import opened
from bot.ports.cases import Case, StrikeRule, Timeout
from bot.ports.people import Record

CASE = Case(event="e1#0", stage="inbound", at=1000.0, who="hash", person="fake::ann", lane="lane",
            message="m", private=True, action="block", findings="hate 0.90", evidence="CANARY")  # fmt: skip
NOTE = Record(at=1000.0, actor="parley", action="moderation.block")
RULE = StrikeRule(most=2, within_s=100.0, timeout_s=60.0)


@pytest.fixture
async def store(tmp_path):
    async with opened(tmp_path / "parley.db") as made:
        yield made


def number(n, **changes):
    return replace(CASE, event=f"e{n}#0", at=1000.0 + n, **changes)


async def test_a_decision_is_recorded_once_however_often_it_is_made(store):
    first = await store.cases.record(CASE, RULE, NOTE)
    again = await store.cases.record(CASE, RULE, NOTE)

    assert (first.new, again.new, first.case.id) == (True, False, again.case.id)
    assert len(await store.people.records(limit=9)) == 1
    assert await store.people.broken() == 0
    assert (await store.cases.record(number(2), RULE, NOTE)).timeout is not None


async def test_strikes_that_are_old_do_not_count(store):
    assert (await store.cases.record(number(1), RULE, NOTE)).timeout is None
    assert (await store.cases.record(number(102), RULE, NOTE)).timeout is None
    assert (await store.cases.record(number(103), RULE, NOTE)).timeout == Timeout(until=1163.0)


async def test_time_outs_double_and_begin_small_again_after_a_good_while(store):
    spells = []
    for n in (1, 2, 70, 71, 400, 401):
        recorded = await store.cases.record(number(n), RULE, NOTE)
        spells += [recorded.timeout.until - recorded.case.at] if recorded.timeout else []

    assert spells == [60.0, 120.0, 60.0]


async def test_only_time_outs_that_run_are_read_and_telling_is_kept(store):
    await store.cases.give("hash", now=1000.0, rule=RULE)
    assert await store.cases.timeouts(now=1059.0) == {"hash": Timeout(until=1060.0)}
    await store.cases.tell("hash")
    assert await store.cases.timeouts(now=1059.0) == {"hash": Timeout(until=1060.0, told=True)}
    assert await store.cases.timeouts(now=1060.0) == {}


async def test_a_closed_case_keeps_neither_the_person_nor_their_words(store, tmp_path):
    id = (await store.cases.record(CASE, None, NOTE)).case.id
    (closed,) = await store.cases.close(id, "upheld", NOTE)

    assert (closed.person, closed.evidence) == ("fake::ann", "CANARY")
    assert await store.cases.close(id, "lifted", NOTE) == []
    assert not await store.cases.appeal(id)
    case = await store.cases.find(id)
    assert (case.state, case.person, case.message, case.evidence) == ("upheld", "", "", "")
    with closing(sqlite3.connect(tmp_path / "parley.db")) as db:
        db.execute("pragma wal_checkpoint(truncate)")
    assert b"CANARY" not in (tmp_path / "parley.db").read_bytes()


async def test_a_lift_takes_the_strike_and_its_time_out_back(store):
    cases = [(await store.cases.record(number(n), RULE, NOTE)).case for n in (1, 2)]
    await store.cases.close(cases[1].id, "lifted", NOTE)

    assert await store.cases.timeouts(now=1003.0) == {}


async def test_an_appeal_is_made_once(store):
    id = (await store.cases.record(CASE, None, NOTE)).case.id

    assert [await store.cases.appeal(id) for _ in range(2)] == [True, False]
    assert (await store.cases.find(id)).state == "appealed"


async def test_cases_of_a_person_wait_for_their_alert_and_close_together(store):
    for n in range(3):
        await store.cases.record(number(n), None, NOTE)
    other = (await store.cases.record(number(9, who="other"), None, NOTE)).case
    assert sorted(await store.cases.waiting()) == ["hash", "other"]
    cases = await store.cases.untold("hash", after=500.0)
    await store.cases.told(cases, at=1000.0)
    await store.cases.record(number(4), None, NOTE)

    assert [case.id for case in cases] == sorted((case.id for case in cases), reverse=True)
    assert await store.cases.untold("hash", after=999.0) == []
    assert len(await store.cases.untold("hash", after=1000.0)) == 1
    assert len(await store.cases.close(cases[0].id, "upheld", NOTE)) == 3
    assert len(await store.cases.close(other.id, "upheld", NOTE)) == 1


async def test_what_nobody_decides_expires(store):
    old = (await store.cases.record(number(1), None, NOTE)).case
    await store.cases.record(number(50), None, NOTE)

    assert await store.cases.purge(now=2040.0, open_s=1000.0, strikes_s=900.0) == 1
    assert (await store.cases.find(old.id)).state == "expired"
    assert (await store.cases.find(old.id)).evidence == ""


async def test_strikes_and_time_outs_without_consequences_are_deleted(store, tmp_path):
    for n in (1, 2, 500):
        await store.cases.record(number(n), RULE, NOTE)
    await store.cases.purge(now=1700.0, open_s=9e9, strikes_s=600.0)
    with closing(sqlite3.connect(tmp_path / "parley.db")) as db:
        assert db.execute("select at from strikes").fetchall() == [(1500.0,)]
        assert db.execute("select count(*) from timeouts").fetchone() == (0,)


async def test_since_when_an_installation_moderates_does_not_change(store):
    assert [await store.cases.since(now) for now in (5.0, 9.0)] == [5.0, 5.0]
