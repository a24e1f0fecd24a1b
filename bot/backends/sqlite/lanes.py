"""Lanes on SQLite: the inbox table is the truth, the lanes themselves live in memory.

One process owns the file, so `running` needs no commit: a lane is claimed by taking it off `ready`.
At boot all open rows are offered again, in their order; those that an attempt had begun count one
attempt more, and from the second on they come back with a growing pause, so that others are
answered before a message that kills the process does so again.
"""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from bot.backends.sqlite import rows
from bot.backends.sqlite.timers import Timers
from bot.backends.sqlite.waiting import Waiting
from bot.backends.sqlite.writer import Writer, WriterConnection
from bot.domain.events import Event, MessageReceived, to_plain
from bot.domain.replies import Part, Usage
from bot.ports.store import Result, Turn

INSERT_EVENT = """insert into inbox (event, lane, memory, epoch, message, payload, at)
values (?1, ?2, ?3, coalesce((select epoch from memories where key = ?3), 0), ?4, ?5, ?6)
on conflict do nothing returning id, epoch"""
CHARGE = """insert into ledger (at, person, lane, model, input, output, estimated, cost)
values (?, ?, ?, ?, ?, ?, ?, ?)"""


class SqliteLanes:
    """Intake, Lanes and Journal over one writer; `bot.ports.store` says what each method does."""

    def __init__(self, writer: Writer, connection: WriterConnection) -> None:
        self.waiting = Waiting()
        self._writer, self._connection = writer, connection
        self._timers = Timers(writer, connection, self.ingest)

    # ---- start and stop

    async def boot(self) -> None:
        """Offer every open row again, with what its earlier attempts have journaled."""
        for turn, not_before in await self._connection.run(rows.unfinished):
            self.waiting.offer(turn, not_before=not_before)
        self._timers.start()

    async def stop(self) -> None:
        """Stop the timers."""
        await self._timers.stop()

    # ---- Intake

    async def ingest(self, event: Event, *, lane: str, memory: str) -> Turn | None:
        """Store an event; queued before the first await, so that callers keep their order.

        It joins its lane in the writer's own callback: whatever is queued behind it finds it there,
        and a caller that is cancelled meanwhile does not leave it stored but forgotten.
        """
        payload = orjson.dumps(to_plain(event)).decode()
        values = (event.id, lane, memory, getattr(event, "message", ""), payload, event.at)
        stored: list[Turn] = []

        def keep(done: "asyncio.Future[Any]") -> None:
            row = None if done.exception() else done.result()
            if row is not None:
                stored.append(Turn(id=row[0], lane=lane, memory=memory, epoch=row[1], event=event))
                if event.track == "turn":
                    self.waiting.offer(stored[0])

        future = self._writer.put(lambda db: db.execute(INSERT_EVENT, values).fetchone())
        future.add_done_callback(keep)
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError:
            if event.track == "control":  # nobody is left to run it, so it waits in its lane
                future.add_done_callback(
                    lambda _: self.waiting.offer(stored[0]) if stored else None
                )
            raise
        return stored[0] if stored else None

    async def amend(self, lane: str, message: str, text: str) -> bool:
        """Change a waiting message, on disk and then in memory."""
        changed: list[int] = []

        def with_text(turn: Turn) -> Turn:
            if not isinstance(turn.event, MessageReceived):
                return turn
            return replace(turn, event=replace(turn.event, text=text))

        def keep(done: "asyncio.Future[Any]") -> None:
            id = None if done.exception() else done.result()
            if id and self.waiting.change(lane, id, with_text):
                changed.append(id)

        future = self._writer.put(
            lambda db: rows.amend(db, lane, message, text, self.waiting.running(lane))
        )
        future.add_done_callback(keep)
        await asyncio.shield(future)
        return bool(changed)

    async def withdraw(self, lane: str, messages: Sequence[str]) -> int:
        """Drop waiting messages, on disk and then in memory, and the exchanges they began."""

        def keep(done: "asyncio.Future[Any]") -> None:
            if not done.exception():
                self.waiting.take_out(lane, done.result()[0])

        future = self._writer.put(
            lambda db: rows.withdraw(db, lane, messages, self.waiting.running(lane))
        )
        future.add_done_callback(keep)
        closed, forgotten = await asyncio.shield(future)
        return len(closed) + forgotten

    async def schedule(self, event: Event, *, lane: str, memory: str, due: float) -> None:
        """Keep an event until it is due."""
        await self._timers.add(event, lane=lane, memory=memory, due=due)

    # ---- Lanes

    async def claim(self, limit: int) -> Sequence[Turn]:
        """Take ready lanes, oldest news first."""
        return await self.waiting.claim(limit)

    async def finish(self, turn: Turn, result: Result) -> Turn | None:
        """Write everything that a turn leaves behind, then hand over the lane's next turn."""
        await self._writer.put(lambda db: rows.close(db, turn, result))
        return self.waiting.next(turn)

    async def fail(self, turn: Turn, *, not_before: float, counted: bool = True) -> None:
        """Keep the turn at the head of its lane; an event of the control track joins its lane."""
        attempts = turn.attempts + counted
        sql = "update inbox set attempts = ?, started = 0, not_before = ? where id = ?"

        def work(db: sqlite3.Connection) -> tuple[dict[str, Any], tuple[Part, ...]]:
            db.execute(sql, (attempts, not_before, turn.id))
            return rows.journal(db, turn.id)

        steps, parts = await self._writer.put(work)
        again = replace(turn, attempts=attempts, resumed=True, steps=steps, parts=parts)
        self.waiting.again(again, not_before)

    async def cancel(self, turn: Turn) -> None:
        """Leave the mark that a resumed turn reads."""
        await self.save(turn, "stopped", True)

    async def release(self, turn: Turn) -> None:
        """Uncount the attempt that was begun; the row is open, so the next boot offers it."""
        sql = "update inbox set started = 0 where id = ?"
        await self._writer.put(lambda db: db.execute(sql, (turn.id,)).rowcount)

    # ---- Journal

    def save(self, turn: Turn, name: str, value: Any) -> Awaitable[None]:
        """Write one step; the first one of a turn also marks its attempt as begun."""
        payload = orjson.dumps(value).decode()

        def work(db: sqlite3.Connection) -> None:
            db.execute(rows.KEEP_STEP, (turn.id, name, payload))
            if name == "admitted":
                db.execute("update inbox set started = 1 where id = ?", (turn.id,))

        return self._writer.put(work)

    def save_part(self, turn: Turn, part: Part) -> Awaitable[None]:
        """Write or replace one part."""
        values = (turn.id, part.index, part.end, part.digest, part.id, time.time())

        def work(db: sqlite3.Connection) -> None:
            db.execute("insert or replace into parts values (?, ?, ?, ?, ?, ?)", values)

        return self._writer.put(work)

    def drop_part(self, turn: Turn, index: int) -> Awaitable[None]:
        """Forget one part."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("delete from parts where turn = ? and part = ?", (turn.id, index))

        return self._writer.put(work)

    def charge(self, turn: Turn, usage: Usage, cost: float) -> Awaitable[None]:
        """Write one row of the ledger."""
        person = str(getattr(turn.event, "author", ""))
        sums = (usage.input_tokens, usage.output_tokens, usage.estimated, cost)
        values = (time.time(), person, turn.lane, usage.model, *sums)

        def work(db: sqlite3.Connection) -> None:
            db.execute(CHARGE, values)

        return self._writer.put(work)
