"""Group commit: what is queued while one transaction runs forms the next.

All writing goes through one connection and one task. A whole batch is one transaction and one hop
to the connection's thread, so that `synchronous=FULL` costs one flush for everybody who waits.

When the disk fails, the connection is kept and the write refused: the next commit writes the same
places of the log anew, whereas a process that started again would read from the page cache what a
failed fsync has kept from the disk (https://www.usenix.org/conference/atc20/presentation/rebello).
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
import orjson

from bot.domain.errors import StoreBusy, StoreError

log = logging.getLogger(__name__)
T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]
LARGEST_BATCH = 500
COMPANY_S = 0.05  # seconds for which what goes along waits for something to go with
PASSING = (  # the disk's or a neighbour's fault, never the work's
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY,
)  # fmt: skip


class WriterConnection(aiosqlite.Connection):
    """An aiosqlite connection that runs a function over the raw connection in its own thread."""

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in the connection's thread: one hop, whatever it executes."""
        result: T = await self._execute(work, self._conn)  # type: ignore[no-untyped-call]
        return result


class ReadingConnection(aiosqlite.Connection):
    """An aiosqlite connection that reads; what fails for a moment is one error of ours."""

    def __init__(self, path: Path | str, *, uri: bool = False) -> None:
        super().__init__(lambda: sqlite3.connect(path, uri=uri, isolation_level=None), 64)

    async def _execute(self, *work: Any) -> Any:  # every statement goes through it
        try:
            return await super()._execute(*work)  # type: ignore[no-untyped-call]
        except sqlite3.Error as error:
            if _is_passing(error):
                raise StoreBusy(f"the database cannot be read now: {error}") from error
            raise

    async def rows(self, columns: str, sql: str, values: Sequence[Any] = ()) -> list[list[Any]]:
        """Return all that a query finds in one step of the database, in no order.

        It is for many small rows: for each one that is fetched by itself the interpreter is given
        up and taken back, which in a busy process may take its switch interval, 5 ms.

        Args:
            columns: a name for each of the query's columns, separated by commas. None is a BLOB,
                and of a REAL 15 digits come.
            sql: a select.
            values: its parameters.
        """
        array = f"select json_group_array(json_array({columns})) from found"
        found = f"with found ({columns}) as ({sql}) {array}"
        ((text,),) = await self.execute_fetchall(found, values)
        rows: list[list[Any]] = orjson.loads(text)
        return rows


class Along(asyncio.Future[T]):
    """A write that waits a moment for others, but no longer than until somebody waits for it."""

    def __init__(self, hurry: Callable[[], None]) -> None:
        super().__init__()
        self._hurry = hurry

    def __await__(self) -> Generator[Any, None, T]:
        """Wait for the commit, which begins now."""
        if not self.done():
            self._hurry()
        return super().__await__()


class Writer:
    """Collects small pieces of work and commits them together."""

    def __init__(self, connection: WriterConnection) -> None:
        self._connection = connection
        self._queue: list[tuple[Work, asyncio.Future[Any]]] = []
        self._filled = asyncio.Event()
        self._waits: asyncio.TimerHandle | None = None  # until what goes along goes alone
        self._closing = False
        self._task = asyncio.create_task(self._run(), name="sqlite writer")

    def put(
        self, work: Callable[[sqlite3.Connection], T], *, along: bool = False
    ) -> "asyncio.Future[T]":
        """Queue work for the next commit; the future holds its result once it is on disk.

        What goes `along` waits a moment for something else to be written, and shares its commit;
        awaiting it ends that.

        Raises (when awaited):
            StoreBusy: the disk is full or fails, or another process holds the file; ask again.
            StoreError: this piece of work failed; the others of its batch did not.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = Along(self.hurry) if along else loop.create_future()
        self._queue.append((work, future))
        if not along:
            self._filled.set()
        elif self._waits is None:
            self._waits = loop.call_later(COMPANY_S, self._filled.set)
        return future

    def hurry(self) -> None:
        """Let what goes along wait no longer; where nothing does, the next may still wait."""
        if self._queue:
            self._filled.set()

    async def close(self) -> None:
        """Commit what is queued and stop."""
        self._closing = True
        self._filled.set()
        await self._task

    async def _run(self) -> None:
        while not (self._closing and not self._queue):
            await self._filled.wait()
            if self._waits is not None:
                self._waits.cancel()
                self._waits = None
            batch, self._queue = self._queue[:LARGEST_BATCH], self._queue[LARGEST_BATCH:]
            if not self._queue and not self._closing:
                self._filled.clear()
            if batch:
                await self._commit(batch)

    async def _commit(self, batch: list[tuple[Work, asyncio.Future[Any]]]) -> None:
        works = [work for work, _ in batch]
        try:
            results = await self._connection.run(lambda db: _transact(db, works))
        except Exception as error:  # noqa: BLE001 - the writer outlives every piece of work
            if len(batch) > 1 and not _is_passing(error):
                for one in batch:  # a bad item must not take its neighbours with it
                    await self._commit([one])
                return
            failure = _explain(error)
            results = [failure] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            _settle(future, result)


def _transact(db: sqlite3.Connection, works: list[Work]) -> list[Any]:
    if db.in_transaction:  # the rollback of a failed one failed too
        db.execute("rollback")
    db.execute("begin immediate")
    try:
        results = [work(db) for work in works]
        db.execute("commit")
    except BaseException:
        if db.in_transaction:
            db.execute("rollback")
        raise
    return results


def _is_passing(error: BaseException) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF) in PASSING


def _explain(error: BaseException) -> StoreError:
    if _is_passing(error):
        return StoreBusy(f"the database cannot be written now: {error}")
    return StoreError(f"the database refused a write: {error}")


def _settle(future: "asyncio.Future[Any]", result: Any) -> None:
    if future.cancelled():
        return
    if isinstance(result, StoreError):
        future.set_exception(result)
        # Whoever did not wait for this commit hears of the failure here.
        future.add_done_callback(lambda settled: settled.exception())
    else:
        future.set_result(result)


def emptied(db: sqlite3.Connection) -> bool:
    """Move the log into the file and empty it; False when a reader, such as a backup, holds it."""
    (usual,) = db.execute("pragma busy_timeout").fetchone()
    db.execute("pragma busy_timeout=200").fetchone()  # nobody else is to wait for a reader
    busy, *_ = db.execute("pragma wal_checkpoint(truncate)").fetchone()
    db.execute(f"pragma busy_timeout={usual}").fetchone()
    return not busy
