"""The SQL of a turn's two ends: what is read at boot, what one closing transaction writes."""

import logging
import sqlite3
import time
from collections.abc import Sequence
from typing import Any

import orjson

from bot.domain.events import from_plain
from bot.domain.replies import Part
from bot.ports.store import Result, Turn

log = logging.getLogger(__name__)
CLOSE = "update inbox set state = ?, payload = null, closed = ? where id = ?"
REMEMBER = """insert into lines (memory, lane, event, message, role, person, name, text, size, at)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
OPEN_ROWS = """select id, lane, memory, epoch, payload, attempts, not_before from inbox
where payload is not null order by id"""
KEEP_LETTER = """insert or replace into letters
select id, payload, ?1, ?2, ?3 from inbox where id = ?4 and payload is not null"""
KEEP_STEP = """insert or replace into steps select ?1, ?2, ?3
where exists (select 1 from inbox where id = ?1 and payload is not null)"""
WAITING = """select id, payload from inbox
where lane = ? and message = ? and payload is not null and id <> ? order by id desc limit 1"""
COUNT_BEGUN = """update inbox set attempts = attempts + 1, started = 0,
not_before = case when attempts > 0 then ?1 + ?2 * (1 << min(attempts, 6)) else 0 end
where payload is not null and started = 1
  and not exists (select 1 from steps where turn = inbox.id and name = 'answered')"""
KNOWN_FOR = 7 * 86400.0  # seconds for which a redelivery is recognised
LETTERS_FOR = 30 * 86400.0  # seconds for which what was given up can be tried again
HANDLES_FOR = 90 * 86400.0  # seconds for which an answer can be found by its message
FORGET = """delete from lines where event in
(select event from lines where lane = ? and message = ?)"""
FIRST_PAUSE = 2.0  # seconds before the third attempt after kills; doubles with each


def close(db: sqlite3.Connection, turn: Turn, result: Result) -> None:
    """Write the row's end, history (if its epoch still holds) and message handles."""
    now = time.time()
    if result.outcome == "dead":
        db.execute(KEEP_LETTER, (result.reason, turn.attempts, now, turn.id))
    db.execute(CLOSE, (result.outcome, now, turn.id))
    db.execute("delete from steps where turn = ?", (turn.id,))
    db.execute("delete from parts where turn = ?", (turn.id,))
    replaced = getattr(turn.event, "replaces", "")
    if replaced:
        db.execute("delete from lines where memory = ? and event = ?", (turn.memory, replaced))
    row = db.execute("select epoch from memories where key = ?", (turn.memory,)).fetchone()
    if (row[0] if row else 0) == turn.epoch:
        event = replaced or turn.event.id
        for line in result.lines:
            place = (turn.memory, turn.lane, event, line.message, line.role, line.person)
            size = len(line.text.encode())
            db.execute(REMEMBER, (*place, line.name, line.text, size, now))
    handles = [(turn.lane, id, turn.event.id, now) for id in result.receipt.messages]
    db.executemany("insert or replace into answers values (?, ?, ?, ?)", handles)
    if turn.event.conversation.thread and result.receipt.messages:
        db.execute("insert or ignore into joined values (?)", (turn.lane,))


def unfinished(db: sqlite3.Connection) -> list[tuple[Turn, float]]:
    """Count the attempts that had begun; return all open turns and when each may run."""
    db.execute("begin immediate")
    now = time.time()
    db.execute(COUNT_BEGUN, (now, FIRST_PAUSE / 2))
    db.execute("delete from inbox where closed < ?", (now - KNOWN_FOR,))
    db.execute("delete from answers where at < ?", (now - HANDLES_FOR,))
    db.execute("delete from letters where at < ?", (now - LETTERS_FOR,))
    db.execute("commit")
    steps: dict[int, dict[str, Any]] = {}
    for turn, name, value in db.execute("select turn, name, value from steps"):
        steps.setdefault(turn, {})[name] = orjson.loads(value)
    parts: dict[int, list[Part]] = {}
    sql = "select turn, part, ending, digest, id, at from parts order by part"
    for turn, *part in db.execute(sql):
        parts.setdefault(turn, []).append(_part(part))
    turns = []
    for row in db.execute(OPEN_ROWS).fetchall():
        try:
            turn = _turn(row, steps.get(row[0], {}), tuple(parts.get(row[0], ())))
            turns.append((turn, row[6]))
        except (KeyError, TypeError, ValueError) as error:
            log.error("row %s cannot be read and is given up: %r", row[0], error)  # noqa: TRY400
            db.execute(CLOSE, ("dead", now, row[0]))
    return turns


def amend(db: sqlite3.Connection, lane: str, message: str, text: str, running: int) -> int | None:
    """Change the text of a waiting message; returns its id, or None when it waits no more."""
    row = db.execute(WAITING, (lane, message, running)).fetchone()
    if row is None:
        return None
    payload = orjson.dumps({**orjson.loads(row[1]), "text": text}).decode()
    db.execute("update inbox set payload = ? where id = ?", (payload, row[0]))
    return int(row[0])


def withdraw(
    db: sqlite3.Connection, lane: str, messages: Sequence[str], running: int
) -> tuple[set[int], int]:
    """Close waiting messages and forget the exchanges of others; returns ids and lines."""
    closed: set[int] = set()
    forgotten = 0
    for message in messages:
        for id, _ in db.execute(WAITING, (lane, message, running)).fetchall():
            closed.add(id)
            db.execute(CLOSE, ("declined", time.time(), id))
            db.execute("delete from steps where turn = ?", (id,))
            db.execute("delete from parts where turn = ?", (id,))
        forgotten += db.execute(FORGET, (lane, message)).rowcount
    return closed, forgotten


def journal(db: sqlite3.Connection, turn: int) -> tuple[dict[str, Any], tuple[Part, ...]]:
    """Read what one turn has journaled."""
    steps = db.execute("select name, value from steps where turn = ?", (turn,))
    journaled = {name: orjson.loads(value) for name, value in steps}
    parts = db.execute(
        "select part, ending, digest, id, at from parts where turn = ? order by part", (turn,)
    )
    return journaled, tuple(_part(part) for part in parts)


def _part(row: Sequence[Any]) -> Part:
    return Part(index=row[0], end=row[1], digest=row[2], id=row[3], at=row[4])


def _turn(row: Sequence[Any], steps: dict[str, Any], parts: tuple[Part, ...]) -> Turn:
    id, lane, memory, epoch, payload, attempts, _ = row
    return Turn(
        id=id,
        lane=lane,
        memory=memory,
        epoch=epoch,
        event=from_plain(orjson.loads(payload)),
        attempts=attempts,
        resumed=True,
        steps=steps,
        parts=parts,
    )
