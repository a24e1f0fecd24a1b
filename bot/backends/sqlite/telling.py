"""The SQL of telling a person what is stored about them."""

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from bot.backends.sqlite import erasing

UNTOLD = ("reply_via", "quoted", "quoted_by")  # fields that open a door, and others' words
TIMES = ("at", "until", "closed", "heard")
TOLD: Mapping[str, str] = {
    "lines": """select lane, role, name, text, at from lines
        where event in (select event from lines where person = :person) order by id""",
    "summaries": """select text, at from summaries where memory in
        (select memory from lines where person = :person) and not exists
        (select 1 from lines where lines.memory = summaries.memory and role = 'user'
         and person <> :person)""",
    "facts": "select lane, text, at from known_facts where person = :person order by id",
    "unanswered": """select lane, question, at from gaps
        where person = :person and document is null order by id""",
    "usage": """select at, lane, model, purpose, input, output, cost from ledger
        where person in (:person, :name) order by id""",
    "spent": """select account, day, tokens, usd, messages from spent
        where account = 'person ' || :name""",
    "rights": "select role, given_by, at from grants where subject in (:person, :name)",
    "pairing": "select code, lane, at from pairings where person = :person",
    "cases": """select at, lane, stage, action, findings, evidence, state from cases
        where who = :name order by id""",
    "strikes": "select at from strikes where who = :name",
    "timeouts": "select until from timeouts where who = :name",
    "handovers": "select lane, question, state, at, heard from handovers where person = :person",
    "decisions": """select at, action, place, details from audit
        where actor in (:person, :name) or subject in (:person, :name) order by id""",
    "noticed": "select at from noticed where substr(who, 1, length(:name)) = :name",
    "forgotten": "select at from erased where who = :name",
}
WRITTEN: Mapping[str, str] = {
    "waiting": "select payload from inbox where payload is not null order by id",
    "given_up": "select payload from letters order by id",
    "timers": "select payload from timers order by due",
}


def tell(db: sqlite3.Connection, person: str, name: str) -> dict[str, Any]:
    """Return everything by kind, without what is empty; `name` is the person's keyed hash."""
    told: dict[str, Any] = {}
    for what, sql in TOLD.items():
        cursor = db.execute(sql, {"person": person, "name": name})
        told[what] = _rows(cursor)
    for what, sql in WRITTEN.items():
        payloads = [payload for (payload,) in db.execute(sql)]
        told[what] = [_event(p) for p in payloads if erasing.author_of(p) == person]
    return {what: rows for what, rows in told.items() if rows}


def _rows(cursor: sqlite3.Cursor) -> list[dict[str, Any]]:
    columns = [column for column, *_ in cursor.description]
    return [
        {column: _plain(column, value) for column, value in zip(columns, row, strict=True)}
        for row in cursor
    ]


def _event(payload: str) -> dict[str, Any]:
    plain = orjson.loads(payload)
    return {
        field: _plain(field, value)
        for field, value in plain.items()
        if field not in UNTOLD and value not in ("", None, [], False)
    }


def _plain(field: str, value: Any) -> Any:
    """Write times for people."""
    if field not in TIMES or not value:
        return value
    return datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds")
