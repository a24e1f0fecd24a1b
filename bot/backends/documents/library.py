"""Finds the entry that answers a question by its words, in an index that is kept in memory."""

import sqlite3
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.backends.documents.reading import Entry
from bot.domain.asking import Vocabulary, carries_topic, continues, plain, words
from bot.domain.coverage import CANDIDATES, CONTEXT, Fit, Word, candidates, fits, information

NEAR = 0.85  # of the best score: these entries may answer as well

_SCHEMA = """
create virtual table entries using fts5(
    title, above, body, content='', tokenize='porter unicode61 remove_diacritics 2');
create virtual table synonyms using fts5(
    words, tokenize='porter unicode61 remove_diacritics 2');
"""
_RANKED = """
select rowid, -bm25(entries, 4, 1, 1) from entries where entries match ? order by 2 desc limit ?
"""


@dataclass(frozen=True, slots=True)
class Match:
    """One entry that has words of the question, and how well it fits."""

    entry: Entry
    fit: Fit


class Library:
    """Entries with a full-text index in memory; a few milliseconds for a handbook."""

    def __init__(self, entries: Sequence[Entry], synonyms: Iterable[str] = ()) -> None:
        self.entries = tuple(entries)
        self.files = len({entry.file for entry in entries})
        # The index is never written to again, so any thread may read it.
        self._index = sqlite3.connect(":memory:", check_same_thread=False)
        weakref.finalize(self, self._index.close)
        self._index.executescript(_SCHEMA)
        self._index.executemany(
            "insert into synonyms (words) values (?)", ((plain(group),) for group in synonyms)
        )
        self._index.executemany(
            "insert into entries (rowid, title, above, body) values (?, ?, ?, ?)",
            (
                (row, plain(entry.title), plain(" ".join(entry.path[:-1])), plain(entry.body))
                for row, entry in enumerate(self.entries)
            ),
        )
        self._vocabulary = Vocabulary(f"{entry.name} {entry.body}" for entry in self.entries)

    def search(self, question: str, before: str = "") -> list[Match]:
        """Return the entries that have words of the question, best first.

        Args:
            question: what is asked now.
            before: what the same person asked before; a short question may continue it.
        """
        asked = words(question)
        topic = self._look_up(filter(carries_topic, asked), 1.0)
        alone = self._ranked(asked, topic) if topic else []
        if not before or not continues(asked, len(topic)) or (alone and alone[0].fit.answers):
            return alone  # the question before may have been about something else
        said = self._look_up(filter(carries_topic, words(before)), CONTEXT)
        topic = {word: found for word, found in said.items() if found.passages} | topic
        return self._ranked(asked, topic) if topic else []

    def _look_up(self, found: Iterable[str], weight: float) -> dict[str, Word]:
        topic: dict[str, Word] = {}
        for word in found:
            query = self._query(word)
            entries = self._having(query)
            if not entries and (meant := self._vocabulary.meant(word)):
                word, query = meant, self._query(meant)  # noqa: PLW2901
                entries = self._having(query)
            titles = self._having(f"title: ({query})") if entries else entries
            rarity = information(len(entries), len(self.entries))
            topic[word] = Word(weight * rarity, entries, titles)
        return topic

    def _query(self, word: str) -> str:
        """Return a query for a word and those that mean the same."""
        groups = self._index.execute(
            "select words from synonyms where words match ?", (f'"{word}"',)
        )
        same = dict.fromkeys([word, *(other for (group,) in groups for other in words(group))])
        return " OR ".join(f'"{other}"' for other in same)

    def _having(self, query: str) -> frozenset[int]:
        rows = self._index.execute("select rowid from entries where entries match ?", (query,))
        return frozenset(row for (row,) in rows)

    def _ranked(self, asked: list[str], topic: dict[str, Word]) -> list[Match]:
        ranks = self._ranks([*topic, *asked])
        found = candidates(topic.values())
        ranked = fits(topic.values(), found, ranks, lambda row: self.entries[row].title)
        return [Match(self.entries[fit.passage], fit) for fit in ranked]

    def _ranks(self, asked: list[str]) -> dict[int, float]:
        """Return by entry how well it fits by BM25 to all words of the question, the best as 1."""
        query = " OR ".join(f'"{word}"' for word in dict.fromkeys(asked))
        rows = self._index.execute(_RANKED, (query, CANDIDATES)).fetchall()
        return {row: rank / rows[0][1] for row, rank in rows}
