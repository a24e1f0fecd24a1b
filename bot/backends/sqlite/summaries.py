"""Summaries of memories on SQLite: `bot.ports.memory.Summaries`.

Triggers of the schema delete a summary with the first of its lines that goes or changes, in the
same transaction: so forgetting, deletions, edits, resets and ages need not know of it.
"""

import sqlite3
from collections.abc import Sequence

import aiosqlite

from bot.backends.sqlite.writer import Writer
from bot.ports.store import Remembered, Summary

COLUMNS = "s.memory, s.epoch, s.first, s.last, s.text, s.tokens, s.model, s.at"
READ = f"select {COLUMNS} from summaries s where s.memory = ? and s.epoch = ?"
EPOCH = "select coalesce((select epoch from memories where key = ?), 0)"
COVERED = "select id, text from lines where memory = ? and id between ? and ? order by id"


class SqliteSummaries:
    """Reads beside the writer, and writes only what still holds."""

    def __init__(self, writer: Writer, reader: aiosqlite.Connection) -> None:
        self._writer, self._reader = writer, reader

    async def read(self, memory: str, epoch: int) -> Summary | None:
        """Read one row."""
        for row in await self._reader.execute_fetchall(READ, (memory, epoch)):
            return made(row)
        return None

    async def write(
        self, summary: Summary, *, before: Summary | None, lines: Sequence[Remembered]
    ) -> bool:
        """Compare what it was made from with what is there now."""
        covered = [(line.id, line.text) for line in lines]

        def work(db: sqlite3.Connection) -> bool:
            key = summary.memory
            found = db.execute(READ, (key, summary.epoch)).fetchone()
            if db.execute(EPOCH, (key,)).fetchone()[0] != summary.epoch:
                return False
            if (made(found) if found else None) != before:
                return False
            if db.execute(COVERED, (key, covered[0][0], summary.last)).fetchall() != covered:
                return False
            db.execute(
                "insert or replace into summaries values (?, ?, ?, ?, ?, ?, ?, ?)",
                (key, summary.epoch, summary.first, summary.last, summary.text, summary.tokens,
                 summary.model, summary.at),
            )  # fmt: skip
            return True

        return await self._writer.put(work)


def made(row: Sequence[object]) -> Summary:
    """Return a row of `COLUMNS` as what it is."""
    names = ("memory", "epoch", "first", "last", "text", "tokens", "model", "at")
    return Summary(**dict(zip(names, row, strict=True)))  # type: ignore[arg-type]
