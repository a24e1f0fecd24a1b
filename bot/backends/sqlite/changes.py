"""The SQL of what people do to messages that are stored already: edit, delete, write more.

Every function runs inside the writer's transaction and reads the rows as they are there, so that
what is queued before it counts.
"""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import orjson

from bot.backends.sqlite import rows
from bot.domain.attachments import unnoted
from bot.domain.events import MessageDeleted, MessageEdited, MessageReceived, from_plain, to_plain
from bot.domain.untrusted import roleless
from bot.ports.store import Turn

OPEN = """select id, payload from inbox where lane = ?1 and message = ?2 and payload is not null
order by id desc limit 1"""
HEAD = """select head.id, head.payload from inbox one join inbox head on head.id = one.merged
where one.lane = ?1 and one.message = ?2 and head.payload is not null"""
CHANGE = """update inbox set payload = ?, message = ?, revision = revision + 1 where id = ?
returning revision"""
MARK = "update inbox set revision = revision + 1 where id = ? returning revision"
FOLD = """update inbox set payload = null, state = 'done', closed = ?, merged = ?, message = ?
where id = ?"""
ASKED = """select event, memory, text, at from lines
where lane = ? and message = ? and message <> '' and role = 'user' order by id desc limit 1"""
SHOWN = """select message from answers where lane = ?1 and event = ?2
and at = (select max(at) from answers where lane = ?1 and event = ?2)
order by length(message), message"""
BEGAN = """select event from lines where lane = ?1 and role = 'user' and message <> '' and message =
  coalesce((select head.message from inbox one join inbox head on head.id = one.merged
            where one.lane = ?1 and one.message = ?2), ?2)
union select event from inbox where lane = ?1 and message = ?2 and payload is null"""
TAKEN_TOGETHER = "select 1 from inbox where merged = (select id from inbox where event = ?)"
LETTERS = """delete from letters where id in (select letters.id from letters join inbox using (id)
where lane = ? and message = ?)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """An open row as it is now; `event` None: all of its messages were deleted."""

    id: int
    revision: int
    event: MessageReceived | None


def _open(db: sqlite3.Connection, lane: str, message: str) -> tuple[int, MessageReceived] | None:
    values = (lane, message)
    row = db.execute(OPEN, values).fetchone() or db.execute(HEAD, values).fetchone()
    if row is None:
        return None
    event = from_plain(orjson.loads(row[1]))
    return (row[0], event) if isinstance(event, MessageReceived) else None


def write(db: sqlite3.Connection, id: int, event: MessageReceived) -> Changed:
    """Put another event into an open row."""
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
    return write(db, id, changed)


def _ask_anew(db: sqlite3.Connection, edit: MessageEdited, within: float) -> Turn | None:
    lane = str(edit.conversation)
    asked = db.execute(ASKED, (lane, edit.message)).fetchone()
    if asked is not None and asked[0].startswith(rows.HEARD):
        _say_anew(db, edit, asked[0])
        return None
    if asked is None or unnoted(asked[2]) == edit.text or time.time() - asked[3] > within:
        return None
    first, memory = asked[0], asked[1]
    if db.execute(TAKEN_TOGETHER, (first,)).fetchone():
        return None  # what the others said would be lost
    event = MessageReceived(
        id=edit.id, at=edit.at, conversation=edit.conversation, author=edit.author,
        text=edit.text, message=edit.message, addressed=True, private=edit.private,
        closed=edit.closed, replaces=first, edited=edit.at,
    )  # fmt: skip
    shown = [row[0] for row in db.execute(SHOWN, (lane, first))]
    return rows.insert(db, event, lane, memory, parts=shown)


def _say_anew(db: sqlite3.Connection, edit: MessageEdited, event: str) -> None:
    """Change a line that was overheard; it gets a new id, so that who keeps lines reads it."""
    sql = """delete from lines where event = ? and person = ?
    returning memory, lane, event, message, role, person, name, text, at"""
    for *by, text, at in db.execute(sql, (event, str(edit.author))).fetchall():
        files = text.removeprefix(unnoted(text)).lstrip("\n")
        changed = "\n\n".join(filter(None, (roleless(edit.text), files)))
        db.execute(rows.REMEMBER, (*by, changed, len(changed.encode()), at))


# ---- deletions


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What a deletion has done to the store."""

    changed: tuple[Changed, ...] = ()  # open rows
    forgotten: int = 0  # lines
    answers: Turn | None = None


def withdraw(db: sqlite3.Connection, deletion: MessageDeleted) -> Removed:
    """Mark open rows, take messages out of memory, collect the answers to take away."""
    lane = str(deletion.conversation)
    changed: list[Changed] = []
    shown: list[str] = []
    forgotten = 0
    for message in deletion.messages:
        found = _open(db, lane, message)
        if found is not None:
            changed.append(_shorten(db, *found, message))
        db.execute(LETTERS, (lane, message))
        for (event,) in db.execute(BEGAN, (lane, message)).fetchall():
            shown += [row[0] for row in db.execute(SHOWN, (lane, event))]
            forgotten += db.execute("delete from lines where event = ?", (event,)).rowcount
            db.execute("delete from answers where lane = ? and event = ?", (lane, event))
            db.execute("delete from gaps where event = ? and document is null", (event,))
        forgotten += _forget_answer(db, lane, message)
    answers = None
    if shown:
        answers = rows.insert(db, deletion, lane, lane, parts=shown)
    return Removed(changed=tuple(changed), forgotten=forgotten, answers=answers)


def _shorten(db: sqlite3.Connection, id: int, event: MessageReceived, message: str) -> Changed:
    rest = event.without(message)
    if rest is not None:
        return write(db, id, rest)
    return mark(db, id)


def mark(db: sqlite3.Connection, id: int) -> Changed:
    """Let an open row end without a trace, whoever has it; nobody knows yet whether it runs."""
    (revision,) = db.execute(MARK, (id,)).fetchone()
    db.execute(rows.KEEP_STEP, (id, "forgotten", "true"))
    return Changed(id=id, revision=revision, event=None)


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


def gather(
    db: sqlite3.Connection, turn: int, candidates: Sequence[int], *, album: str = ""
) -> tuple[Any, list[int]]:
    """Fold the next messages of the same person into a turn; returns its event and their ids.

    Of an album only its parts are, also from behind what others have said meanwhile.
    """
    sql = """select payload from inbox where id = ?1 and payload is not null
    and not exists (select 1 from steps where turn = ?1)"""
    events: list[tuple[int, MessageReceived]] = []
    for id in (turn, *candidates):
        row = db.execute(sql, (id,)).fetchone()
        event = from_plain(orjson.loads(row[0])) if row else None
        if album and getattr(event, "album", "") != album:
            continue
        if not isinstance(event, MessageReceived) or not _joins([e for _, e in events], event):
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


def _joins(before: Sequence[MessageReceived], event: MessageReceived) -> bool:
    """Tell whether one event can say who wrote all this, and whom it quotes."""
    if not before:
        return True
    quoted = {one.quoted_by for one in (*before, event) if one.quoted}
    same = event.author == before[0].author and len(quoted) < 2
    return same and not (event.replaces or before[0].replaces)


def _joined(events: Sequence[MessageReceived]) -> MessageReceived:
    first, last = events[0], events[-1]
    values = to_plain(last) | {
        "id": first.id,
        "at": max(event.at for event in events),
        "conversation": str(first.conversation),
        "addressed": any(event.addressed for event in events),
        "quoted": "\n".join(dict.fromkeys(event.quoted for event in events if event.quoted)),
        "quoted_by": next((event.quoted_by for event in events if event.quoted), ""),
        "attachments": [
            {**file, "message": file["message"] or event.message}
            for event in events
            for file in to_plain(event)["attachments"]
        ],
        "before": [*chain.from_iterable(map(_pairs, events[:-1])), *last.before],
    }
    whole = from_plain(values)
    if not isinstance(whole, MessageReceived):
        raise TypeError("messages make a message")
    return whole


def _pairs(event: MessageReceived) -> list[tuple[str, str]]:
    return [*event.before, (event.message, event.text)]
