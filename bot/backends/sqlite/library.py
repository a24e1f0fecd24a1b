"""The library on SQLite: words by FTS5, meanings by vectors; `bot.ports.library` says what is what.

The collections that may be searched are part of every statement, so that nothing else is even
looked at. Only `near` loads numpy, when somebody asks by meaning for the first time.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import orjson

from bot.backends.sqlite import shelving
from bot.backends.sqlite.edition import Edition, Recent
from bot.backends.sqlite.meanings import Meanings
from bot.backends.sqlite.writer import ReadingConnection, Writer, WriterConnection, emptied
from bot.domain.asking import LIGHT
from bot.domain.errors import StoreError
from bot.domain.knowledge import CHAT, Passage
from bot.domain.text import storable
from bot.ports.library import Chunk, Document, Plain, Progress, Scored

log = logging.getLogger(__name__)
T = TypeVar("T")
# The rank is computed for what may be seen only. A title counts as much as four words of the body.
WORDED = """select w.rowid, -bm25(passage_words, 4, 1, 1) as score
from passage_words as w cross join passages as p on p.id = w.rowid
cross join documents as d on d.id = p.document
where passage_words match ?1 and d.collection in (select value from json_each(?2))
order by score desc, w.rowid limit ?3"""
# BM25 gives no weight to a word that half of all passages have, and looks at each of them for it.
EVERYWHERE = """select value from json_each(?1) where 2 * (select count(*) from passage_words
where passage_words match '"' || value || '"') >= (select count(*) from passages)"""
PASSAGES = """select d.collection, p.id, p.document, d.title, p.path, p.text, d.source, d.link
from json_each(?1) as asked join passages as p on p.id = asked.value
join documents as d on d.id = p.document
where d.collection in (select value from json_each(?2)) order by asked.key"""
DOCUMENTS = """select id, collection, source, title, type, digest, owner, review, link, at, note,
  (select count(*) from passages where document = documents.id)
from documents where ?1 in ('', collection) order by collection, source"""
PLAIN = """select p.id, d.title, p.path, p.text from passages as p
join documents as d on d.id = p.document
left join passage_vectors as v on v.passage = p.id and v.embedder = ?1
where v.passage is null order by p.id limit ?2"""
PROGRESS = """select (select count(*) from passage_vectors where embedder = ?1),
  (select count(*) from passages)"""
COUNTS = "select collection, count(*) from documents group by collection order by collection"
KEPT = 500  # passages that are kept in memory: a question looks at up to 50
FIELDS = ("id", "collection", "source", "title", "type", "digest", "owner", "review", "link", "at",
          "note", "chunks")  # fmt: skip


class SqliteLibrary:
    """Library, Shelves and Embeddings."""

    def __init__(
        self,
        writer: Writer,
        connection: WriterConnection,
        reader: ReadingConnection,
        edition: Edition,
    ) -> None:
        self._writer, self._connection, self._reader = writer, connection, reader
        self._edition = edition
        self._meanings = Meanings(reader)
        self._counts: Recent[str, Mapping[str, int]] = edition.keep(1, _one)
        self._passages: Recent[int, tuple[str, Passage]] = edition.keep(KEPT, _one)
        self._everywhere: Recent[str, bool] = edition.keep(len(LIGHT), _one)

    # ---- Library

    async def collections(self) -> Mapping[str, int]:
        """Count documents, anew when they change: it is asked at every question."""
        return (await self._counts.read([COUNTS], self._count))[COUNTS]

    async def _count(self, statements: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        (sql,) = statements
        return {sql: {row[0]: row[1] for row in await self._reader.execute_fetchall(sql)}}

    async def worded(
        self, words: Sequence[str], collections: Sequence[str], *, limit: int
    ) -> Sequence[Scored]:
        """Ask FTS5 for any of the words; each is quoted, so that none is taken for syntax."""
        telling = await self._telling([word for word in words if word.strip()])
        asked = " OR ".join(map(_quoted, telling))
        if not asked:
            return []
        values = (asked, _json(collections), limit)
        rows = await self._reader.rows("passage, score", WORDED, values)
        return sorted(map(Scored._make, rows), key=lambda found: (-found.score, found.passage))

    async def _telling(self, words: Sequence[str]) -> Sequence[str]:
        """Leave out the words that are nearly everywhere, unless there are no others."""
        common = [word for word in words if word in LIGHT]
        everywhere = await self._everywhere.read(common, self._counted)
        return [word for word in words if not everywhere.get(word)] or words

    async def _counted(self, words: Sequence[str]) -> Mapping[str, bool]:
        rows = await self._reader.execute_fetchall(EVERYWHERE, (_json(words),))
        found = {row[0] for row in rows}
        return {word: word in found for word in words}

    async def near(
        self, vector: bytes, embedder: str, collections: Sequence[str], *, limit: int,
        among: Sequence[int] | None = None,
    ) -> Sequence[Scored]:  # fmt: skip
        """Compare with every vector of these collections."""
        return await self._meanings.near(vector, embedder, collections, limit, among)

    async def passages(self, ids: Sequence[int], collections: Sequence[str]) -> Sequence[Passage]:
        """Read those that were not read lately, in one statement."""
        found = await self._passages.read(ids, partial(self._read, collections))
        known = (found[id] for id in ids if id in found)
        return [passage for collection, passage in known if collection in collections]

    async def _read(
        self, collections: Sequence[str], ids: Sequence[int]
    ) -> Mapping[int, tuple[str, Passage]]:
        values = (_json(ids), _json(collections))
        rows = await self._reader.execute_fetchall(PASSAGES, values)
        return {row[1]: (row[0], _passage(row[1:])) for row in rows}

    # ---- Shelves

    async def documents(self, collection: str = "") -> Sequence[Document]:
        """Read what is known of them, without their text."""
        rows = await self._reader.execute_fetchall(DOCUMENTS, (collection,))
        return [Document(**dict(zip(FIELDS, row, strict=True))) for row in rows]

    async def put(self, document: Document, chunks: Sequence[Chunk]) -> int:
        """Replace in one transaction: whoever searches finds the old text or the new one."""
        return await self._changed(lambda db: shelving.put(db, document, chunks))

    async def remove(self, document: int) -> bool:
        """Delete it in one transaction."""
        return await self._changed(lambda db: shelving.remove(db, document))

    async def scour(self) -> bool:
        """Merge the index in small steps, so that others write meanwhile, and empty the log.

        A word that is deleted from FTS5 stays in its index until this.
        """
        left = await self._left()
        await shelving.merged(self._writer)
        if not await self._connection.run(emptied):
            return False
        if left:  # unless something else was removed meanwhile
            await self._writer.put(lambda db: db.execute(shelving.SCOURED, left).rowcount)
        return True

    async def scour_left(self) -> None:
        """Do what is better done before anybody waits: scour what a killed process has removed."""
        try:
            await self._writer.put(lambda db: shelving.renewed(db, shelving.MOST_MERGES // 2))
            if await self._left():
                await self.scour()
        except (StoreError, sqlite3.Error) as error:  # it is no reason not to answer
            log.warning("what was removed of the documents is not wiped yet: %s", error)

    async def _left(self) -> Sequence[bytes] | None:
        return await self._connection.run(lambda db: db.execute(shelving.LEFT).fetchone())

    async def _changed(self, work: Callable[[sqlite3.Connection], tuple[T, Sequence[int]]]) -> T:
        """Change documents and then what is in memory, also for whoever is cancelled meanwhile."""

        async def change() -> T:
            async with self._meanings.changing:
                result, gone = await self._writer.put(work)
                self._edition.change()
                await self._meanings.drop(gone)
            return result

        changing = asyncio.create_task(change(), name="documents")
        changing.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(changing)

    # ---- Embeddings

    async def plain(self, embedder: str, *, limit: int) -> Sequence[Plain]:
        """Read the next ones."""
        rows = await self._reader.execute_fetchall(PLAIN, (embedder, limit))
        return [_plain(*row) for row in rows]

    async def embedded(self, embedder: str, vectors: Mapping[int, tuple[bytes, bytes]]) -> None:
        """Store the vectors of passages that still are."""
        packed = await self._meanings.packed(vectors)

        def work(db: sqlite3.Connection) -> Mapping[int, str]:
            return shelving.embedded(db, embedder, packed)

        async with self._meanings.changing:
            kept = await self._writer.put(work)
            await self._meanings.put(embedder, packed, kept)

    async def progress(self, embedder: str) -> Progress:
        """Count both in one statement."""
        (row,) = await self._reader.execute_fetchall(PROGRESS, (embedder,))
        return Progress(*row)


def _one(_key: object, _value: object) -> int:
    return 1


def _passage(row: Sequence[Any]) -> Passage:
    id, document, title, path, text, source, link = row
    return Passage(
        id=id, document=document, title=title, path=tuple(orjson.loads(path)), text=text,
        source=_shown(source), link=link,
    )  # fmt: skip


def _shown(source: str) -> str:
    """Return a source as people may see it: no path of this machine, and no key of ours."""
    if source.startswith(CHAT):
        return ""
    return source.rpartition("/")[2] if source.startswith("/") else source


def _plain(id: int, document: str, path: str, text: str) -> Plain:
    headings = orjson.loads(path) or [document]
    return Plain(id, headings[-1], f"{' › '.join(headings)}\n{text}")


def _quoted(word: str) -> str:
    doubled = storable(word).replace('"', '""')
    return f'"{doubled}"'


def _json(values: Sequence[object]) -> str:
    return orjson.dumps([*values]).decode()
