"""The SQL that keeps documents: what takes a connection runs inside one transaction."""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import orjson

from bot.backends.sqlite.writer import Writer
from bot.domain.asking import plain
from bot.domain.text import storable
from bot.ports.library import Chunk, Document

LEFT = "select value from facts where name = 'unscoured'"  # another one after each removal
LEAVE = "insert or replace into facts values ('unscoured', randomblob(8))"
SCOURED = "delete from facts where name = 'unscoured' and value = ?"
COUNTED = """insert into facts values ('merges', 1)
on conflict (name) do update set value = value + 1"""
MOST_MERGES = 400  # of the whole index, before it is made anew; half as many where a bot starts
PAGES = 200  # of the word index that one step of a merge writes, some 50 ms
INSERT = """insert into documents
  (collection, source, title, type, digest, owner, review, link, note, at)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (collection, source) do update set title = excluded.title, type = excluded.type,
  digest = excluded.digest, owner = excluded.owner, review = excluded.review, link = excluded.link,
  note = excluded.note, at = excluded.at
returning id"""
STANDING = """select p.id, p.path, p.text from passages as p
join documents as d on d.id = p.document
where d.collection = ? and d.source = ? and d.title = ?"""
KEEP = """insert or replace into passage_vectors
select ?1, ?2, ?3, ?4 where exists (select 1 from passages where id = ?1)"""
WHERE = """select p.id, d.collection from json_each(?1) as asked
join passages as p on p.id = asked.value join documents as d on d.id = p.document"""


def put(
    db: sqlite3.Connection, document: Document, chunks: Sequence[Chunk]
) -> tuple[int, list[int]]:
    """Store a document; returns its id, and the passages that are no more.

    A passage that says what it said before stays, with its vectors: they may have cost money.
    """
    values = (document.collection, document.source, document.title, document.type, document.digest,
              document.owner, document.review, document.link, document.note)  # fmt: skip
    texts = [storable(text) for text in values]
    before = _standing(db, texts[:3])
    (id,) = db.execute(INSERT, (*texts, document.at)).fetchone()
    ids = [before[said].pop() if before.get(said := _said(chunk)) else None for chunk in chunks]
    gone = _clear(db, id, spare={*ids})
    if gone:
        db.execute(LEAVE)
    for number, (chunk, kept) in enumerate(zip(chunks, ids, strict=True)):
        if kept is None:
            _add(db, (id, number), texts[2], chunk)
        else:
            db.execute("update passages set number = ? where id = ?", (number, kept))
    _merged(db, PAGES)  # what was put before this
    return id, gone


def remove(db: sqlite3.Connection, document: int) -> tuple[bool, list[int]]:
    """Delete a document; returns whether there was one, and the passages that are no more."""
    gone = _clear(db, document)
    if gone:
        db.execute(LEAVE)
    deleted = db.execute("delete from documents where id = ?", (document,)).rowcount
    return bool(deleted), gone


def embedded(
    db: sqlite3.Connection, embedder: str, vectors: Mapping[int, tuple[bytes, bytes]]
) -> dict[int, str]:
    """Store vectors; returns the collections of the passages that still are."""
    for id, (title, body) in vectors.items():
        db.execute("delete from passage_vectors where passage = ? and embedder <> ?",
                   (id, embedder))  # fmt: skip
        db.execute(KEEP, (id, embedder, title, body))
    asked = orjson.dumps([*vectors]).decode()
    return dict(db.execute(WHERE, (asked,)).fetchall())


async def merged(writer: Writer) -> None:
    """Make the word index one part without deleted words, in small steps."""
    more = await writer.put(_begun)
    while more:  # never all anew: what comes meanwhile would keep it from ending
        more = await writer.put(lambda db: _merged(db, PAGES))


def renewed(db: sqlite3.Connection, most: int) -> bool:
    """Make the word index anew, once it was merged as a whole so many times; False if it was not.

    Each time SQLite puts the index on new levels, two as a rule, and before 3.43 it takes more than
    2,000 levels for damage. It takes seconds for 100,000 passages, and nobody writes meanwhile.
    """
    merges = db.execute("select value from facts where name = 'merges'").fetchone()
    if merges is None or merges[0] < most:
        return False
    db.execute("insert into passage_words (passage_words) values ('rebuild')")
    db.execute("delete from facts where name = 'merges'")
    return True


def _begun(db: sqlite3.Connection) -> bool:
    """Begin to merge all there is, also what would rest as it is; False when that is done."""
    if renewed(db, MOST_MERGES) or not _merged(db, -PAGES):
        return False
    db.execute(COUNTED)
    return True


def _merged(db: sqlite3.Connection, pages: int) -> bool:
    """Make parts of the word index one; each word of a search is looked up in all of them."""
    before = db.total_changes
    db.execute("insert into passage_words (passage_words, rank) values ('merge', ?)", (pages,))
    return db.total_changes - before >= 2  # https://www.sqlite.org/fts5.html#the_merge_command


def _standing(
    db: sqlite3.Connection, document: Sequence[str]
) -> defaultdict[tuple[str, str], list[int]]:
    """Return a document's passages by what they say; none where its title, above them, changes."""
    found = defaultdict[tuple[str, str], list[int]](list)
    for id, path, text in db.execute(STANDING, document).fetchall():
        found[path, text].append(id)
    return found


def _said(chunk: Chunk) -> tuple[str, str]:
    path = [storable(heading) for heading in chunk.path]
    return orjson.dumps(path).decode(), storable(chunk.text)


def _add(db: sqlite3.Connection, place: tuple[int, int], document: str, chunk: Chunk) -> None:
    said, text = _said(chunk)
    path = orjson.loads(said)
    values = (*place, said, text, chunk.tokens)
    sql = "insert into passages (document, number, path, text, tokens) values (?, ?, ?, ?, ?)"
    passage = db.execute(sql, values).lastrowid
    title, above = (path[-1], {document: 0} | dict.fromkeys(path[:-1])) if path else (document, {})
    db.execute("insert into passage_words (rowid, title, above, body) values (?, ?, ?, ?)",
               (passage, plain(title), plain(" ".join(above)), plain(text)))  # fmt: skip


def _clear(db: sqlite3.Connection, document: int, spare: Collection[int | None] = ()) -> list[int]:
    rows = db.execute("select id from passages where document = ?", (document,))
    ids = [id for (id,) in rows if id not in spare]
    for sql in (
        "delete from passage_words where rowid = ?",
        "delete from passage_vectors where passage = ?",
        "delete from passages where id = ?",
    ):
        db.executemany(sql, ((id,) for id in ids))
    return ids
