"""Rights, pairing codes, keys and the audit log; `bot.ports.people` says what each method does."""

import hashlib
import secrets
import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import cast

import aiosqlite

from bot.backends.sqlite.writer import Writer
from bot.domain.permissions import Role
from bot.ports.people import Knock, Record

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that is read as something else
CODE_LENGTH = 8
MOST_KNOCKS = 100  # strangers who wait at a time
NOTE = """insert into audit (at, actor, action, subject, place, details, seal)
values (?, ?, ?, ?, ?, ?, ?)"""


class SqlitePeople:
    """Grants, Pairings, Audit and Keys."""

    def __init__(self, writer: Writer, reader: aiosqlite.Connection) -> None:
        self._writer, self._reader = writer, reader

    # ---- Grants

    async def given(self) -> Mapping[str, Role]:
        """Read all of them."""
        rows = await self._reader.execute_fetchall("select subject, role from grants")
        return {subject: cast("Role", role) for subject, role in rows}

    async def give(self, subject: str, role: Role | None, *, by: str) -> None:
        """Write or delete one."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("delete from grants where subject = ?", (subject,))
            if role is not None:
                row = (subject, role, by, time.time())
                db.execute("insert into grants values (?, ?, ?, ?)", row)

        await self._writer.put(work)

    # ---- Pairings

    async def knock(self, person: str, lane: str, *, valid_s: float) -> str:
        """Find or make a code; expired ones make room."""

        def work(db: sqlite3.Connection) -> str:
            now = time.time()
            db.execute("delete from pairings where at < ?", (now - valid_s,))
            row = db.execute("select code from pairings where person = ?", (person,)).fetchone()
            if row:
                return str(row[0])
            if db.execute("select count(*) from pairings").fetchone()[0] >= MOST_KNOCKS:
                return ""
            code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
            db.execute("insert into pairings values (?, ?, ?, ?)", (code, person, lane, now))
            return code

        return await self._writer.put(work)

    async def open(self, code: str, *, valid_s: float) -> Knock | None:
        """Take a code out."""

        def work(db: sqlite3.Connection) -> Knock | None:
            row = db.execute(
                "delete from pairings where code = ? and at >= ? returning code, person, lane, at",
                (code, time.time() - valid_s),
            ).fetchone()
            return Knock(code=row[0], person=row[1], lane=row[2], at=row[3]) if row else None

        return await self._writer.put(work)

    # ---- Audit

    async def note(self, record: Record) -> None:
        """Append one line."""
        await self._writer.put(lambda db: append(db, record))

    async def records(self, *, limit: int, subject: str = "") -> Sequence[Record]:
        """Read the newest lines."""
        rows = await self._reader.execute_fetchall(
            """select id, at, actor, action, subject, place, details from audit
            where ?1 = '' or subject = ?1 order by id desc limit ?2""",
            (subject, limit),
        )
        names = ("id", "at", "actor", "action", "subject", "place", "details")
        return [Record(**dict(zip(names, row, strict=True))) for row in rows]

    async def broken(self) -> int:
        """Compute every seal anew."""
        before = b""
        async with self._reader.execute(
            "select id, at, actor, action, subject, place, details, seal from audit order by id"
        ) as rows:
            async for id, *line, sealed in rows:
                before = seal(before, tuple(line))
                if before != sealed:
                    return int(id)
        return 0

    # ---- Keys

    async def key(self, name: str) -> bytes:
        """Read it, or make it."""

        def work(db: sqlite3.Connection) -> bytes:
            made = secrets.token_bytes(32)
            db.execute("insert or ignore into facts values (?, ?)", (f"key {name}", made))
            sql = "select value from facts where name = ?"
            return bytes(db.execute(sql, (f"key {name}",)).fetchone()[0])

        return await self._writer.put(work)


def append(db: sqlite3.Connection, record: Record) -> None:
    """Write one line of the audit log, sealed with the one before it."""
    row = db.execute("select seal from audit order by id desc limit 1").fetchone()
    line = (record.at, record.actor, record.action, record.subject, record.place, record.details)
    db.execute(NOTE, (*line, seal(row[0] if row else b"", line)))


def seal(before: bytes, line: Sequence[object]) -> bytes:
    """Return what covers a line of the audit log and all those before it."""
    return hashlib.sha256(before + repr(tuple(line)).encode()).digest()
