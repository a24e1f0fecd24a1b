"""What is kept for a while only: `bot.ports.privacy.Retention`."""

import sqlite3
from collections.abc import Sequence

import aiosqlite

from bot.backends.sqlite.writer import Writer

DAY = 86400.0  # seconds
PURGED = (  # what is deleted, after how many days
    ("delete from noticed where at < ?", 365),
    ("delete from erased where at < ?", 365),  # what is read back is younger by far
    ("delete from traces where at < ?", 30),
    # Of documents that are no more it need not be known whose words stood above them.
    ("delete from gaps where at < ? and document not in (select id from documents)", 0),
    ("delete from pairings where at < ?", 1),
    ("delete from handovers where state = 'closed' and heard < ?", 90),  # as messages are known
    ("update handovers set question = '' where question <> '' and heard < ?", 30),
)


class SqliteRetention:
    """Deletes by age."""

    def __init__(self, writer: Writer, reader: aiosqlite.Connection) -> None:
        self._writer, self._reader = writer, reader

    async def lanes(self) -> Sequence[str]:
        """Read which conversations have lines or traces."""
        rows = await self._reader.execute_fetchall(
            """select lane from lines union select lane from traces
            union select lane from gaps where document is null"""
        )
        return [lane for (lane,) in rows]

    async def expire(self, lanes: Sequence[str], before: float) -> int:
        """Delete lines by their age."""
        values = [(lane, before) for lane in lanes]

        def work(db: sqlite3.Connection) -> int:
            db.executemany("delete from traces where lane = ? and at < ?", values)
            sql = "delete from gaps where lane = ? and at < ? and document is null"
            db.executemany(sql, values)
            return db.executemany("delete from lines where lane = ? and at < ?", values).rowcount

        return await self._writer.put(work)

    async def purge(self, now: float) -> None:
        """Delete the rest."""

        def work(db: sqlite3.Connection) -> None:
            for sql, days in PURGED:
                db.execute(sql, (now - days * DAY,))

        await self._writer.put(work)
