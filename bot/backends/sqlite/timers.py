"""Events that are stored now and come in later, once, also across restarts."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import orjson

from bot.backends.sqlite import rows
from bot.backends.sqlite.writer import Writer, WriterConnection
from bot.domain.errors import StoreError
from bot.domain.events import Event, from_plain, to_plain
from bot.ports.store import Turn

NEXT = "select event, due, lane, memory, payload from timers order by due limit 1"
KEEP = """insert into timers (event, due, lane, memory, payload) values (?, ?, ?, ?, ?)
on conflict do nothing"""
DAY = 86400.0  # seconds
PAUSE = 1.0  # seconds, while the store cannot take a timer that is due
log = logging.getLogger(__name__)

Ingest = Callable[..., Awaitable[Turn | None]]


class Timers:
    """Sleeps until the next one is due."""

    def __init__(self, writer: Writer, connection: WriterConnection, ingest: Ingest) -> None:
        self._writer, self._connection, self._ingest = writer, connection, ingest
        self._added = asyncio.Event()
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    def start(self) -> None:
        """Begin to wait."""
        self._tasks = (
            asyncio.create_task(self._run(), name="sqlite timers"),
            asyncio.create_task(self._tidy(), name="sqlite tidying"),
        )

    async def stop(self) -> None:
        """Wait no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def add(self, event: Event, *, lane: str, memory: str, due: float) -> None:
        """Keep an event until it is due."""
        values = (event.id, due, lane, memory, orjson.dumps(to_plain(event)).decode())
        await self._writer.put(lambda db: db.execute(KEEP, values).rowcount)
        self._added.set()

    async def _run(self) -> None:
        while True:
            self._added.clear()
            row = await self._connection.run(lambda db: db.execute(NEXT).fetchone())
            pause = row[1] - time.time() if row else None
            if pause is None or pause > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._added.wait(), pause)
                continue
            event, _, lane, memory, payload = row
            try:
                await self._ingest(from_plain(orjson.loads(payload)), lane=lane, memory=memory)
                await self._forget(event)
            except StoreError as error:
                log.error("a timer waits for the store: %s", error)  # noqa: TRY400
                await asyncio.sleep(PAUSE)

    async def _tidy(self) -> None:
        """Delete once a day what was kept for a while only; the start has done so too."""
        while True:
            await asyncio.sleep(DAY)
            with suppress(StoreError):  # another day will do
                await self._writer.put(rows.tidy)

    async def _forget(self, event: str) -> None:
        sql = "delete from timers where event = ?"
        await self._writer.put(lambda db: db.execute(sql, (event,)).rowcount)
