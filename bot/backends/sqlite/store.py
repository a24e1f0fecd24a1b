"""The SQLite store as the composition root opens and closes it."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiosqlite

from bot.backends.sqlite import schema
from bot.backends.sqlite.lanes import SqliteLanes
from bot.backends.sqlite.records import SqliteRecords
from bot.backends.sqlite.writer import Writer, WriterConnection
from bot.domain.errors import StoreError


@dataclass(frozen=True, slots=True)
class SqliteStore:
    """Both halves over one writer: `lanes` for turns, `records` for everything else."""

    lanes: SqliteLanes
    records: SqliteRecords


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SqliteStore]:
    """Lock, migrate and open the database; offer its open turns again; close it at the end.

    Raises:
        StoreError: another process uses it, or it is corrupt, read-only or too new.
    """
    holder = schema.lock(path)
    connection = WriterConnection(lambda: sqlite3.connect(path, isolation_level=None), 64)
    reader = aiosqlite.connect(path, isolation_level=None)
    try:
        try:
            await connection
        except sqlite3.Error as error:
            raise StoreError(f"the database {path} cannot be opened: {error}") from error
        await connection.run(lambda db: schema.prepare(db, path))
        await reader
        await reader.execute_fetchall("pragma query_only=1")
        writer = Writer(connection)
        lanes = SqliteLanes(writer, connection)
        await lanes.boot()
        try:
            yield SqliteStore(lanes, SqliteRecords(writer, reader))
        finally:
            await lanes.stop()
            await writer.close()
            await connection.run(lambda db: db.execute("pragma optimize"))
    finally:
        await reader.close()
        await connection.close()
        holder.close()
