"""Lanes on SQLite: the inbox table is the truth, the lanes themselves live in memory.

One process owns the file, so `running` needs no commit: a lane is claimed by taking it off `ready`.
At boot all open rows are offered again, in their order; those that an attempt had begun count one
attempt more, and from the second on they come back with a growing pause, so that others are
answered before a message that kills the process does so again.
"""

import asyncio
import heapq
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson

from bot.backends.sqlite import rows
from bot.backends.sqlite.writer import Writer, WriterConnection
from bot.domain.errors import StoreError
from bot.domain.events import Event, MessageReceived, from_plain, to_plain
from bot.domain.replies import Part, Usage
from bot.ports.store import Result, Turn

INSERT_EVENT = """insert into inbox (event, lane, memory, epoch, message, payload, at)
values (?1, ?2, ?3, coalesce((select epoch from memories where key = ?3), 0), ?4, ?5, ?6)
on conflict do nothing returning id, epoch"""
CHARGE = """insert into ledger (at, person, lane, model, input, output, estimated, cost)
values (?, ?, ?, ?, ?, ?, ?, ?)"""
log = logging.getLogger(__name__)
LONGEST_REST = 60.0  # seconds that a lane waits for its next attempt
TIMER_PAUSE = 1.0  # seconds, while the store cannot take a timer that is due


class SqliteLanes:
    """Intake, Lanes and Journal over one writer; `bot.ports.store` says what each method does."""

    def __init__(self, writer: Writer, connection: WriterConnection) -> None:
        self._writer, self._connection = writer, connection
        self._lanes: dict[str, deque[Turn]] = {}
        self._running: set[str] = set()  # lanes that are claimed: their first turn is being run
        self._resting: set[str] = set()  # lanes whose first turn waits for its next attempt
        self._ready: deque[str] = deque()
        self._delayed: list[tuple[float, str]] = []
        self._wake = asyncio.Event()
        self._due = asyncio.Event()  # a timer was added
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
                    self._offer(stored[0])

        future = self._writer.put(lambda db: db.execute(INSERT_EVENT, values).fetchone())
        future.add_done_callback(keep)
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError:
            if event.track == "control":  # nobody is left to run it, so it waits in its lane
                future.add_done_callback(lambda _: self._offer(stored[0]) if stored else None)
            raise
        return stored[0] if stored else None

    async def amend(self, lane: str, message: str, text: str) -> bool:
        """Change a waiting message, on disk and then in memory."""
        changed: list[Turn] = []

        def keep(done: "asyncio.Future[Any]") -> None:
            id = None if done.exception() else done.result()
            for index, turn in enumerate(self._lanes.get(lane, ())):
                if turn.id == id and isinstance(turn.event, MessageReceived):
                    changed.append(replace(turn, event=replace(turn.event, text=text)))
                    self._lanes[lane][index] = changed[0]

        future = self._writer.put(lambda db: rows.amend(db, lane, message, text, self._runs(lane)))
        future.add_done_callback(keep)
        await asyncio.shield(future)
        return bool(changed)

    async def withdraw(self, lane: str, messages: Sequence[str]) -> int:
        """Drop waiting messages, on disk and then in memory, and the exchanges they began."""

        def keep(done: "asyncio.Future[Any]") -> None:
            gone = set() if done.exception() else done.result()[0]
            if gone and lane in self._lanes:
                self._lanes[lane] = deque(t for t in self._lanes[lane] if t.id not in gone)
                if not self._lanes[lane] and lane not in self._running:
                    del self._lanes[lane]

        future = self._writer.put(lambda db: rows.withdraw(db, lane, messages, self._runs(lane)))
        future.add_done_callback(keep)
        closed, forgotten = await asyncio.shield(future)
        return len(closed) + forgotten

    async def schedule(self, event: Event, *, lane: str, memory: str, due: float) -> None:
        """Keep an event until it is due."""
        values = (event.id, due, lane, memory, orjson.dumps(to_plain(event)).decode())
        sql = "insert into timers (event, due, lane, memory, payload) values (?, ?, ?, ?, ?)"
        await self._writer.put(
            lambda db: db.execute(f"{sql} on conflict do nothing", values).rowcount
        )
        self._due.set()

    # ---- Lanes

    async def claim(self, limit: int) -> Sequence[Turn]:
        """Take ready lanes, oldest news first."""
        while True:
            pause = self._wake_rested()
            turns: list[Turn] = []
            while self._ready and len(turns) < limit:
                lane = self._ready.popleft()
                if lane in self._running or lane in self._resting:
                    continue
                if self._lanes.get(lane):
                    self._running.add(lane)
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

        def work(db: sqlite3.Connection) -> tuple[dict[str, Any], tuple[Part, ...]]:
            db.execute(sql, (attempts, not_before, turn.id))
            return rows.journal(db, turn.id)

        steps, parts = await self._writer.put(work)
        again = replace(turn, attempts=attempts, resumed=True, steps=steps, parts=parts)
        lane = self._lanes.get(turn.lane)
        if lane and lane[0].id == turn.id:
            lane[0] = again
            self._running.discard(turn.lane)
            self._rest(turn.lane, not_before)
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

    # ---- lanes in memory

    def _offer(self, turn: Turn, *, not_before: float = 0.0) -> None:
        lane = self._lanes.get(turn.lane)
        if lane is not None:
            lane.append(turn)
            return
        self._lanes[turn.lane] = deque([turn])
        self._rest(turn.lane, not_before)

    def _rest(self, lane: str, not_before: float) -> None:
        """Let a lane wait; on the monotonic clock, since the system's may be set back."""
        pause = min(not_before - time.time(), LONGEST_REST)
        if pause > 0:
            self._resting.add(lane)
            due = asyncio.get_running_loop().time() + pause
            heapq.heappush(self._delayed, (due, lane))
        else:
            self._ready.append(lane)
        self._wake.set()

    def _wake_rested(self) -> float | None:
        """Move lanes whose time has come to `ready`; returns seconds until the next one."""
        while self._delayed:
            due, lane = self._delayed[0]
            pause = due - asyncio.get_running_loop().time()
            if pause > 0:
                return pause
            heapq.heappop(self._delayed)
            self._resting.discard(lane)
            self._ready.append(lane)
        return None

    def _runs(self, lane: str) -> int:
        """Return the id of the turn that runs in a lane; 0 when none does."""
        return self._lanes[lane][0].id if lane in self._running else 0

    def _next(self, turn: Turn) -> Turn | None:
        lane = self._lanes.get(turn.lane)
        if not lane or lane[0].id != turn.id:
            return None
        lane.popleft()
        if lane:
            return lane[0]
        del self._lanes[turn.lane]
        self._running.discard(turn.lane)
        return None

    async def _fire_timers(self) -> None:
        sql = "select event, due, lane, memory, payload from timers order by due limit 1"
        while True:
            self._due.clear()
            row = await self._connection.run(lambda db: db.execute(sql).fetchone())
            pause = row[1] - time.time() if row else None
            if pause is None or pause > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._due.wait(), pause)
                continue
            event, _, lane, memory, payload = row
            try:
                await self.ingest(from_plain(orjson.loads(payload)), lane=lane, memory=memory)
                await self._forget_timer(event)
            except StoreError as error:
                log.error("a timer waits for the store: %s", error)  # noqa: TRY400
                await asyncio.sleep(TIMER_PAUSE)

    async def _forget_timer(self, event: str) -> None:
        sql = "delete from timers where event = ?"
        await self._writer.put(lambda db: db.execute(sql, (event,)).rowcount)
