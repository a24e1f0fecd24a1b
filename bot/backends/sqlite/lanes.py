"""Lanes on SQLite: the inbox table is the truth, the lanes themselves live in memory.

One process owns the file, so `running` needs no commit: a lane is claimed by taking it off `ready`.
At boot all open rows are offered again, in their order; those that an attempt had begun count one
attempt more, and from the second on they come back with a growing pause, so that others are
answered before a message that kills the process does so again.
"""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import orjson

from bot.backends.sqlite import changes, rows
from bot.backends.sqlite.timers import Timers
from bot.backends.sqlite.waiting import Waiting
from bot.backends.sqlite.writer import Writer, WriterConnection
from bot.domain.events import Event, MessageDeleted, MessageEdited, MessageReceived
from bot.domain.replies import Part
from bot.ports.store import NewLine, Result, Turn, Withdrawn

# What the bot itself announces says nothing of the platform's clock; its ids bear no platform.
LATENESS = """select min(abs(closed - at)) from (select closed, at from inbox
where closed is not null and instr(event, substr(lane, 1, instr(lane, ':'))) = 1
order by closed desc limit 50)"""
OPEN_S = 0.005  # for which the end of a turn waits for another message


class SqliteLanes:
    """Intake, Lanes and Journal over one writer; `bot.ports.store` says what each method does."""

    def __init__(self, writer: Writer, connection: WriterConnection) -> None:
        self.waiting = Waiting()
        self._writer, self._connection = writer, connection
        self._ended: set[str] = set()  # lanes whose turn has ended, but not on disk yet
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

    async def ingest(
        self, event: Event, *, lane: str, memory: str, answered: Mapping[str, Any] | None = None
    ) -> Turn | None:
        """Store an event; queued before the first await, so that callers keep their order.

        It joins its lane in the writer's own callback: whatever is queued behind it finds it there,
        and a caller that is cancelled meanwhile does not leave it stored but forgotten.
        """
        waits = event.track == "turn" and answered is None
        stored: list[Turn] = []

        def wait(_: object = None) -> None:
            for turn in stored:
                self._offer(turn)

        def keep(done: "asyncio.Future[Any]") -> None:
            if not done.exception() and done.result():
                stored.append(done.result())
            if waits:
                wait()

        future = self._writer.put(
            lambda db: rows.insert(db, event, lane, memory, answered=answered)
        )
        future.add_done_callback(keep)
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError:
            if not waits:  # nobody is left to run it, so it waits in its lane
                future.add_done_callback(wait)
            raise
        return stored[0] if stored else None

    def _offer(self, turn: Turn) -> None:
        """Let a stored turn wait in its lane, but not for one there that has ended already."""
        self.waiting.offer(turn)
        if turn.lane in self._ended:
            self._writer.hurry()

    async def overhear(
        self, event: MessageReceived, line: NewLine, *, lane: str, memory: str
    ) -> bool:
        """Write the line and the id by which the event is known, in one commit."""
        place = (memory, lane)
        return await asyncio.shield(
            self._writer.put(lambda db: rows.overhear(db, event, line, place))
        )

    def count(self, lane: str = "") -> int:
        """Count open turns."""
        return self.waiting.depth(lane) - (lane in self._ended) if lane else self.waiting.count

    async def amend(self, event: MessageEdited, *, within: float) -> Turn | None:
        """Follow an edit on disk and then in memory."""
        lane = str(event.conversation)
        amended: list[Turn | None] = []

        def keep(done: "asyncio.Future[Any]") -> None:
            result = None if done.exception() else done.result()
            if isinstance(result, Turn):
                self.waiting.offer(result)
                amended.append(result)
            elif result:
                amended.append(self.waiting.change(lane, result.id, partial(_changed, result)))

        future = self._writer.put(lambda db: changes.amend(db, event, within))
        future.add_done_callback(keep)
        await asyncio.shield(future)
        return amended[0] if amended else None

    async def withdraw(self, event: MessageDeleted) -> Withdrawn:
        """Follow a deletion on disk and then in memory; only there it is known what runs."""
        lane = str(event.conversation)
        running: list[Turn] = []
        closing: list[asyncio.Future[None]] = []

        def keep(done: "asyncio.Future[Any]") -> None:
            for row in () if done.exception() else done.result().changed:
                turn = self.waiting.change(lane, row.id, partial(_changed, row))
                if turn and self.waiting.state(turn) == "running":
                    running.append(turn)
                elif turn and row.event is None:
                    closing.extend(end(self._writer, self.waiting, turn))

        future = self._writer.put(lambda db: changes.withdraw(db, event))
        future.add_done_callback(keep)
        removed = await asyncio.shield(future)
        await asyncio.gather(*closing)
        return Withdrawn(
            changed=bool(removed.changed or removed.forgotten or removed.answers),
            running=running[0] if running else None,
            answers=removed.answers,
        )

    async def schedule(self, event: Event, *, lane: str, memory: str, due: float) -> None:
        """Keep an event until it is due."""
        await self._timers.add(event, lane=lane, memory=memory, due=due)

    # ---- Lanes

    def current(self, turn: Turn) -> Turn:
        """Look it up in its lane; one of the control track is in none."""
        head = self.waiting.head(turn.lane)
        return head if head is not None and head.id == turn.id else turn

    async def lateness(self) -> float | None:
        """Read it from the rows that were closed last."""
        row = await self._connection.run(lambda db: db.execute(LATENESS).fetchone())
        return None if row is None else row[0]

    async def claim(self, limit: int) -> Sequence[Turn]:
        """Take ready lanes, oldest news first."""
        return await self.waiting.claim(limit)

    async def finish(self, turn: Turn, result: Result) -> Turn | None:
        """Write everything that a turn leaves behind, then hand over the lane's next turn.

        Where none waits, it stays open for a moment: who is answered may write at once, and what
        they write is stored by the same commit. A kill in that moment finds the answer stored, but
        perhaps not under which id it was posted last, as one right behind a post always does.
        """
        changed = await self._closed(turn, result)
        if changed is None:
            return self.waiting.next(turn)
        if changed.lane == turn.lane:
            return self.waiting.change(turn.lane, turn.id, lambda _: changed) or changed
        following = self.waiting.next(turn)
        self.waiting.put_back(changed)
        return following

    async def _closed(self, turn: Turn, result: Result) -> Turn | None:
        """Commit the end of a turn; returns the turn as it is where it may not end."""
        lane = turn.lane
        alone = self.waiting.depth(lane) == 1 and self.waiting.running(lane) == turn.id
        closing = self._writer.put(lambda db: rows.close(db, turn, result), along=alone)
        if not alone:
            return await closing
        self._ended.add(lane)
        hurry = asyncio.get_running_loop().call_later(OPEN_S, self._writer.hurry)
        try:
            changed = await asyncio.shield(closing)  # to await it alone would end its waiting
        finally:
            self._ended.discard(lane)
        hurry.cancel()
        return changed

    async def fail(self, turn: Turn, *, not_before: float, counted: bool = True) -> None:
        """Keep the turn at the head of its lane; an event of the control track joins its lane."""
        attempts = turn.attempts + counted
        sql = "update inbox set attempts = ?, started = 0, not_before = ? where id = ?"

        def work(db: sqlite3.Connection) -> Turn | None:
            db.execute(sql, (attempts, not_before, turn.id))
            return rows.reread(db, turn)

        again = await self._writer.put(work)
        if again is not None:
            self.waiting.again(turn.lane, replace(again, attempts=attempts), not_before)

    def open(self, lane: str) -> Sequence[Turn]:
        """Return what waits or runs in a lane."""
        return self.waiting.turns(lane)

    async def gather(self, turn: Turn, *, album: str = "") -> Turn:
        """Fold what its author wrote since into a turn, on disk and then in memory."""
        head, *followers = self.waiting.turns(turn.lane) or (turn,)
        ids = [after.id for after in followers if not after.steps]
        if head.id != turn.id or not ids:
            return head if head.id == turn.id else turn
        gathered = [head]

        def keep(done: "asyncio.Future[Any]") -> None:
            event, folded = (None, []) if done.exception() else done.result()
            if event is not None:
                self.waiting.take_out(turn.lane, set(folded))
                changed = self.waiting.change(
                    turn.lane, turn.id, lambda now: replace(now, event=event)
                )
                gathered.append(changed or gathered[0])

        future = self._writer.put(lambda db: changes.gather(db, turn.id, ids, album=album))
        future.add_done_callback(keep)
        await asyncio.shield(future)
        return gathered[-1]

    async def cancel(self, turn: Turn) -> None:
        """Leave the mark that a resumed turn reads."""
        await self.save(turn, "stopped", True)

    async def release(self, turn: Turn) -> None:
        """Uncount the attempt that was begun; the row is open, so the next boot offers it."""
        sql = "update inbox set started = 0 where id = ?"
        await self._writer.put(lambda db: db.execute(sql, (turn.id,)).rowcount)

    # ---- Journal

    def save(self, turn: Turn, name: str, value: Any, *, along: bool = False) -> Awaitable[None]:
        """Write one step; the first one of a turn also marks its attempt as begun."""
        payload = orjson.dumps(value).decode()

        def work(db: sqlite3.Connection) -> None:
            db.execute(rows.KEEP_STEP, (turn.id, name, payload))
            if name == "admitted":
                db.execute("update inbox set started = 1 where id = ?", (turn.id,))

        return self._writer.put(work, along=along)

    def save_part(self, turn: Turn, part: Part) -> Awaitable[None]:
        """Write or replace one part; at once where somebody waits for it, else along."""
        values = (turn.id, part.index, part.end, part.digest, part.id, time.time())

        def work(db: sqlite3.Connection) -> None:
            db.execute("insert or replace into parts values (?, ?, ?, ?, ?, ?)", values)

        return self._writer.put(work, along=True)

    def drop_part(self, turn: Turn, index: int) -> Awaitable[None]:
        """Forget one part."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("delete from parts where turn = ? and part = ?", (turn.id, index))

        return self._writer.put(work)


def _changed(row: changes.Changed, turn: Turn) -> Turn:
    steps = {**turn.steps, "forgotten": True} if row.event is None else turn.steps
    return replace(turn, event=row.event or turn.event, revision=row.revision, steps=steps)


def end(writer: Writer, waiting: Waiting, turn: Turn) -> list["asyncio.Future[None]"]:
    """Close a marked turn that does not run; one that has shown something takes that away first."""
    if turn.parts:
        if waiting.state(turn) == "resting":
            waiting.rest(turn.lane, 0)
        return []
    waiting.take_out(turn.lane, {turn.id})
    return [writer.put(lambda db: rows.shut(db, turn.id, "declined"))]
