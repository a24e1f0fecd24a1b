"""Traces on SQLite; `bot.ports.traces` says what each method does."""

from collections.abc import Collection

import aiosqlite
import orjson

from bot.backends.sqlite.limits import limits
from bot.domain.conversation import Conversation
from bot.ports.traces import Traced

LATEST = """select lane, at, trace from traces where lane = ?1 or (lane > ?1 and lane < ?2)
order by at desc limit 1"""
OF_MESSAGE = """select traces.lane, traces.at, trace from traces where event in (
  select event from answers
  where message in (select value from json_each(?3)) and (lane = ?1 or (lane > ?1 and lane < ?2))
  union select event from inbox
  where message in (select value from json_each(?3)) and (lane = ?1 or (lane > ?1 and lane < ?2))
) order by traces.at desc limit 1"""


class SqliteTraces:
    """Reads what the closing transactions have written."""

    def __init__(self, reader: aiosqlite.Connection) -> None:
        self._reader = reader

    async def latest(self, place: Conversation, *, threads: bool = False) -> Traced | None:
        """Read the newest one."""
        return await self._one(LATEST, limits(place, threads=threads))

    async def of_message(
        self, place: Conversation, messages: Collection[str], *, threads: bool = False
    ) -> Traced | None:
        """Find it by the messages that carry an answer, or by the question."""
        named = orjson.dumps([*messages]).decode()
        return await self._one(OF_MESSAGE, (*limits(place, threads=threads), named))

    async def _one(self, sql: str, values: tuple[str, ...]) -> Traced | None:
        for lane, at, trace in await self._reader.execute_fetchall(sql, values):
            return Traced(lane=lane, at=at, notes=orjson.loads(trace))
        return None
