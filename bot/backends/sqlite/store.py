"""The SQLite store as the composition root opens and closes it."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path

from bot.backends.sqlite import schema
from bot.backends.sqlite.backlog import SqliteBacklog
from bot.backends.sqlite.cases import SqliteCases
from bot.backends.sqlite.edition import Edition
from bot.backends.sqlite.expiring import SqliteRetention
from bot.backends.sqlite.facts import SqliteFacts
from bot.backends.sqlite.gaps import SqliteGaps
from bot.backends.sqlite.handovers import SqliteHandovers
from bot.backends.sqlite.lanes import SqliteLanes
from bot.backends.sqlite.ledger import SqliteLedger
from bot.backends.sqlite.library import SqliteLibrary
from bot.backends.sqlite.line_meanings import SqliteLineMeanings
from bot.backends.sqlite.ownership import OwnedConnection, Ownership
from bot.backends.sqlite.people import SqlitePeople
from bot.backends.sqlite.places import SqlitePlaces
from bot.backends.sqlite.privacy import SqlitePrivacy
from bot.backends.sqlite.records import SqliteRecords
from bot.backends.sqlite.summaries import SqliteSummaries
from bot.backends.sqlite.traces import SqliteTraces
from bot.backends.sqlite.wording import SqliteWording
from bot.backends.sqlite.writer import ReadingConnection, Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteStore:
    """All parts over one writer: `lanes` for turns, `records` for what is remembered."""

    lanes: SqliteLanes
    records: SqliteRecords
    summaries: SqliteSummaries
    meanings: SqliteLineMeanings
    facts: SqliteFacts
    places: SqlitePlaces
    backlog: SqliteBacklog
    people: SqlitePeople
    cases: SqliteCases
    privacy: SqlitePrivacy
    ledger: SqliteLedger
    handovers: SqliteHandovers
    retention: SqliteRetention
    library: SqliteLibrary
    wording: SqliteWording
    traces: SqliteTraces
    gaps: SqliteGaps
    ownership: Ownership
    writer: Writer
    borrows: bool = False  # the library is that of another database, which is only read

    async def probe(self) -> None:
        """Commit one page, and no row, to see that the disk takes it; raises StoreError if not."""
        await self.writer.put(_write_version)


@asynccontextmanager
async def opened(path: Path, *, library: Path | None = None) -> AsyncIterator[SqliteStore]:
    """Lock, migrate and open the database; offer its open turns again; close it at the end.

    `library` is another database whose documents are read, and not its own; a bot may use it.

    Raises:
        StoreError: another process uses it, or it is corrupt, read-only or too new.
    """
    async with _connected(path) as (connection, reader), _borrowed(library, reader) as books:
        writer = Writer(connection)
        lanes = SqliteLanes(writer, connection)
        edition = Edition(borrowed=books is not reader)
        try:
            with schema.explained(path):
                await lanes.boot()
            privacy = SqlitePrivacy(
                writer, connection, reader, edition, path=path, waiting=lanes.waiting
            )
            await privacy.scour()  # what a killed process has begun
            shelves = SqliteLibrary(writer, connection, books, edition)
            await shelves.scour_left()
            yield SqliteStore(
                lanes=lanes,
                records=SqliteRecords(writer, reader),
                summaries=SqliteSummaries(writer, reader),
                meanings=SqliteLineMeanings(writer, reader),
                facts=SqliteFacts(writer, reader),
                places=SqlitePlaces(writer, connection, lanes.waiting),
                backlog=SqliteBacklog(writer, reader, lanes.waiting),
                people=SqlitePeople(writer, reader),
                cases=SqliteCases(writer, reader),
                privacy=privacy,
                ledger=SqliteLedger(writer, reader),
                handovers=SqliteHandovers(writer, reader),
                retention=SqliteRetention(writer, reader),
                library=shelves,
                wording=SqliteWording(books, edition),
                traces=SqliteTraces(reader),
                gaps=SqliteGaps(writer, reader),
                ownership=connection.ownership,
                writer=writer,
                borrows=edition.borrowed,
            )
        finally:
            await lanes.stop()
            await writer.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class RestingStore:
    """The parts that an operator needs beside a bot that does not run."""

    backlog: SqliteBacklog
    people: SqlitePeople
    privacy: SqlitePrivacy
    library: SqliteLibrary
    wording: SqliteWording


@asynccontextmanager
async def at_rest(path: Path) -> AsyncIterator[RestingStore]:
    """Open the database of a bot that does not run: nothing is offered, begun or counted.

    Raises:
        StoreError: a bot uses it, or it is corrupt, read-only or too new.
    """
    async with _connected(path) as (connection, reader):
        writer, edition = Writer(connection), Edition()
        try:
            yield RestingStore(
                backlog=SqliteBacklog(writer, reader, None),
                people=SqlitePeople(writer, reader),
                privacy=SqlitePrivacy(writer, connection, reader, edition, path=path, waiting=None),
                library=SqliteLibrary(writer, connection, reader, edition),
                wording=SqliteWording(reader, edition),
            )
        finally:
            await writer.close()


@asynccontextmanager
async def _borrowed(
    library: Path | None, own: ReadingConnection
) -> AsyncIterator[ReadingConnection]:
    """Open the database whose documents are read; the own one where there is no other."""
    if library is None or not documents(library):
        yield own
        return
    reader = ReadingConnection(_read_only(library), uri=True)
    async with reader:
        yield reader


def documents(path: Path) -> int:
    """Return how many documents a database has that may be another's; 0 where there is none.

    Raises:
        StoreError: it is corrupt.
    """
    with schema.explained(path):
        try:
            with closing(sqlite3.connect(_read_only(path), uri=True)) as db:
                return int(db.execute("select count(*) from documents").fetchone()[0])
        except sqlite3.OperationalError:  # there is none, or it is of an older Parley
            return 0


def _read_only(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=ro"


@asynccontextmanager
async def _connected(path: Path) -> AsyncIterator[tuple[OwnedConnection, ReadingConnection]]:
    schema.expect(path)
    holder = schema.lock(path)
    connection = OwnedConnection(Ownership(path))
    reader = ReadingConnection(path)
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
