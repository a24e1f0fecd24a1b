"""Conversations that get another name, or end, on SQLite: `bot.ports.store.Places`."""

import sqlite3
from collections.abc import Mapping
from dataclasses import replace

import orjson

from bot.backends.sqlite import rows
from bot.backends.sqlite.waiting import Waiting
from bot.backends.sqlite.writer import Writer, WriterConnection
from bot.domain.conversation import Conversation
from bot.ports.store import Turn

# Where a conversation is named, and by which column; a memory may have a person behind the name.
NAMED = (
    ("lines", "lane"), ("lines", "memory"), ("answers", "lane"), ("memories", "key"),
    ("joined", "lane"), ("overrides", "lane"), ("ledger", "lane"), ("timers", "lane"),
    ("timers", "memory"), ("inbox", "memory"), ("inbox", "lane"),
)  # fmt: skip
FORGOTTEN = (
    ("lines", "memory"), ("lines", "lane"), ("answers", "lane"), ("memories", "key"),
    ("joined", "lane"), ("overrides", "lane"), ("timers", "lane"), ("marks", "channel"),
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
        lane, moved = str(old), str(new)
        running = self._waiting.running(lane)
        await self._writer.put(lambda db: _rename(db, lane, moved, running))
        self._waiting.rename(lane, moved, lambda turn: _renamed(turn, lane, new))

    async def leave(self, place: Conversation, *, forget: bool) -> None:
        """Close what waits in a place and all that belongs to it."""
        lanes = [lane for lane in self._waiting.lanes() if Conversation.parse(lane).within(place)]
        running = {lane: self._waiting.running(lane) for lane in lanes}

        def work(db: sqlite3.Connection) -> dict[str, set[int]]:
            if forget:
                _forget(db, place)
            return {lane: _close(db, lane, running[lane]) for lane in lanes}

        for lane, closed in (await self._writer.put(work)).items():
            self._waiting.take_out(lane, closed)


def _beginning(place: Conversation) -> str:
    """Return what the names of all that lies in a place begin with."""
    if place.thread:
        return f"{place}|"
    if place.channel:
        return str(place)
    return str(place).removesuffix(":").removesuffix(":") + ":"


def _rename(db: sqlite3.Connection, old: str, new: str, running: int) -> None:
    db.execute("insert or replace into moves values (?, ?)", (old, new))
    for table, column in NAMED:
        spared = f" and id <> {running}" if table == "inbox" else ""
        db.execute(
            f"update or replace {table} set {column} = ?2 || substr({column}, length(?1) + 1) "
            f"where ({column} = ?1 or substr({column}, 1, length(?1) + 1) = ?1 || '|'){spared}",
            (old, new),
        )
    sql = "select id, payload from inbox where lane = ? and payload is not null and id <> ?"
    for id, payload in db.execute(sql, (new, running)).fetchall():
        db.execute("delete from parts where turn = ?", (id,))  # they were shown under the old name
        changed = orjson.dumps({**orjson.loads(payload), "conversation": new}).decode()
        db.execute("update inbox set payload = ? where id = ?", (changed, id))


def _renamed(turn: Turn, old: str, new: Conversation) -> Turn:
    memory = str(new) + turn.memory.removeprefix(old)
    event = replace(turn.event, conversation=new)
    return replace(turn, lane=str(new), memory=memory, event=event, parts=())


def _forget(db: sqlite3.Connection, place: Conversation) -> None:
    values = (str(place), _beginning(place))
    for table, column in FORGOTTEN:
        db.execute(
            f"delete from {table} where {column} = ?1 or substr({column}, 1, length(?2)) = ?2",
            values,
        )
    db.execute(
        """delete from letters where id in (select id from inbox
        where lane = ?1 or substr(lane, 1, length(?2)) = ?2)""",
        values,
    )


def _close(db: sqlite3.Connection, lane: str, running: int) -> set[int]:
    """Close the open rows of a lane; the running one is marked, and ends without a trace."""
    open_rows = db.execute(
        "select id from inbox where lane = ? and payload is not null", (lane,)
    ).fetchall()
    for (id,) in open_rows:
        if id == running:
            db.execute("update inbox set revision = revision + 1 where id = ?", (id,))
            db.execute(rows.KEEP_STEP, (id, "forgotten", "true"))
        else:
            rows.shut(db, id, "declined")
    return {id for (id,) in open_rows} - {running}
