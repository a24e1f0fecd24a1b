"""Unanswered questions on SQLite: `bot.ports.gaps`."""

import sqlite3
from collections.abc import Sequence

import aiosqlite
import orjson

from bot.backends.sqlite.limits import limits
from bot.backends.sqlite.writer import Writer
from bot.domain.asking import plain
from bot.domain.conversation import Conversation
from bot.domain.knowledge import TAUGHT
from bot.domain.text import storable
from bot.ports.gaps import Gap

NOTE = """insert into gaps (event, lane, person, private, question, at) values (?, ?, ?, ?, ?, ?)
on conflict (event) do update set question = excluded.question, at = excluded.at
where document is null"""
OPEN = """select id, event, lane, person, private, question, at from gaps where document is null
and (?2 = '' or (not private and (lane = ?2 or (lane > ?2 and lane < ?3))))
order by id desc limit ?1"""
HEADED = """select passages.id, text from passages join gaps using (document)
where person = ?"""


class SqliteGaps:
    """Reads beside the writer."""

    def __init__(self, writer: Writer, reader: aiosqlite.Connection) -> None:
        self._writer, self._reader = writer, reader

    async def note(self, gap: Gap) -> None:
        """Insert or rewrite."""
        values = (gap.event, gap.lane, gap.person, gap.private, storable(gap.question), gap.at)
        await self._writer.put(lambda db: db.execute(NOTE, values).rowcount)

    async def drop(self, event: str) -> None:
        """Delete it by the message."""
        sql = "delete from gaps where event = ? and document is null"
        await self._writer.put(lambda db: db.execute(sql, (event,)).rowcount)

    async def open(
        self, *, limit: int, within: Conversation | None = None, threads: bool = False
    ) -> Sequence[Gap]:
        """Read the newest."""
        values = (limit, *(limits(within, threads=threads) if within else ("", "")))
        return [
            Gap(id=row[0], event=row[1], lane=row[2], person=row[3], private=bool(row[4]),
                question=row[5], at=row[6])
            for row in await self._reader.execute_fetchall(OPEN, values)
        ]  # fmt: skip

    async def close(self, ids: Sequence[int], *, heading: int = 0, document: int = 0) -> None:
        """Do both in one transaction."""
        gone = [(id,) for id in ids if id != heading or not document]

        def work(db: sqlite3.Connection) -> None:
            db.executemany("delete from gaps where id = ?", gone)
            sql = "update gaps set question = '', lane = '', document = ? where id = ?"
            db.execute(sql, (document, heading))

        await self._writer.put(work)


def forget(db: sqlite3.Connection, person: str) -> int:
    """Delete a person's questions, and their words above answers; returns how many there were."""
    for passage, text in db.execute(HEADED, (person,)).fetchall():
        _unhead(db, passage, text)
    sql = "update documents set title = ? where id in (select document from gaps where person = ?)"
    db.execute(sql, (TAUGHT, person))
    return db.execute("delete from gaps where person = ?", (person,)).rowcount


def _unhead(db: sqlite3.Connection, passage: int, text: str) -> None:
    """Leave the answer alone; it gets new vectors at the next chance."""
    path = orjson.dumps([TAUGHT]).decode()
    db.execute("update passages set path = ? where id = ?", (path, passage))
    db.execute("delete from passage_vectors where passage = ?", (passage,))
    db.execute("delete from passage_words where rowid = ?", (passage,))
    sql = "insert into passage_words (rowid, title, above, body) values (?, ?, '', ?)"
    db.execute(sql, (passage, plain(TAUGHT), plain(text)))
