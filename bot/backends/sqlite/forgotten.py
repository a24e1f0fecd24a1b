"""A backup knows nothing of who was forgotten after it was made: they are forgotten in it again.

The database that is replaced keeps a keyed hash of everybody who was forgotten. Whoever occurs in
the backup under such a hash is erased before the backup takes its place; the next start rebuilds
the file, so that no byte stays.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from bot.backends.sqlite import erasing, schema
from bot.domain.identity import who

KEY = "select value from facts where name = 'key people'"
ERASED = "select who, at from erased"
KEEP = "insert or replace into erased values (?, ?)"
NAMED = """select person from lines union select person from known_facts
union select person from gaps union select person from ledger union select person from cases
union select person from handovers union select person from pairings
union select subject from grants"""
WRITTEN = """select payload from inbox where payload is not null union all
select payload from letters union all select payload from timers"""


def forget_again(restored: Path, replaced: Path) -> int:
    """Erase from a restored file who was forgotten in the one that it replaces; returns how many.

    Files of another schema, or of another installation, know nothing of each other.
    """
    with closing(sqlite3.connect(replaced, isolation_level=None)) as db:
        key, erased = _known(db)
    with closing(sqlite3.connect(restored, isolation_level=None)) as db:
        own, before = _known(db)
        if not key or own not in (key, b""):
            return 0
        later = {name: at for name, at in erased.items() if before.get(name, -1.0) < at}
        if not later:
            return 0
        db.execute("pragma secure_delete=on")
        db.execute("begin immediate")
        again = [person for person in _people(db) if who(person, key) in later]
        for person in again:
            name = who(person, key)
            erasing.close(db, erasing.erase(db, person, name, at=later[name], spare=0).marked)
        db.execute("insert or ignore into facts values ('key people', ?)", (key,))
        db.executemany(KEEP, later.items())  # also for what a platform sends again
        db.execute("commit")
        return len(again)


def _known(db: sqlite3.Connection) -> tuple[bytes, Mapping[str, float]]:
    """Return the key and the hashes of the forgotten; neither of a file of another schema."""
    (version,) = db.execute("pragma user_version").fetchone()
    if version != schema.newest():
        return b"", {}
    row = db.execute(KEY).fetchone()
    return bytes(row[0]) if row else b"", dict(db.execute(ERASED).fetchall())


def _people(db: sqlite3.Connection) -> Iterator[str]:
    """Name everybody who occurs in a file."""
    named = {person for (person,) in db.execute(NAMED)}
    named |= {erasing.author_of(payload) for (payload,) in db.execute(WRITTEN)}
    yield from sorted(named - {""})
