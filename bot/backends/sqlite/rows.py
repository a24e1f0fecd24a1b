"""The SQL of a turn's two ends: what is read at boot, what one closing transaction writes."""

import logging
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from bot.backends.sqlite import accounts
from bot.domain.budgets import period_of
from bot.domain.conversation import Conversation
from bot.domain.events import Event, MessageReceived, from_plain, to_plain
from bot.domain.replies import Part
from bot.ports.store import NewLine, Result, Turn

log = logging.getLogger(__name__)
INSERT = """insert into inbox (event, lane, memory, epoch, message, payload, at)
values (?1, ?2, ?3, coalesce((select epoch from memories where key = ?3), 0), ?4, ?5, ?6)
on conflict do nothing returning id, epoch"""
CLOSE = """update inbox set state = ?1, payload = null, closed = ?2
where id = ?3 and payload is not null and (?4 is null or revision = ?4)"""
REMEMBER = """insert into lines (memory, lane, event, message, role, person, name, text, size, at)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
OPEN_ROWS = """select id, lane, memory, epoch, payload, attempts, not_before, revision from inbox
where payload is not null order by id"""
RENAME = "update inbox set lane = ?, memory = ?, payload = ? where id = ?"
KEEP_LETTER = """insert or replace into letters
select id, payload, ?1, ?2, ?3 from inbox where id = ?4 and payload is not null
and not exists (select 1 from steps where turn = ?4 and name = 'forgotten')"""
KEEP_STEP = """insert or replace into steps select ?1, ?2, ?3
where exists (select 1 from inbox where id = ?1 and payload is not null)
and not exists (select 1 from steps where turn = ?1 and name = 'forgotten')"""
COUNT_BEGUN = """update inbox set attempts = attempts + 1, started = 0,
not_before = case when attempts > 0 then ?1 + ?2 * (1 << min(attempts, 6)) else 0 end
where payload is not null and started = 1
  and not exists (select 1 from steps where turn = inbox.id and name = 'answered')"""
KEEP_TRACE = "insert or replace into traces values (?, ?, ?, ?)"
HEARD = "heard "  # before the event of a line that was not said to the bot
KNOWN_FOR = 7 * 86400.0  # seconds for which a redelivery is recognised
LETTERS_FOR = 30 * 86400.0  # seconds for which what was given up can be tried again
HANDLES_FOR = 90 * 86400.0  # seconds for which an answer can be found by its message
FIRST_PAUSE = 2.0  # seconds before the third attempt after kills; doubles with each


def insert(
    db: sqlite3.Connection, event: Event, lane: str, memory: str, *,
    parts: Sequence[str] = (), answered: Mapping[str, Any] | None = None,
) -> Turn | None:  # fmt: skip
    """Store an event; None when its id is known.

    `parts` are messages over which it will be answered, `answered` is what will be said.
    """
    message = getattr(event, "message", "")
    payload = orjson.dumps(to_plain(event)).decode()
    row = db.execute(INSERT, (event.id, lane, memory, message, payload, event.at)).fetchone()
    if row is None:
        return None
    now = time.time()
    shown = [(row[0], index, 0, "", id, now) for index, id in enumerate(parts)]
    db.executemany("insert into parts values (?, ?, ?, ?, ?, ?)", shown)
    known = tuple(Part(index=index, id=id, at=now) for index, id in enumerate(parts))
    steps = {} if answered is None else {"answered": answered}
    if answered is not None:
        db.execute(KEEP_STEP, (row[0], "answered", orjson.dumps(answered).decode()))
    return Turn(
        id=row[0],
        lane=lane,
        memory=memory,
        epoch=row[1],
        event=event,
        parts=known,
        steps=steps,
    )


def close(db: sqlite3.Connection, turn: Turn, result: Result) -> Turn | None:
    """Write the row's end, history (if its epoch still holds) and message handles.

    Nothing is written when the event has changed since: the turn is returned as it is now.
    """
    now = time.time()
    if result.outcome == "dead":
        db.execute(KEEP_LETTER, (result.reason, turn.attempts, now, turn.id))
    closed = db.execute(CLOSE, (result.outcome, now, turn.id, result.revision)).rowcount
    if not closed:
        return reread(db, turn)
    db.execute("delete from steps where turn = ?", (turn.id,))
    db.execute("delete from parts where turn = ?", (turn.id,))
    lane, memory = home(db, turn)
    event = getattr(turn.event, "replaces", "")
    if event:
        db.execute("delete from lines where memory = ? and event = ?", (memory, event))
    if getattr(turn.event, "edited", 0.0):  # over the same messages, some of which may be gone
        db.execute("delete from answers where lane = ? and event = ?", (lane, event))
    event = event or turn.event.id
    _remember(db, turn, result, (memory, lane, event), now)
    handles = [(lane, id, event, now) for id in result.receipt.messages]
    db.executemany("insert or replace into answers values (?, ?, ?, ?)", handles)
    if result.trace:
        db.execute(KEEP_TRACE, (event, lane, now, orjson.dumps(result.trace).decode()))
    if turn.event.conversation.thread and result.receipt.messages:
        db.execute("insert or ignore into joined values (?)", (lane,))
    return None


def _remember(
    db: sqlite3.Connection, turn: Turn, result: Result, place: tuple[str, str, str], now: float
) -> None:
    """Write lines into the memory of a place, if nobody has begun that anew since."""
    row = db.execute("select epoch from memories where key = ?", place[:1]).fetchone()
    if (row[0] if row else 0) != turn.epoch:
        return
    for line in result.lines:
        by = (line.message, line.role, line.person)
        db.execute(REMEMBER, (*place, *by, line.name, line.text, len(line.text.encode()), now))


def overhear(
    db: sqlite3.Connection, event: MessageReceived, line: NewLine, place: tuple[str, str]
) -> bool:
    """Write a line that no turn has asked for; its row is closed from the beginning."""
    memory, lane = place
    known = "select 1 from lines where event = ?"  # its row may be gone before its words are
    if db.execute(known, (HEARD + event.id,)).fetchone():
        return False
    values = (event.id, lane, memory, event.message, None, event.at)
    row = db.execute(INSERT, values).fetchone()
    if row is None:
        return False
    now = time.time()
    db.execute("update inbox set state = 'done', closed = ? where id = ?", (now, row[0]))
    by = (HEARD + event.id, line.message, line.role, line.person, line.name)
    db.execute(REMEMBER, (memory, lane, *by, line.text, len(line.text.encode()), now))
    return True


def shut(db: sqlite3.Connection, id: int, outcome: str) -> None:
    """Close a row that nobody runs."""
    db.execute(CLOSE, (outcome, time.time(), id, None))
    db.execute("delete from steps where turn = ?", (id,))
    db.execute("delete from parts where turn = ?", (id,))


def reread(db: sqlite3.Connection, turn: Turn) -> Turn | None:
    """Return a turn as it is now, under its present name; None when it is closed."""
    row = db.execute(
        "select payload, revision from inbox where id = ? and payload is not null", (turn.id,)
    ).fetchone()
    if row is None:  # closed before, by a write whose outcome was not heard
        return None
    steps, parts = journal(db, turn.id)
    lane, memory = home(db, turn)
    event = from_plain(orjson.loads(row[0]))
    if lane != turn.lane:  # what was shown under the old name cannot be changed under the new one
        event, parts = replace(event, conversation=Conversation.parse(lane)), ()
        db.execute("delete from parts where turn = ?", (turn.id,))
        payload = orjson.dumps(to_plain(event)).decode()
        db.execute(RENAME, (lane, memory, payload, turn.id))
    return replace(
        turn, lane=lane, memory=memory, event=event, revision=row[1], steps=steps, parts=parts,
        resumed=True,
    )  # fmt: skip


def home(db: sqlite3.Connection, turn: Turn) -> tuple[str, str]:
    """Return lane and memory of a turn by their present names."""
    row = db.execute("select moved from moves where lane = ?", (turn.lane,)).fetchone()
    if row is None:
        return turn.lane, turn.memory
    return row[0], row[0] + turn.memory.removeprefix(turn.lane)


def unfinished(db: sqlite3.Connection) -> list[tuple[Turn, float]]:
    """Count the attempts that had begun; return all open turns and when each may run."""
    db.execute("begin immediate")
    now = time.time()
    db.execute(COUNT_BEGUN, (now, FIRST_PAUSE / 2))
    accounts.settle_left(db, period_of(now, "day"))
    tidy(db)
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
            shut(db, row[0], "dead")
    return turns


def tidy(db: sqlite3.Connection) -> None:
    """Delete what was kept for a while only."""
    now = time.time()
    db.execute(
        "delete from inbox where closed < ? and id not in (select id from letters)",
        (now - KNOWN_FOR,),
    )
    db.execute("delete from answers where at < ?", (now - HANDLES_FOR,))
    db.execute("delete from letters where at < ?", (now - LETTERS_FOR,))


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
    id, lane, memory, epoch, payload, attempts, _, revision = row
    return Turn(
        id=id,
        lane=lane,
        memory=memory,
        epoch=epoch,
        event=from_plain(orjson.loads(payload)),
        attempts=attempts,
        revision=revision,
        resumed=True,
        steps=steps,
        parts=parts,
    )
