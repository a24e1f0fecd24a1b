"""Conversations that get another name, or end, on SQLite: `bot.ports.upkeep.Places`."""

import asyncio
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from bot.backends.sqlite import accounts, changes, rows
from bot.backends.sqlite.lanes import end
from bot.backends.sqlite.waiting import Waiting
from bot.backends.sqlite.writer import Writer, WriterConnection
from bot.domain.conversation import Conversation
from bot.ports.store import Turn

# Where a conversation is named, and by which column; a memory may have a person behind the name.
NAMED = (
    ("lines", "lane"), ("lines", "memory"), ("answers", "lane"), ("memories", "key"),
    ("joined", "lane"), ("overrides", "lane"), ("ledger", "lane"), ("timers", "lane"),
    ("timers", "memory"), ("traces", "lane"), ("summaries", "memory"), ("known_facts", "lane"),
    ("gaps", "lane"),
)  # fmt: skip
FORGOTTEN = (
    ("lines", "memory"), ("lines", "lane"), ("answers", "lane"), ("memories", "key"),
    ("joined", "lane"), ("overrides", "lane"), ("timers", "lane"), ("traces", "lane"),
    ("summaries", "memory"), ("known_facts", "lane"), ("gaps", "lane"),
)  # fmt: skip


class SqlitePlaces:
    """Moves and leaves, on disk and then in the lanes in memory."""

    def __init__(self, writer: Writer, connection: WriterConnection, waiting: Waiting) -> None:
        self._writer, self._connection, self._waiting = writer, connection, waiting

    async def moves(self) -> Mapping[str, str]:
        """Read all names that were given up."""
        sql = "select lane, moved from moves"
        return dict(await self._connection.run(lambda db: db.execute(sql).fetchall()))

    async def move(self, old: Conversation, new: Conversation) -> None:
        """Rename a conversation wherever it is named; its running turn is renamed when it ends."""
        lane = str(old)

        def keep(done: "asyncio.Future[None]") -> None:
            if not done.exception():
                self._waiting.rename(lane, lambda turn: _renamed(turn, lane, new))

        future = self._writer.put(lambda db: _rename(db, lane, new))
        future.add_done_callback(keep)
        await asyncio.shield(future)

    async def leave(self, place: Conversation, *, forget: bool) -> None:
        """Close what waits in a place and all that belongs to it; what runs ends by itself."""
        closing: list[asyncio.Future[None]] = []

        def work(db: sqlite3.Connection) -> list[tuple[str, int]]:
            if forget:
                _forget(db, place)
            return _mark(db, place)

        def keep(done: "asyncio.Future[Any]") -> None:
            for lane, id in () if done.exception() else done.result():
                turn = self._waiting.change(lane, id, _forgotten)
                if turn and self._waiting.state(turn) != "running":
                    closing.extend(end(self._writer, self._waiting, replace(turn, parts=())))

        future = self._writer.put(work)
        future.add_done_callback(keep)
        await asyncio.shield(future)
        await asyncio.gather(*closing)


def _ranges(place: Conversation) -> list[tuple[str, str]]:
    """Return from where to where the names of all that lies in a place go, the end excluded."""
    name = str(place)
    if place.thread:
        return [(name, f"{name}\0"), (f"{name}|", f"{name}}}")]  # itself; its people's memories
    start = name if place.channel else name.removesuffix(":").removesuffix(":") + ":"
    return [(start, start[:-1] + ";")]  # `;` follows `:`


def _forget(db: sqlite3.Connection, place: Conversation) -> None:
    for start, stop in _ranges(place):
        for table, column in FORGOTTEN:
            sql = f"delete from {table} where {column} >= ? and {column} < ?"
            db.execute(sql, (start, stop))
        sql = "update handovers set question = '' where lane >= ? and lane < ?"
        db.execute(sql, (start, stop))
        sql = "delete from marks where platform = ? and channel >= ? and channel < ?"
        db.execute(sql, (place.platform, start, stop))
        db.execute(
            """delete from letters where id in (select letters.id from letters
            join inbox using (id) where lane >= ? and lane < ?)""",
            (start, stop),
        )


def _mark(db: sqlite3.Connection, place: Conversation) -> list[tuple[str, int]]:
    """Let every open row of a place end without a trace."""
    sql = """select lane, id from inbox
    where payload is not null and lane >= ? and lane < ? order by id"""
    found = [row for limits in _ranges(place) for row in db.execute(sql, limits).fetchall()]
    for _, id in found:
        changes.mark(db, id)
    return found


def _forgotten(turn: Turn) -> Turn:
    return replace(turn, revision=turn.revision + 1, steps={**turn.steps, "forgotten": True})


def _rename(db: sqlite3.Connection, old: str, new: Conversation) -> None:
    name = str(new)
    db.execute("insert or replace into moves values (?, ?)", (old, name))
    if not new.thread:
        accounts.follow(db, old, name)
    for table, column in NAMED:
        db.execute(
            f"update or replace {table} set {column} = ?2 || substr({column}, length(?1) + 1) "
            f"where {column} = ?1 or ({column} >= ?1 || '|' and {column} < ?1 || '}}')",
            (old, name),
        )
    letters = "select id, payload from letters where id in (select id from inbox where lane = ?)"
    for table, column, found in (
        ("letters", "id", db.execute(letters, (old,)).fetchall()),
        ("timers", "event", db.execute(
            "select event, payload from timers where lane = ?", (name,)).fetchall()),
    ):  # fmt: skip
        for key, payload in found:
            changed = orjson.dumps({**orjson.loads(payload), "conversation": name}).decode()
            db.execute(f"update {table} set payload = ? where {column} = ?", (changed, key))
    _rename_open(db, old, name)
    sql = """update inbox set lane = ?2, memory = ?2 || substr(memory, length(?1) + 1)
    where lane = ?1 and payload is null"""
    db.execute(sql, (old, name))


def _rename_open(db: sqlite3.Connection, old: str, new: str) -> None:
    """Rename rows that wait; their parts were shown where nothing can be changed any more.

    The row of a turn that runs is renamed too: the turn finds its new name through `moves`.
    """
    sql = "select id, memory, payload from inbox where lane = ? and payload is not null"
    for id, memory, payload in db.execute(sql, (old,)).fetchall():
        changed = orjson.dumps({**orjson.loads(payload), "conversation": new}).decode()
        db.execute(rows.RENAME, (new, new + memory.removeprefix(old), changed, id))


def _renamed(turn: Turn, old: str, new: Conversation) -> Turn:
    memory = str(new) + turn.memory.removeprefix(old)
    event = replace(turn.event, conversation=new)
    return replace(turn, lane=str(new), memory=memory, event=event, parts=())
