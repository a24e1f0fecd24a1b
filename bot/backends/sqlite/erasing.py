"""The SQL of forgetting a person: one transaction, after which nothing of theirs can be read.

Lines go together with the answers to them, and with the answers that others were given later in the
same memory, since these were written with the lines in sight. Strikes, blocks, spent budget and the
audit log stay under a keyed hash; the evidence of an open case stays until that is closed, which
deletes it.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from bot.backends.sqlite import changes, gaps, people, rows
from bot.domain.events import Event, MessageReceived, from_plain, to_plain

BLANK: Mapping[str, Any] = {  # fields of events that hold what people wrote
    "text": "", "words": "", "quoted": "", "quoted_by": "", "attachments": (), "before": (),
    "remembered": False,
}  # fmt: skip
THEIRS = "select event from lines where person = ?"
RAISE = """insert into memories values (?, 1)
on conflict (key) do update set epoch = epoch + 1"""
# The platform's own time: this machine's clock may be ahead, and what is written next must come in.
NEWEST = """select max(at) from inbox where message <> '' and id <> :spare
and lane > :platform || ':' and lane < :platform || ';'"""
SEEN_BY_OTHERS = "delete from lines where memory = ? and role = 'assistant' and id > ?"
HANDED = """select inbox.id, inbox.lane, payload, revision
from inbox join handovers on handovers.person = ?1
where payload is not null and (event = 'handover:' || handovers.id
  or event glob 'relay:' || handovers.id || ':*'
  or (inbox.lane = handovers.lane and event glob 'answered:*'))"""
PENDING = """select 1 from inbox join erasures on inbox.id <= erasures.last
where payload is not null and inbox.id not in (select spare from erasures)
and exists (select 1 from steps where turn = inbox.id) limit 1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """An open message as it is now: theirs without words, others' without what they quoted."""

    lane: str
    id: int
    revision: int
    event: Event
    theirs: bool = True  # it is to end without a trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was deleted, and what is still open."""

    counts: dict[str, int]
    marked: tuple[Marked, ...]


def erase(db: sqlite3.Connection, person: str, name: str, *, at: float, spare: int) -> Erased:
    """Delete a person; `name` is their keyed hash."""
    (last,) = db.execute("select coalesce(max(id), 0) from inbox").fetchone()
    db.execute("insert or replace into erasures values (?, ?, ?, ?)", (person, at, last, spare))
    platform = person.partition(":")[0]
    (seen,) = db.execute(NEWEST, {"spare": spare, "platform": platform}).fetchone()
    until = at if seen is None else min(at, seen)
    db.execute("insert or replace into erased values (?, ?)", (name, until))
    marked = (
        *_mark_open(db, person, spare), *_unquote_open(db, person), *_blank_handovers(db, person)
    )  # fmt: skip
    _unquote_written(db, person)
    counts = {"waiting": sum(row.theirs for row in marked), "lines": _lines(db, person)}
    counts |= {table: _written(db, table, key, person) for table, key in WRITTEN.items()}
    names = {"person": person, "name": name}
    counts |= {what: db.execute(sql, names).rowcount for what, sql in DELETED.items()}
    counts["unanswered"] = gaps.forget(db, person)
    counts["usage"] = rename_usage(db, person, name)
    for sql in FOLLOWING:
        db.execute(sql, names)
    counts["decisions"] = _rename_audit(db, person, name)
    return Erased(counts={what: n for what, n in counts.items() if n}, marked=marked)


def author_of(payload: str) -> str:
    """Return who wrote a stored event, as `platform:workspace:user`; empty when nobody did."""
    return str(getattr(_read(payload), "author", None) or "")


WRITTEN = {"letters": "id", "timers": "event"}  # tables that hold whole events, and their key
DELETED = {
    "facts": "delete from known_facts where person = :person",
    "pairings": "delete from pairings where person = :person",
    "rights": "delete from grants where subject = :person and role <> 'blocked'",
    "handovers": "delete from handovers where person = :person",
}
# A private chat may bear the person's own id, as those of Telegram do.
THEIR_CHAT = "substr(lane, 1, length(:person) + 1) = :person || ':'"
FOLLOWING = (
    *(
        f"delete from {table} where {THEIR_CHAT}"
        for table in ("answers", "joined", "lines", "overrides", "traces")
    ),
    """update or replace spent set account = 'channel ' || :name
    where account = 'channel ' || :person""",
    f"update cases set lane = '' where closed is not null and {THEIR_CHAT}",
    "update or replace grants set subject = :name where subject = :person",
    "update grants set given_by = :name where given_by = :person",
    """update inbox set memory = substr(memory, 1, length(memory) - length(:person)) || :name
    where substr(memory, -length(:person) - 1) = '|' || :person""",
    "delete from memories where substr(key, -length(:person) - 1) = '|' || :person",
    "delete from noticed where substr(who, 1, length(:name)) = :name",
)


def close(db: sqlite3.Connection, marked: Sequence[Marked]) -> None:
    """Close what nobody runs, except where something was shown that is to be taken away."""
    for row in marked:
        if (
            row.theirs
            and not db.execute("select 1 from parts where turn = ?", (row.id,)).fetchone()
        ):
            rows.shut(db, row.id, "declined")


def rename_usage(db: sqlite3.Connection, person: str, name: str) -> int:
    """Keep what was paid, under the keyed hash."""
    names = {"person": person, "name": name}
    db.execute(f"update ledger set lane = '' where held = 0 and {THEIR_CHAT}", names)
    return db.execute("update ledger set person = :name where person = :person", names).rowcount


def _read(payload: str) -> Event | None:
    try:
        return from_plain(orjson.loads(payload))
    except (KeyError, TypeError, ValueError):  # of another version
        return None


def _mark_open(db: sqlite3.Connection, person: str, spare: int) -> Iterator[Marked]:
    """Take the words out of their open events; let their messages end without a trace."""
    sql = "select id, lane, payload from inbox where payload is not null order by id"
    for id, lane, payload in db.execute(sql).fetchall():
        if author_of(payload) != person:
            continue
        event = _blank(db, id, payload)
        if id != spare:
            db.execute("delete from steps where turn = ? and name <> 'forgotten'", (id,))
        if isinstance(event, MessageReceived):
            revision = changes.mark(db, id).revision
            yield Marked(lane=lane, id=id, revision=revision, event=event)


def _unquote_open(db: sqlite3.Connection, person: str) -> Iterator[Marked]:
    """Take their words out of open messages of others who quote them; these are answered anew."""
    sql = "select id, lane, payload from inbox where payload is not null and instr(payload, ?)"
    for id, lane, payload in db.execute(sql, (person,)).fetchall():
        event = _unquoted(payload, person)
        if event:
            revision = changes.write(db, id, event).revision
            yield Marked(lane=lane, id=id, revision=revision, event=event, theirs=False)


def _unquote_written(db: sqlite3.Connection, person: str) -> None:
    """Take their words out of what others wrote and may be answered later."""
    for table, key in WRITTEN.items():
        sql = f"select {key}, payload from {table} where instr(payload, ?)"
        for id, payload in db.execute(sql, (person,)).fetchall():
            event = _unquoted(payload, person)
            if event:
                changed = orjson.dumps(to_plain(event)).decode()
                db.execute(f"update {table} set payload = ? where {key} = ?", (changed, id))


def _unquoted(payload: str, person: str) -> MessageReceived | None:
    """Return a stored message without what it quotes of a person; None if it quotes nothing."""
    event = _read(payload)
    if isinstance(event, MessageReceived) and event.quoted_by == person:
        return replace(event, quoted="", quoted_by="")
    return None


def _blank(db: sqlite3.Connection, id: int, payload: str) -> Event:
    """Take the words out of an open event."""
    event = _without_words(orjson.loads(payload))
    changed = orjson.dumps(to_plain(event)).decode()
    db.execute("update inbox set payload = ? where id = ?", (changed, id))
    return event


def _blank_handovers(db: sqlite3.Connection, person: str) -> Iterator[Marked]:
    """Take their words out of what is about to be said to the staff for them, and back."""
    for id, lane, payload, revision in db.execute(HANDED, (person,)).fetchall():
        event = _blank(db, id, payload)
        yield Marked(lane=lane, id=id, revision=revision, event=event, theirs=False)


def _without_words(plain: dict[str, Any]) -> Event:
    event = from_plain(plain | {name: blank for name, blank in BLANK.items() if name in plain})
    author = getattr(event, "author", None)
    return replace(event, author=replace(author, name="", roles=())) if author else event


def _lines(db: sqlite3.Connection, person: str) -> int:
    sql = "select memory, min(id) from lines where person = ? group by memory"
    memories = db.execute(sql, (person,)).fetchall()
    for table in ("answers", "traces"):
        db.execute(f"delete from {table} where event in ({THEIRS})", (person,))
    deleted = db.execute(f"delete from lines where event in ({THEIRS})", (person,)).rowcount
    for memory, first in memories:
        deleted += db.execute(SEEN_BY_OTHERS, (memory, first)).rowcount
        db.execute(RAISE, (memory,))
    return deleted


def _written(db: sqlite3.Connection, table: str, key: str, person: str) -> int:
    """Delete the stored events of a person from one table."""
    events = db.execute(f"select {key}, payload from {table}").fetchall()
    theirs = [(id,) for id, payload in events if author_of(payload) == person]
    db.executemany(f"delete from {table} where {key} = ?", theirs)
    return len(theirs)


def _rename_audit(db: sqlite3.Connection, person: str, name: str) -> int:
    """Put the hash where the audit log names the person, and seal what follows anew."""
    sql = "select id, at, actor, action, subject, place, details, seal from audit order by id"
    whole = re.compile(rf"(?<![\w:%.-]){re.escape(person)}(?![\w%-])")
    renamed, before = 0, b""
    for id, *line, sealed in db.execute(sql).fetchall():
        now = [whole.sub(name, part) if isinstance(part, str) else part for part in line]
        if renamed or now != line:
            renamed += now != line
            before = people.seal(before, tuple(now))
            _write_audit(db, id, now, before)
        else:
            before = sealed
    return renamed


def _write_audit(db: sqlite3.Connection, id: int, line: Sequence[Any], seal: bytes) -> None:
    _, actor, _, subject, place, details = line
    sql = "update audit set actor = ?, subject = ?, place = ?, details = ?, seal = ? where id = ?"
    db.execute(sql, (actor, subject, place, details, seal, id))
