"""Lanes on SQLite: the inbox table is the truth, the lanes themselves live in memory.

One process owns the file, so `running` needs no commit: a lane is claimed by taking it off `ready`.
At boot all open rows are offered again, in their order; those that an attempt had begun count one
attempt more, and from the second on they come back with a growing pause, so that a message that
kills the process does not take the others with it.
"""

import asyncio
import heapq
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from bot.backends.sqlite import rows
from bot.backends.sqlite.writer import Writer, WriterConnection
from bot.domain.errors import StoreBusy
from bot.domain.events import Event, MessageReceived, from_plain, to_plain
from bot.domain.replies import Part
from bot.ports.store import Result, Turn

INSERT_EVENT = """insert into inbox (event, lane, memory, epoch, message, payload, at)
values (?1, ?2, ?3, coalesce((select epoch from memories where key = ?3), 0), ?4, ?5, ?6)
on conflict do nothing returning id, epoch"""
TIMER_PAUSE = 1.0  # seconds, while the store cannot take a timer that is due


class SqliteLanes:
    """Intake, Lanes and Journal over one writer; `bot.ports.store` says what each method does."""

    def __init__(self, writer: Writer, connection: WriterConnection) -> None:
        self._writer, self._connection = writer, connection
        self._lanes: dict[str, deque[Turn]] = {}
        self._held: set[str] = set()  # lanes that are claimed, or wait for their time
        self._ready: deque[str] = deque()
        self._delayed: list[tuple[float, str]] = []
        self._wake = asyncio.Event()
        self._timers: asyncio.Task[None] | None = None

    # ---- start and stop

    async def boot(self) -> None:
        """Offer every open row again, with what its earlier attempts have journaled."""
        for turn, not_before in await self._connection.run(rows.unfinished):
            self._offer(turn, not_before=not_before)
        self._timers = asyncio.create_task(self._fire_timers(), name="sqlite timers")

    async def stop(self) -> None:
        """Stop the timers."""
        if self._timers:
            self._timers.cancel()
            await asyncio.gather(self._timers, return_exceptions=True)

    # ---- Intake

    async def ingest(self, event: Event, *, lane: str, memory: str) -> Turn | None:
        """Store an event; queued before the first await, so that callers keep their order."""
        payload = orjson.dumps(to_plain(event)).decode()
        message = getattr(event, "message", "")
        values = (event.id, lane, memory, message, payload, event.at)
        row = await self._writer.put(lambda db: db.execute(INSERT_EVENT, values).fetchone())
        if row is None:
            return None
        turn = Turn(id=row[0], lane=lane, memory=memory, epoch=row[1], event=event)
        if event.track == "turn":
            self._offer(turn)
        return turn

    async def amend(self, lane: str, message: str, text: str) -> bool:
        """Change a waiting message, in memory and on disk."""
        first = 1 if lane in self._held else 0
        for index, turn in enumerate(self._lanes.get(lane, ())):
            if index < first or not isinstance(turn.event, MessageReceived):
                continue
            if turn.event.message == message:
                event = replace(turn.event, text=text)
                self._lanes[lane][index] = replace(turn, event=event)
                await self._rewrite(turn.id, event)
                return True
        return False

    async def withdraw(self, lane: str, messages: Sequence[str]) -> int:
        """Drop waiting messages and the lines that they left in memory."""
        gone = [t for t in self._waiting(lane) if getattr(t.event, "message", None) in messages]
        if gone:
            ids = {turn.id for turn in gone}
            self._lanes[lane] = deque(t for t in self._lanes[lane] if t.id not in ids)
            if not self._lanes[lane] and lane not in self._held:
                del self._lanes[lane]

        def work(db: sqlite3.Connection) -> int:
            db.executemany(rows.CLOSE, [("declined", time.time(), turn.id) for turn in gone])
            marks = ",".join("?" * len(messages))
            sql = f"delete from lines where lane = ? and message in ({marks})"
            return db.execute(sql, (lane, *messages)).rowcount

        return len(gone) + await self._writer.put(work)

    async def schedule(self, event: Event, *, lane: str, memory: str, due: float) -> None:
        """Keep an event until it is due."""
        values = (event.id, due, lane, memory, orjson.dumps(to_plain(event)).decode())
        sql = "insert into timers (event, due, lane, memory, payload) values (?, ?, ?, ?, ?)"
        await self._writer.put(
            lambda db: db.execute(f"{sql} on conflict do nothing", values).rowcount
        )
        if self._timers:
            self._timers.cancel()
        self._timers = asyncio.create_task(self._fire_timers(), name="sqlite timers")

    # ---- Lanes

    async def claim(self, limit: int) -> Sequence[Turn]:
        """Take ready lanes, oldest news first."""
        while True:
            pause = self._wake_delayed()
            turns: list[Turn] = []
            while self._ready and len(turns) < limit:
                lane = self._ready.popleft()
                if self._lanes.get(lane) and lane not in self._held:
                    self._held.add(lane)
                    turns.append(self._lanes[lane][0])
            if turns:
                return turns
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                continue

    async def finish(self, turn: Turn, result: Result) -> Turn | None:
        """Write everything that a turn leaves behind, then hand over the lane's next turn."""
        await self._writer.put(lambda db: rows.close(db, turn, result))
        return self._next(turn)

    async def fail(self, turn: Turn, *, not_before: float, counted: bool = True) -> None:
        """Keep the turn at the head of its lane; an event of the control track joins its lane."""
        attempts = turn.attempts + counted
        sql = "update inbox set attempts = ?, started = 0, not_before = ? where id = ?"
        await self._writer.put(lambda db: db.execute(sql, (attempts, not_before, turn.id)).rowcount)
        steps, parts = await self._connection.run(lambda db: rows.journal(db, turn.id))
        again = replace(turn, attempts=attempts, resumed=True, steps=steps, parts=parts)
        lane = self._lanes.get(turn.lane)
        if lane and lane[0].id == turn.id:
            lane[0] = again
            self._delay(turn.lane, not_before)
        else:
            self._offer(again, not_before=not_before)

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
            db.execute("insert or replace into steps values (?, ?, ?)", (turn.id, name, payload))
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

    # ---- lanes in memory

    async def _rewrite(self, turn: int, event: Event) -> None:
        values = (orjson.dumps(to_plain(event)).decode(), turn)
        sql = "update inbox set payload = ? where id = ? and payload is not null"
        await self._writer.put(lambda db: db.execute(sql, values).rowcount)

    def _offer(self, turn: Turn, *, not_before: float = 0.0) -> None:
        lane = self._lanes.get(turn.lane)
        if lane is not None:
            lane.append(turn)
            return
        self._lanes[turn.lane] = deque([turn])
        self._delay(turn.lane, not_before)

    def _delay(self, lane: str, not_before: float) -> None:
        if not_before > time.time():
            self._held.add(lane)
            heapq.heappush(self._delayed, (not_before, lane))
        else:
            self._held.discard(lane)
            self._ready.append(lane)
        self._wake.set()

    def _wake_delayed(self) -> float | None:
        """Move lanes whose time has come to `ready`; returns seconds until the next one."""
        while self._delayed:
            due, lane = self._delayed[0]
            pause = due - time.time()
            if pause > 0:
                return pause
            heapq.heappop(self._delayed)
            self._held.discard(lane)
            self._ready.append(lane)
        return None

    def _waiting(self, lane: str) -> list[Turn]:
        turns = list(self._lanes.get(lane, ()))
        return turns[1:] if lane in self._held else turns

    def _next(self, turn: Turn) -> Turn | None:
        lane = self._lanes.get(turn.lane)
        if not lane or lane[0].id != turn.id:
            return None
        lane.popleft()
        if lane:
            return lane[0]
        del self._lanes[turn.lane]
        self._held.discard(turn.lane)
        return None

    async def _fire_timers(self) -> None:
        sql = "select event, due, lane, memory, payload from timers order by due limit 1"
        while row := await self._connection.run(lambda db: db.execute(sql).fetchone()):
            event, due, lane, memory, payload = row
            await asyncio.sleep(max(0.0, due - time.time()))
            try:
                await self.ingest(from_plain(orjson.loads(payload)), lane=lane, memory=memory)
                await self._forget_timer(event)
            except StoreBusy:
                await asyncio.sleep(TIMER_PAUSE)

    async def _forget_timer(self, event: str) -> None:
        sql = "delete from timers where event = ?"
        await self._writer.put(lambda db: db.execute(sql, (event,)).rowcount)
