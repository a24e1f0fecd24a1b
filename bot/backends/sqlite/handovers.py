"""Handovers on SQLite; `bot.ports.handovers` says what each method does."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

import aiosqlite

from bot.backends.sqlite.writer import Writer
from bot.ports.handovers import Handover, Post

OPEN = """select id, lane, person, private, closed, staff, at, heard from handovers
where state = 'open'"""
BEGIN = """insert into handovers (lane, person, private, closed, staff, at, heard, question)
values (?, ?, ?, ?, ?, ?, ?, ?) returning id"""
COUNT = "select count(*) from handovers where person = ? and at >= ?"
POSTS = """select event, lane, message from answers
where event glob 'handover:*' or event glob 'relay:*'
union select event, lane, parts.id from parts join inbox on inbox.id = parts.turn
where parts.id <> '' and (event glob 'handover:*' or event glob 'relay:*')"""


class SqliteHandovers:
    """Handovers over one writer."""

    def __init__(self, writer: Writer, reader: aiosqlite.Connection) -> None:
        self._writer, self._reader = writer, reader

    async def open(self) -> Sequence[Handover]:
        """Read them."""
        rows = await self._reader.execute_fetchall(OPEN)
        return [_handover(tuple(row)) for row in rows]

    async def posts(self) -> Sequence[Post]:
        """Read them where every message of the bot is kept for a while, or on its way there."""
        rows = await self._reader.execute_fetchall(POSTS)
        posts = [_post(*row) for row in rows]
        return sorted(posts, key=lambda post: (len(post.message), post.message))

    async def begin(self, handover: Handover, question: str, *, most: int) -> Handover | None:
        """Find an open one or insert it, in one transaction."""

        def work(db: sqlite3.Connection) -> Handover | None:
            row = db.execute(f"{OPEN} and lane = ?", (handover.lane,)).fetchone()
            if row:
                return _handover(row)
            day = (handover.person, handover.at - 86400)
            if db.execute(COUNT, day).fetchone()[0] >= most:
                return None
            values = (
                handover.lane, handover.person, handover.private, handover.closed, handover.staff,
                handover.at, handover.heard, question,
            )  # fmt: skip
            (id,) = db.execute(BEGIN, values).fetchone()
            return replace(handover, id=id)

        return await self._writer.put(work)

    async def touch(self, id: int, at: float) -> None:
        """Move its time forward."""
        sql = "update handovers set heard = max(heard, ?) where id = ?"
        await self._writer.put(lambda db: db.execute(sql, (at, id)).rowcount)

    async def close(self, id: int) -> None:
        """Close it and delete what it says."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("update handovers set state = 'closed', question = '' where id = ?", (id,))

        await self._writer.put(work)


def _post(event: str, lane: str, message: str) -> Post:
    kind, id, *_ = event.split(":")
    return Post(int(id), lane, message, kind == "handover")


def _handover(row: Sequence[object]) -> Handover:
    names = ("id", "lane", "person", "private", "closed", "staff", "at", "heard")
    values = dict(zip(names, row, strict=True))
    told = {name: bool(values[name]) for name in ("private", "closed")}
    return Handover(**{**values, **told})  # type: ignore[arg-type]
