"""Cases, Alerts and Penalties; `bot.ports.cases` says what each method does."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

import aiosqlite

from bot.backends.sqlite.people import append
from bot.backends.sqlite.writer import Writer
from bot.ports.cases import Case, Recorded, State, StrikeRule, Timeout
from bot.ports.people import Record

COLUMNS = tuple(field.name for field in fields(Case))
NEW = tuple(name for name in COLUMNS if name not in ("id", "state", "alert"))
READ = f"select {', '.join(COLUMNS)} from cases"
OPEN = f"""insert into cases ({", ".join(NEW)}) values ({", ".join("?" * len(NEW))})
on conflict do nothing returning id"""
OLD = (
    "delete from strikes where at < ?",
    "delete from timeouts where until < ?",
    "delete from alerted where at < ?",
)
KNOWN = f"{READ} where event = ? and stage = ? and action = ?"
TOGETHER = f"""{READ} where closed is null and (id = ?1
  or alert = (select alert from cases where id = ?1)) order by id"""
CLOSE = "update cases set state = ?, closed = ?, person = '', message = '', evidence = ''"
STRIKES = """select count(*) from strikes where who = ?1
and at > max(?2, coalesce((select began from timeouts where who = ?1), 0))"""
SPELL = """insert into timeouts (who, began, until, spells) values (?1, ?2, ?2 + ?3, 1)
on conflict (who) do update set began = ?2, told = 0,
  spells = case when until < ?4 then 1 else spells + 1 end,
  until = ?2 + ?3 * (1 << case when until < ?4 then 0 else min(spells, 12) end)
returning until"""
UNTOLD = f"""{READ} where who = ?1 and alert is null and closed is null
and not exists (select 1 from alerted where who = ?1 and at > ?2) order by id desc"""


class SqliteCases:
    """What moderation has decided."""

    def __init__(self, writer: Writer, reader: aiosqlite.Connection) -> None:
        self._writer, self._reader = writer, reader

    # ---- Cases

    async def record(self, case: Case, rule: StrikeRule | None, note: Record) -> Recorded:
        """Write case, strike, time-out and the line of the audit log together."""

        def work(db: sqlite3.Connection) -> Recorded:
            values = asdict(case)
            row = db.execute(OPEN, [values[name] for name in NEW]).fetchone()
            if row is None:
                key = (case.event, case.stage, case.action)
                return Recorded(case=_case(db.execute(KNOWN, key).fetchone()), new=False)
            append(db, note)
            timeout = _strike(db, case, row[0], rule) if rule and rule.most else None
            return Recorded(case=replace(case, id=row[0]), new=True, timeout=timeout)

        return await self._writer.put(work)

    async def find(self, id: int) -> Case | None:
        """Read one."""
        rows = await self._reader.execute_fetchall(f"{READ} where id = ?", (id,))
        return next(map(_case, rows), None)

    async def appeal(self, id: int) -> bool:
        """Change its state."""
        sql = "update cases set state = 'appealed' where id = ? and state = 'open'"
        return bool(await self._writer.put(lambda db: db.execute(sql, (id,)).rowcount))

    async def close(self, id: int, state: State, note: Record) -> Sequence[Case]:
        """Close those that belong together."""

        def work(db: sqlite3.Connection) -> list[Case]:
            closed = [_case(row) for row in db.execute(TOGETHER, (id,))]
            for case in closed:
                db.execute(f"{CLOSE} where id = ?", (state, note.at, case.id))
                if state == "lifted":
                    _lift(db, case)
            if closed:
                append(db, _discreet(db, note, closed[0]))
            return closed

        return await self._writer.put(work)

    async def purge(self, *, now: float, open_s: float, strikes_s: float) -> int:
        """Close what nobody has decided; delete what has no more consequences."""
        sql = f"{CLOSE} where closed is null and at < ?"

        def work(db: sqlite3.Connection) -> int:
            for old in OLD:
                db.execute(old, (now - strikes_s,))
            return db.execute(sql, ("expired", now, now - open_s)).rowcount

        return await self._writer.put(work)

    # ---- Alerts

    async def waiting(self) -> Sequence[str]:
        """Read them from the open cases."""
        sql = "select distinct who from cases where alert is null and closed is null"
        return [who for (who,) in await self._reader.execute_fetchall(sql)]

    async def untold(self, who: str, *, after: float) -> Sequence[Case]:
        """Read them, unless the person's last alert is too young."""
        return [_case(row) for row in await self._reader.execute_fetchall(UNTOLD, (who, after))]

    async def told(self, cases: Sequence[Case], *, at: float) -> None:
        """Give them the number of the first."""
        marks = [(cases[-1].id, case.id) for case in cases]

        def work(db: sqlite3.Connection) -> None:
            db.execute("insert or replace into alerted values (?, ?)", (cases[0].who, at))
            db.executemany("update cases set alert = ? where id = ?", marks)

        await self._writer.put(work)

    # ---- Penalties

    async def timeouts(self, *, now: float) -> Mapping[str, Timeout]:
        """Read those that run."""
        rows = await self._reader.execute_fetchall(
            "select who, until, told from timeouts where until > ?", (now,)
        )
        return {who: Timeout(until=until, told=bool(told)) for who, until, told in rows}

    async def give(self, who: str, *, now: float, rule: StrikeRule) -> Timeout:
        """Write one."""
        return await self._writer.put(lambda db: _spell(db, who, now, rule))

    async def tell(self, who: str) -> None:
        """Change one."""
        sql = "update timeouts set told = 1 where who = ?"
        await self._writer.put(lambda db: db.execute(sql, (who,)).rowcount)

    async def since(self, now: float) -> float:
        """Read the fact, or make it."""

        def work(db: sqlite3.Connection) -> float:
            db.execute("insert or ignore into facts values ('moderates since', ?)", (now,))
            sql = "select value from facts where name = 'moderates since'"
            return float(db.execute(sql).fetchone()[0])

        return await self._writer.put(work)


def _discreet(db: sqlite3.Connection, note: Record, case: Case) -> Record:
    """Name nobody who was forgotten while their case was open."""
    gone = db.execute("select 1 from erased where who = ?", (case.who,)).fetchone()
    if gone is None:
        return note
    sql = "update cases set lane = '' where who = ? and closed is not null"
    db.execute(sql, (case.who,))
    return replace(note, subject=case.who, place="")


def _case(row: Sequence[Any]) -> Case:
    values = dict(zip(COLUMNS, row, strict=True))
    return Case(**{**values, "private": bool(values["private"])})


def _strike(db: sqlite3.Connection, case: Case, id: int, rule: StrikeRule) -> Timeout | None:
    db.execute("insert into strikes values (?, ?, ?)", (id, case.who, case.at))
    (count,) = db.execute(STRIKES, (case.who, case.at - rule.within_s)).fetchone()
    return _spell(db, case.who, case.at, rule) if count >= rule.most else None


def _spell(db: sqlite3.Connection, who: str, now: float, rule: StrikeRule) -> Timeout:
    values = (who, now, rule.timeout_s, now - rule.within_s)
    return Timeout(until=db.execute(SPELL, values).fetchone()[0])


def _lift(db: sqlite3.Connection, case: Case) -> None:
    gone = db.execute("delete from strikes where cause = ?", (case.id,)).rowcount
    if gone:
        sql = "update timeouts set until = began, spells = max(spells - 1, 0) where who = ?"
        db.execute(sql, (case.who,))
