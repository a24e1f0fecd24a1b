"""The vectors of lines on SQLite: `bot.ports.memory.LineMeanings`.

Triggers of the schema delete a vector with its line, and with a change of its words.
"""

import asyncio
import importlib
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import aiosqlite

from bot.backends.sqlite.writer import Writer

BARE = """select id, text from
  (select id, text from lines where memory = ?1 order by id desc limit ?4) as newest
where not exists (select 1 from line_vectors where line = newest.id and embedder = ?2)
order by id limit ?3"""
KEEP = """insert or replace into line_vectors
select ?1, ?2, ?3 where exists (select 1 from lines where id = ?1)"""
NEAR = """select lines.id, vector from lines join line_vectors on line = lines.id
where memory = ?1 and embedder = ?2 and lines.id < ?3 and length(vector) = ?5
order by lines.id desc limit ?4"""
MOST = 1_000  # of one memory have vectors, the newest ones: older ones are not looked through
NEWEST = 1 << 62  # more than any line's id


class SqliteLineMeanings:
    """Reads beside the writer; compares in a thread."""

    def __init__(self, writer: Writer, reader: aiosqlite.Connection) -> None:
        self._writer, self._reader = writer, reader

    async def bare(self, memory: str, embedder: str, *, limit: int) -> Sequence[tuple[int, str]]:
        """Read the oldest ones first."""
        rows = await self._reader.execute_fetchall(BARE, (memory, embedder, limit, MOST))
        return [(row[0], row[1]) for row in rows]

    async def keep(self, embedder: str, vectors: Mapping[int, bytes]) -> None:
        """Store them at half their size, in one transaction; those of lines that are gone not."""
        halved = (await _module()).halved
        values = [(id, embedder, halved(vector)) for id, vector in vectors.items()]

        def work(db: sqlite3.Connection) -> None:
            db.executemany(KEEP, values)

        await self._writer.put(work)

    async def near(
        self, memory: str, embedder: str, vector: bytes, *, before: int | None
    ) -> Mapping[int, float]:
        """Compare with the vectors of one memory alone."""
        size = len(vector) // 2  # of others, the same server once made them under the same name
        values = (memory, embedder, NEWEST if before is None else before, MOST, size)
        rows = await self._reader.execute_fetchall(NEAR, values)
        known = {row[0]: row[1] for row in rows}
        if not known:
            return {}
        likeness = (await _module()).likeness
        scores = await asyncio.to_thread(likeness, vector, [*known.values()])
        return dict(zip(known, scores, strict=True))


async def _module() -> Any:
    """Import numpy in a thread, and only where somebody has an embedder."""
    return await asyncio.to_thread(importlib.import_module, "bot.backends.vectors.index")
