"""The vectors of passages in memory: one index per embedder and collection, loaded when asked for.

Since a passage of a collection that may not be searched is in another index, it cannot be found.
Changes of the store and of what is in memory happen under one lock, so that both stay the same.
"""

import asyncio
import importlib
import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import aiosqlite

from bot.ports.library import Scored

log = logging.getLogger(__name__)
PAGE = 2000  # vectors that are read at once
LOAD = """select v.passage, d.collection, v.title, v.body from passage_vectors as v
join passages as p on p.id = v.passage join documents as d on d.id = p.document
where v.embedder = ? and v.passage > ? order by v.passage limit ?"""

Vectors = Mapping[int, tuple[bytes, bytes]]


class Meanings:
    """What passages mean, for one embedder at a time: another one takes its place."""

    def __init__(self, reader: aiosqlite.Connection) -> None:
        self.changing = asyncio.Lock()  # held by whoever changes vectors in the store
        self._reader = reader
        self._embedder = ""  # whose vectors are loaded
        self._indexes: dict[tuple[str, int], Any] = {}  # by collection and bytes of a vector

    async def near(
        self, vector: bytes, embedder: str, collections: Sequence[str], limit: int,
        among: Sequence[int] | None = None,
    ) -> Sequence[Scored]:  # fmt: skip
        """Return the nearest passages of these collections, best first.

        A server may make other vectors under the same name: those of another size are passed over.
        """
        async with self.changing:
            if self._embedder != embedder:
                await self._load(embedder)
        size = len(vector) // 2  # they are stored at half their size
        wanted = [self._indexes[name, size] for name in set(collections)
                  if (name, size) in self._indexes]  # fmt: skip
        if not wanted and self._indexes:
            log.warning("%s: its vectors have another size than those of the passages", embedder)
        found = [
            Scored(*near)
            for index in wanted
            for near in await index.search(vector, limit=limit, allowed=among)
        ]
        return sorted(found, key=lambda one: (-one.score, one.passage))[:limit]

    async def packed(self, vectors: Vectors) -> Vectors:
        """Return vectors at half their size, as they are stored."""
        halved = (await _module()).halved
        return {id: (halved(title), halved(body)) for id, (title, body) in vectors.items()}

    async def put(self, embedder: str, vectors: Vectors, kept: Mapping[int, str]) -> None:
        """Take in what was stored, by collection; the caller holds `changing`."""
        if self._embedder == embedder:
            by_collection: dict[str, dict[int, tuple[bytes, bytes]]] = defaultdict(dict)
            for id, collection in kept.items():
                by_collection[collection][id] = vectors[id]
            await self._add(by_collection)

    async def drop(self, ids: Collection[int]) -> None:
        """Forget passages that are gone; the caller holds `changing`."""
        if ids:
            for index in self._indexes.values():
                await index.drop(ids)

    async def _load(self, embedder: str) -> None:
        self._embedder, self._indexes = "", {}
        last = 0
        while True:
            rows = list(await self._reader.execute_fetchall(LOAD, (embedder, last, PAGE)))
            by_collection: dict[str, dict[int, tuple[bytes, bytes]]] = defaultdict(dict)
            for id, collection, title, body in rows:
                by_collection[collection][id] = (title, body)
            await self._add(by_collection)
            if len(rows) < PAGE:
                break
            last = rows[-1][0]
        self._embedder = embedder

    async def _add(self, by_collection: Mapping[str, Vectors]) -> None:
        module = await _module()
        for name, vectors in by_collection.items():
            sized: dict[int, dict[int, tuple[bytes]]] = defaultdict(dict)
            for id, (title, body) in vectors.items():
                sized[len(title)][id] = (module.merged(title, body),)
            for size, one in sized.items():
                if (name, size) not in self._indexes:
                    self._indexes[name, size] = module.VectorIndex()
                await self._indexes[name, size].put(one, half=True)


async def _module() -> Any:
    """Import numpy in a thread, and only where somebody has an embedder."""
    return await asyncio.to_thread(importlib.import_module, "bot.backends.vectors.index")
