"""The SQL of what people do to messages that are stored already: edit, delete, write more.

Every function runs inside the writer's transaction and reads the rows as they are there, so that
what is queued before it counts.
"""

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from bot.backends.sqlite import rows
from bot.domain.events import MessageDeleted, MessageEdited, MessageReceived, from_plain, to_plain
from bot.ports.store import Turn

OPEN = """select id, payload, revision from inbox where payload is not null and lane = ?1 and
(message = ?2 or id = (select merged from inbox where lane = ?1 and message = ?2 and merged > 0))
order by id desc limit 1"""
CHANGE = """update inbox set payload = ?, message = ?, revision = revision + 1 where id = ?
returning revision"""
FOLD = """update inbox set payload = null, state = 'done', closed = ?, merged = ?, message = ?
where id = ?"""
ASKED = """select event, memory, text, at, name from lines
where lane = ? and message = ? and message <> '' and role = 'user' order by id desc limit 1"""
SHOWN = """select message from answers where lane = ?1 and event = ?2
and at = (select max(at) from answers where lane = ?1 and event = ?2)
order by length(message), message"""
BEGAN = """select distinct event from lines
where lane = ?1 and role = 'user' and message <> '' and message = coalesce(
  (select head.message from inbox one join inbox head on head.id = one.merged
   where one.lane = ?1 and one.message = ?2 and one.merged > 0), ?2)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """An open row as it is now; `event` None: all of its messages were deleted."""

    id: int
    revision: int
    event: MessageReceived | None


def _open(db: sqlite3.Connection, lane: str, message: str) -> tuple[int, MessageReceived] | None:
    row = db.execute(OPEN, (lane, message)).fetchone()
    if row is None:
        return None
    event = from_plain(orjson.loads(row[1]))
    return (row[0], event) if isinstance(event, MessageReceived) else None


def _write(db: sqlite3.Connection, id: int, event: MessageReceived) -> Changed:
    payload = orjson.dumps(to_plain(event)).decode()
    (revision,) = db.execute(CHANGE, (payload, event.message, id)).fetchone()
    return Changed(id=id, revision=revision, event=event)


# ---- edits


def amend(db: sqlite3.Connection, edit: MessageEdited, within: float) -> Changed | Turn | None:
    """Change an open row, or let an answered question be asked anew; None: nothing to do."""
    lane = str(edit.conversation)
    found = _open(db, lane, edit.message)
    if found is None:
        return _ask_anew(db, edit, within)
    id, event = found
    changed = event.with_text(edit.message, edit.text, edit.at)
    if edit.at < event.edited or changed.words == event.words:  # late, or told before
        return None
    return _write(db, id, changed)


def _ask_anew(db: sqlite3.Connection, edit: MessageEdited, within: float) -> Turn | None:
    lane = str(edit.conversation)
    asked = db.execute(ASKED, (lane, edit.message)).fetchone()
    if asked is None or asked[2] == edit.text or time.time() - asked[3] > within:
        return None
    first, memory = asked[0], asked[1]
    event = MessageReceived(
        id=edit.id, at=edit.at, conversation=edit.conversation, author=edit.author,
        text=edit.text, message=edit.message, addressed=True, private=edit.private,
        replaces=first, edited=edit.at,
    )  # fmt: skip
    shown = [row[0] for row in db.execute(SHOWN, (lane, first))]
    return rows.insert(db, event, lane, memory, parts=shown)


# ---- deletions


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What a deletion has done to the store."""

    changed: tuple[Changed, ...] = ()  # open rows
    forgotten: int = 0  # lines
    answers: Turn | None = None


def withdraw(
    db: sqlite3.Connection, deletion: MessageDeleted, running: Callable[[str], int]
) -> Removed:
    """Take messages out of the queue and out of memory; collect the answers to take away."""
    lane = str(deletion.conversation)
    changed: list[Changed] = []
    shown: list[str] = []
    forgotten = 0
    for message in deletion.messages:
        found = _open(db, lane, message)
        if found is not None:
            changed.append(_shorten(db, *found, message, running(lane)))
        for (event,) in db.execute(BEGAN, (lane, message)).fetchall():
            shown += [row[0] for row in db.execute(SHOWN, (lane, event))]
            forgotten += db.execute("delete from lines where event = ?", (event,)).rowcount
            db.execute("delete from answers where lane = ? and event = ?", (lane, event))
        forgotten += _forget_answer(db, lane, message)
    answers = None
    if shown:
        answers = rows.insert(db, deletion, lane, lane, parts=shown)
    return Removed(changed=tuple(changed), forgotten=forgotten, answers=answers)


def _shorten(
    db: sqlite3.Connection, id: int, event: MessageReceived, message: str, running: int
) -> Changed:
    rest = event.without(message)
    if rest is not None:
        return _write(db, id, rest)
    shown = db.execute("select 1 from parts where turn = ?", (id,)).fetchone()
    if id != running and not shown:
        rows.shut(db, id, "declined")
        return Changed(id=id, revision=0, event=None)
    changed = _write(db, id, event)
    db.execute(rows.KEEP_STEP, (id, "forgotten", "true"))
    return Changed(id=id, revision=changed.revision, event=None)


def _forget_answer(db: sqlite3.Connection, lane: str, message: str) -> int:
    """A deleted answer leaves the memory; what was asked stays."""
    row = db.execute(
        "delete from answers where lane = ? and message = ? returning event", (lane, message)
    ).fetchone()
    if row is None:
        return 0
    sql = "delete from lines where lane = ? and event = ? and role = 'assistant'"
    return db.execute(sql, (lane, row[0])).rowcount


# ---- several messages as one


def gather(db: sqlite3.Connection, turn: int, candidates: Sequence[int]) -> tuple[Any, list[int]]:
    """Fold the next messages of the same person into a turn; returns its event and their ids."""
    sql = "select payload from inbox where id = ? and payload is not null"
    events: list[tuple[int, MessageReceived]] = []
    for id in (turn, *candidates):
        row = db.execute(sql, (id,)).fetchone()
        event = from_plain(orjson.loads(row[0])) if row else None
        if not isinstance(event, MessageReceived) or (events and not _joins(events[0][1], event)):
            break
        events.append((id, event))
    if len(events) < 2:
        return None, []
    whole = _joined([event for _, event in events])
    now = time.time()
    # Each row keeps one of the messages, so that an edit or deletion of any finds the turn.
    for (id, _), (_, carried) in zip(events[1:], events, strict=False):
        db.execute(FOLD, (now, turn, carried.message, id))
    payload = orjson.dumps(to_plain(whole)).decode()
    db.execute(
        "update inbox set payload = ?, message = ? where id = ?", (payload, whole.message, turn)
    )
    return whole, [id for id, _ in events[1:]]


def _joins(first: MessageReceived, event: MessageReceived) -> bool:
    return event.author == first.author and not (event.replaces or first.replaces)


def _joined(events: Sequence[MessageReceived]) -> MessageReceived:
    first, last = events[0], events[-1]
    values = to_plain(last) | {
        "id": first.id,
        "at": first.at,
        "conversation": str(first.conversation),
        "addressed": any(event.addressed for event in events),
        "quoted": "\n".join(filter(None, (event.quoted for event in events))),
        "attachments": [name for event in events for name in event.attachments],
        "before": [(event.message, event.text) for event in events[:-1]],
    }
    whole = from_plain(values)
    if not isinstance(whole, MessageReceived):
        raise TypeError("messages make a message")
    return whole
