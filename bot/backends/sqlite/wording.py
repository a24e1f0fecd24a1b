"""Where single words of the library stand: `bot.ports.library.Wording`."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from bot.backends.sqlite.edition import Edition, Recent
from bot.backends.sqlite.writer import ReadingConnection
from bot.domain.asking import SHORTEST_SWAPPED, mistyped
from bot.ports.library import Having

PART = """select * from (select {number}, {title}, w.rowid from passage_words as w
join passages as p on p.id = w.rowid join documents as d on d.id = p.document
where passage_words match ?{at} and d.collection in (select value from json_each(?1)) limit ?2)"""
KEPT = 50_000  # places of words that are kept in memory: the words of questions come again
KEPT_SLIPS = 1_000
ENTRY = 8  # what keeping a word weighs beside its places
LONGEST_KEPT = 32  # letters: anybody may write a word as long as a question
SIZE_S = 10.0  # for which a count holds
SIZE = """select count(*) from passages as p join documents as d on d.id = p.document
where d.collection in (select value from json_each(?1))"""
TERMS = "select term from passage_terms where term >= ?1 and term < ?2 order by term limit ?3"
MOST_TERMS = 5000  # of one first letter that are looked at
MOST_NEAR = 20  # of them that are looked up
ENDINGS = ("ings", "ing", "ies", "es", "ed", "s", "y", "e")  # the index knows words without them


Key = tuple[Any, ...]  # a word, and what it was looked for in


class SqliteWording:
    """Reads the full-text index."""

    def __init__(self, reader: ReadingConnection, edition: Edition) -> None:
        self._reader, self._edition = reader, edition
        self._places: Recent[Key, Having] = edition.keep(KEPT, _weight)
        self._slips: Recent[Key, str] = edition.keep(KEPT_SLIPS, lambda _, meant: bool(meant))
        self._sizes: dict[tuple[str, ...], tuple[float, int]] = {}  # when, and how many

    async def having(
        self, words: Sequence[str], collections: Sequence[str], *, limit: int
    ) -> Sequence[Having]:
        """Ask for words that were not asked for lately, all in one statement."""
        keys = [(word, limit, *collections) for word in words]

        async def missing(unknown: Sequence[Key]) -> Mapping[Key, Having]:
            read = await self._read([key[0] for key in unknown], collections, limit)
            return dict(zip(unknown, read, strict=True))

        found = await self._places.read(keys, missing)
        return [found[key] for key in keys]

    async def _read(
        self, words: Sequence[str], collections: Sequence[str], limit: int
    ) -> Sequence[Having]:
        parts = [
            PART.format(number=number, title=title, at=3 + 2 * number + title)
            for number in range(len(words))
            for title in (0, 1)
        ]
        queries = [f'title : "{word}"' if title else f'"{word}"'
                   for word in words for title in (0, 1)]  # fmt: skip
        values = (_json(collections), limit + 1, *queries)
        found: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, title, row in await self._reader.execute_fetchall(
            " union all ".join(parts), values
        ):
            found[number, title].append(row)
        return [_having(found[n, 0], found[n, 1], limit) for n in range(len(words))]

    async def size(self, collections: Sequence[str]) -> int:
        """Count, once in a while: how rare a word is changes slowly."""
        key, now = tuple(collections), time.monotonic()
        known = self._sizes.get(key)
        if known is None or now - known[0] > SIZE_S:
            ((count,),) = await self._reader.execute_fetchall(SIZE, (_json(collections),))
            self._sizes = {**self._sizes, key: (now, int(count))} if len(self._sizes) < 64 else {}
            return int(count)
        return known[1]

    async def meant(self, word: str, collections: Sequence[str]) -> str:
        """Look among all words with the same first letter, and then where they stand."""
        if len(word) < SHORTEST_SWAPPED or not word.isalpha():
            return ""
        key = (word, *collections)

        async def missing(_: Sequence[Key]) -> Mapping[Key, str]:
            return {key: await self._found(word, collections)}

        return (await self._slips.read([key], missing))[key]

    async def _found(self, word: str, collections: Sequence[str]) -> str:
        span = (word[0], chr(ord(word[0]) + 1), MOST_TERMS)
        typed = (word, *(word.removesuffix(end) for end in ENDINGS if word.endswith(end)))
        known = [term for (term,) in await self._reader.rows("term", TERMS, span)]
        near = [term for term in known if len(term) >= SHORTEST_SWAPPED
                and any(mistyped(form, term) for form in typed)]  # fmt: skip
        near = sorted(near, key=lambda term: (abs(len(term) - len(word)), term))[:MOST_NEAR]
        where = await self.having(near, collections, limit=1)
        there = (term for term, found in zip(near, where, strict=True)
                 if found.passages or found.many)  # fmt: skip
        return next(there, "")


def _weight(key: Key, found: Having) -> int:
    """Weigh what is known of a word; what no document says is not kept."""
    places = found.many + len(found.passages) + len(found.titles)
    return ENTRY + places if places and len(str(key[0])) <= LONGEST_KEPT else 0


def _having(passages: Sequence[int], titles: Sequence[int], limit: int) -> Having:
    if len(passages) > limit:
        return Having(frozenset(), frozenset(), many=True)
    return Having(frozenset(passages), frozenset(titles))


def _json(values: Sequence[object]) -> str:
    return orjson.dumps([*values]).decode()
