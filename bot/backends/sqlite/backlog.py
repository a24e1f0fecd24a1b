"""What an operator sees and does about messages that are not answered: `bot.ports.store.Backlog`.

In a running bot every change is made on disk and then in the lanes in memory; without one (`parley
queue` beside a stopped bot) there are no lanes, and the next start finds what was changed.
"""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import aiosqlite
import orjson

from bot.backends.sqlite import rows
from bot.backends.sqlite.waiting import Waiting
from bot.backends.sqlite.writer import Writer
from bot.domain.errors import StoreError
from bot.domain.events import Event, from_plain, to_plain
from bot.ports.store import Turn
from bot.ports.upkeep import Entry

ENTRIES = """select inbox.id, event, lane, inbox.at, not_before,
  coalesce(letters.attempts, inbox.attempts), letters.reason,
  coalesce(inbox.payload, letters.payload)
from inbox left join letters on letters.id = inbox.id
where (inbox.payload is not null or letters.id is not null)"""
LETTER = """select event, lane, memory, epoch, revision + 1, letters.payload from letters
join inbox on inbox.id = letters.id where letters.id = ? and inbox.payload is null"""
REOPEN = """update inbox set payload = ?, state = 'waiting', attempts = 0, started = 0,
not_before = 0, closed = null, at = ?, revision = ? where id = ?"""


class SqliteBacklog:
    """Open rows and dead letters over one writer and one reader."""

    def __init__(
        self, writer: Writer, reader: aiosqlite.Connection, waiting: Waiting | None
    ) -> None:
        self._writer, self._reader, self._waiting = writer, reader, waiting

    async def entries(self, *, limit: int) -> Sequence[Entry]:
        """Read the oldest ones."""
        found = await self._read(f"{ENTRIES} order by inbox.id limit ?", limit)
        open_turns = self._open_turns()
        return [self._entry(row, open_turns) for row in found]

    async def find(self, id: int) -> tuple[Entry, Event] | None:
        """Read one with its event."""
        for row in await self._read(f"{ENTRIES} and inbox.id = ?", id):
            try:
                event = from_plain(orjson.loads(row[7]))
            except (KeyError, TypeError, ValueError) as error:
                raise StoreError(f"{id}: is of another version and cannot be read") from error
            return self._entry(row, self._open_turns()), event
        return None

    async def letters(self) -> int:
        """Count the messages that were given up."""
        ((count,),) = await self._read("select count(*) from letters")
        return int(count)

    async def retry(self, id: int) -> bool:
        """Open a dead letter's row again; it counts as written now, so that it is not stale."""

        def keep(done: "asyncio.Future[Turn | None]") -> None:
            turn = None if done.exception() else done.result()
            if turn and self._waiting:
                self._waiting.offer(turn)

        future = self._writer.put(lambda db: _reopen(db, id))
        future.add_done_callback(keep)
        return await asyncio.shield(future) is not None

    async def drop(self, id: int) -> bool:
        """Close a row that does not run."""
        if self._waiting is None:
            return await self._writer.put(lambda db: _give_up(db, id) or _shut(db, id))
        if await self._writer.put(lambda db: _give_up(db, id)):
            return True
        turn = self._open_turns().get(id)
        if turn is None or self._waiting.state(turn) == "running":
            return False
        self._waiting.take_out(turn.lane, {id})  # before it is written, so that nobody begins it
        try:
            return await self._writer.put(lambda db: _shut(db, id))
        except StoreError:
            self._waiting.put_back(turn)
            raise

    def _open_turns(self) -> dict[int, Turn]:
        return {turn.id: turn for turn in self._waiting.everywhere()} if self._waiting else {}

    def _entry(self, row: Sequence[Any], open_turns: dict[int, Turn]) -> Entry:
        id, event, lane, at, not_before, attempts, reason, _ = row
        return Entry(
            id=id,
            event=event,
            lane=lane,
            state=self._state(open_turns.get(id), not_before) if reason is None else "dead",
            at=at,
            attempts=attempts,
            reason=reason or "",
        )

    def _state(
        self, turn: Turn | None, not_before: float
    ) -> Literal["waiting", "running", "resting"]:
        if self._waiting is None:
            return "resting" if not_before > time.time() else "waiting"
        return self._waiting.state(turn) if turn else "running"  # beside the lanes

    async def _read(self, sql: str, *values: int) -> list[Any]:
        try:
            return list(await self._reader.execute_fetchall(sql, values))
        except sqlite3.Error as error:
            raise StoreError(f"the database cannot be read: {error}") from error


def _give_up(db: sqlite3.Connection, id: int) -> bool:
    """Close a dead letter for good."""
    if not db.execute("delete from letters where id = ?", (id,)).rowcount:
        return False
    db.execute("update inbox set state = 'declined' where id = ?", (id,))
    return True


def _shut(db: sqlite3.Connection, id: int) -> bool:
    """Close an open row."""
    sql = "select 1 from inbox where id = ? and payload is not null"
    if db.execute(sql, (id,)).fetchone() is None:
        return False
    rows.shut(db, id, "declined")
    return True


def _reopen(db: sqlite3.Connection, id: int) -> Turn | None:
    row = db.execute(LETTER, (id,)).fetchone()
    if row is None:
        return None
    name, lane, memory, epoch, revision, letter = row
    # Platforms take a second message under the first one's name for the same one: it gets its own.
    event = replace(from_plain(orjson.loads(letter)), id=f"{name}~{revision}", at=time.time())
    payload = orjson.dumps(to_plain(event)).decode()
    db.execute(REOPEN, (payload, event.at, revision, id))
    for table, column in (("letters", "id"), ("steps", "turn"), ("parts", "turn")):
        db.execute(f"delete from {table} where {column} = ?", (id,))
    return Turn(id=id, lane=lane, memory=memory, epoch=epoch, event=event, revision=revision)
