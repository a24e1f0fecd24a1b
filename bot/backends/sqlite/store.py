"""The SQLite store as the composition root opens and closes it."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiosqlite

from bot.backends.sqlite import schema
from bot.backends.sqlite.backlog import SqliteBacklog
from bot.backends.sqlite.lanes import SqliteLanes
from bot.backends.sqlite.ownership import OwnedConnection, Ownership
from bot.backends.sqlite.places import SqlitePlaces
from bot.backends.sqlite.records import SqliteRecords
from bot.backends.sqlite.writer import Writer


@dataclass(frozen=True, slots=True)
class SqliteStore:
    """All parts over one writer: `lanes` for turns, `records` for what is remembered."""

    lanes: SqliteLanes
    records: SqliteRecords
    places: SqlitePlaces
    backlog: SqliteBacklog
    ownership: Ownership
    writer: Writer

    async def probe(self) -> None:
        """Commit one page, and no row, to see that the disk takes it; raises StoreError if not."""
        await self.writer.put(_write_version)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SqliteStore]:
    """Lock, migrate and open the database; offer its open turns again; close it at the end.

    Raises:
        StoreError: another process uses it, or it is corrupt, read-only or too new.
    """
    async with _connected(path) as (connection, reader):
        writer = Writer(connection)
        lanes = SqliteLanes(writer, connection)
        try:
            with schema.explained(path):
                await lanes.boot()
            places = SqlitePlaces(writer, connection, lanes.waiting)
            backlog = SqliteBacklog(writer, reader, lanes.waiting)
            records = SqliteRecords(writer, reader)
            yield SqliteStore(lanes, records, places, backlog, connection.ownership, writer)
        finally:
            await lanes.stop()
            await writer.close()


@asynccontextmanager
async def backlog_of(path: Path) -> AsyncIterator[SqliteBacklog]:
    """Open the backlog of a bot that does not run: nothing is offered, begun or counted.

    Raises:
        StoreError: a bot uses it, or it is corrupt, read-only or too new.
    """
    async with _connected(path) as (connection, reader):
        writer = Writer(connection)
        try:
            yield SqliteBacklog(writer, reader, None)
        finally:
            await writer.close()


@asynccontextmanager
async def _connected(path: Path) -> AsyncIterator[tuple[OwnedConnection, aiosqlite.Connection]]:
    schema.expect(path)
    holder = schema.lock(path)
    connection = OwnedConnection(Ownership(path))
    reader = aiosqlite.connect(path, isolation_level=None)
    try:
        schema.settle(path)
        with schema.explained(path):
            sqlite3.connect(path).close()  # what cannot be opened starts no thread
            await connection
            connection.ownership.remember()
            await connection.run(lambda db: schema.prepare(db, path))
            await reader
            await reader.execute_fetchall("pragma query_only=1")
        yield connection, reader
        if not connection.ownership.complaint():
            with suppress(sqlite3.OperationalError):  # somebody else holds it: it can wait
                await connection.run(lambda db: db.execute("pragma optimize"))
    finally:
        await reader.close()
        await connection.close()
        holder.close()


def _write_version(db: sqlite3.Connection) -> None:
    (version,) = db.execute("pragma user_version").fetchone()
    db.execute(f"pragma user_version={version}")  # its page goes to the log though nothing changes
