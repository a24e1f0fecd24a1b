"""Seeing, changing and deleting what is stored about one person: `bot.ports.privacy`.

SQLite zeroes what it deletes (`secure_delete`), but not the copies that its pages keep when rows
move from one to another: so forgetting rebuilds the file, and empties its log.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiosqlite

from bot.backends.sqlite import copying, erasing, shelving, telling
from bot.backends.sqlite.edition import Edition
from bot.backends.sqlite.lanes import end
from bot.backends.sqlite.people import SqlitePeople
from bot.backends.sqlite.waiting import Waiting
from bot.backends.sqlite.writer import Writer, WriterConnection, emptied
from bot.domain.errors import StoreError
from bot.domain.identity import who
from bot.ports.privacy import OwnLine
from bot.ports.store import Turn

log = logging.getLogger(__name__)
OWN = """select id, role, text, at from lines where memory = ?1 and
event in (select event from lines where memory = ?1 and person = ?2) order by id"""
DONE = "delete from erasures where person = ? and at = ?"
LOOK_S = 0.05  # between two looks at what is still open
QUICK_S = 1.0  # for which a rebuilding may hold everybody up, as often as it is asked for
REST = 10  # times as long as a slower one took, the database is not rebuilt again


class SqlitePrivacy:
    """Privacy, OwnLines and Notices over one writer; without `waiting` no bot runs."""

    def __init__(
        self, writer: Writer, connection: WriterConnection, reader: aiosqlite.Connection,
        edition: Edition, *, path: Path, waiting: Waiting | None,
    ) -> None:  # fmt: skip
        self._writer, self._connection, self._reader = writer, connection, reader
        self._edition, self._path, self._waiting = edition, path, waiting
        self._people = SqlitePeople(writer, reader)
        self._scouring = asyncio.Lock()
        self._rebuilt_for: set[tuple[str, float]] = set()  # erasures that wait for turns to end
        self._rests_until = 0.0  # whoever may be forgotten must not stop the bot with that

    # ---- Privacy

    async def export(self, person: str) -> Mapping[str, Any]:
        """Read it in the writer's thread, so that it is one moment."""
        name = await self._who(person)
        return await self._connection.run(lambda db: telling.tell(db, person, name))

    async def erase(self, person: str, *, at: float, spare: int = 0) -> Mapping[str, int]:
        """Delete on disk and then in the lanes in memory."""
        name = await self._who(person)
        closing: list[asyncio.Future[None]] = []

        def work(db: sqlite3.Connection) -> erasing.Erased:
            erased = erasing.erase(db, person, name, at=at, spare=spare)
            if self._waiting is None:
                erasing.close(db, erased.marked)
            return erased

        def keep(done: "asyncio.Future[erasing.Erased]") -> None:
            self._edition.change()  # their questions stood above answers
            for row in () if done.exception() else done.result().marked:
                closing.extend(self._end(row))

        future = self._writer.put(work)
        future.add_done_callback(keep)
        erased = await asyncio.shield(future)
        await asyncio.gather(*closing)
        return erased.counts

    async def scour(self, *, patience_s: float = 0.0) -> bool:
        """Rebuild the file, empty its log, delete the copies from before that name the person."""
        async with self._scouring:
            sql = "select person, at from erasures"
            begun = await self._connection.run(lambda db: db.execute(sql).fetchall())
            if not begun:
                return True
            ended = await self._ended(patience_s)
            await self._writer.put(lambda db: _rename_late(db, begun))
            await asyncio.to_thread(self._delete_copies, [person for person, _ in begun])
            if not ended and self._rebuilt_for.issuperset(begun):
                return False
            await shelving.merged(self._writer)  # words above answers are theirs, too
            if not await self._rebuilt():
                return False
            self._rebuilt_for = set() if ended else set(begun)
            if not ended:
                return False
            await self._writer.put(lambda db: db.executemany(DONE, begun).rowcount)
            return await self._emptied()

    async def erased(self) -> Mapping[str, float]:
        """Read the tombstones."""
        return await self._times("select who, at from erased")

    # ---- OwnLines

    async def read(self, memories: Sequence[str], person: str) -> Sequence[OwnLine]:
        """Read them memory by memory."""
        found: list[OwnLine] = []
        for memory in dict.fromkeys(memories):
            rows = await self._reader.execute_fetchall(OWN, (memory, person))
            found += [OwnLine(id=id, role=role, text=text, at=at) for id, role, text, at in rows]
        return sorted(found, key=lambda line: line.id)

    async def rewrite(self, id: int, person: str, text: str) -> bool:
        """Change one line; its tokens are counted anew."""
        sql = """update lines set text = ?, size = ?, tokens = null
        where id = ? and person = ? and role = 'user'"""
        values = (text, len(text.encode()), id, person)
        return bool(await self._writer.put(lambda db: db.execute(sql, values).rowcount))

    async def delete(self, ids: Sequence[int], person: str) -> int:
        """Delete whole exchanges that begin with a line of this person."""
        sql = """delete from lines where event in (select event from lines where person = ?1
        and event = (select event from lines where id = ?2))"""

        asked = """delete from gaps where person = ? and document is null
        and event = (select event from lines where id = ?)"""

        def work(db: sqlite3.Connection) -> int:
            db.executemany(asked, [(person, id) for id in ids])
            return sum(db.execute(sql, (person, id)).rowcount for id in ids)

        return await self._writer.put(work)

    # ---- Notices

    async def noticed(self) -> Mapping[str, float]:
        """Read all of them."""
        return await self._times("select who, at from noticed")

    async def notice(self, name: str, at: float) -> None:
        """Write one."""
        sql = "insert or replace into noticed values (?, ?)"
        await self._writer.put(lambda db: db.execute(sql, (name, at)).rowcount)

    # ---- what an erasure leaves to be done

    async def _times(self, sql: str) -> dict[str, float]:
        return {row[0]: row[1] for row in await self._reader.execute_fetchall(sql)}

    async def _who(self, person: str) -> str:
        return who(person, await self._people.key("people"))

    def _end(self, row: erasing.Marked) -> list["asyncio.Future[None]"]:
        if self._waiting is None:
            return []
        turn = self._waiting.change(row.lane, row.id, lambda turn: _marked(turn, row))
        if turn is None or not row.theirs or self._waiting.state(turn) == "running":
            return []
        return end(self._writer, self._waiting, turn)

    async def _ended(self, patience_s: float) -> bool:
        """Wait a while for answers that were begun with deleted words in sight."""
        clock = asyncio.get_running_loop().time
        limit = clock() + patience_s
        # Asked in the writer's turn: an answer that has just begun may not be written yet.
        while await self._writer.put(lambda db: db.execute(erasing.PENDING).fetchone()):
            if clock() >= limit:
                return False
            await asyncio.sleep(LOOK_S)
        return True

    def _delete_copies(self, people: Sequence[str]) -> None:
        for copied in copying.leftovers(self._path):
            if copying.mentions(copied, people):
                log.warning("deleting %s: it holds what somebody wants to be forgotten", copied)
                copied.unlink(missing_ok=True)

    async def _rebuilt(self) -> bool:
        began = time.monotonic()
        if began < self._rests_until:
            return False
        try:
            await self._connection.run(lambda db: db.execute("vacuum").fetchall())
        except (sqlite3.OperationalError, StoreError) as error:
            log.warning("the database cannot be rebuilt now, so it will be later: %s", error)
            return False
        took = time.monotonic() - began
        log.info("the database was rebuilt in %.1f s", took)
        if took > QUICK_S:
            self._rests_until = time.monotonic() + REST * took
        return await self._emptied()

    async def _emptied(self) -> bool:
        """Move the log into the file and empty it, unless a reader, such as a backup, holds it."""
        if await self._connection.run(emptied):
            return True
        log.warning("somebody reads the database, so its log will be emptied later")
        return False


def _rename_late(db: sqlite3.Connection, begun: Sequence[tuple[str, float]]) -> None:
    """Rename what was paid for answers that were being written meanwhile."""
    key = bytes(db.execute("select value from facts where name = 'key people'").fetchone()[0])
    for person, _ in begun:
        erasing.rename_usage(db, person, who(person, key))


def _marked(turn: Turn, row: erasing.Marked) -> Turn:
    steps = {"forgotten": True} if row.theirs else turn.steps
    return replace(turn, event=row.event, revision=row.revision, steps=steps)
