"""Finds the entry that answers a question, and knows when none does.

The order comes from which words an entry has and where; whether the best entry answers at all is
its coverage: the share of the question's information that it contains. A word's information is its
inverse document frequency, so a word that no document knows weighs most against an answer.
Weights and thresholds were chosen on labelled questions (tests/unit/backends/documents).
"""

import math
import sqlite3
import weakref
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from heapq import nlargest

from bot.backends.documents.reading import Entry
from bot.backends.documents.words import Vocabulary, carries_topic, plain, words

ENOUGH = 0.5  # coverage by two or more words: below it an answer would be a guess
ENOUGH_ALONE = 0.65  # coverage by a single word
RELATED = 0.3  # coverage of an entry that is worth a mention
NEAR = 0.85  # of the best score: these entries may answer as well
IN_TITLE, WHOLE_TITLE, RANK = 0.5, 0.4, 0.2  # what a score gains beside coverage
CONTEXT = 0.3  # weight of a word of the question before, in a short question that continues it
SHORT = 2  # words that carry the topic
BARE = 3  # words, of which none does
CANDIDATES = 50

_SCHEMA = """
create virtual table entries using fts5(
    title, above, body, content='', tokenize='porter unicode61 remove_diacritics 2');
create virtual table synonyms using fts5(
    words, tokenize='porter unicode61 remove_diacritics 2');
"""
_RANKED = """
select rowid, -bm25(entries, 4, 1, 1) from entries where entries match ? order by 2 desc limit ?
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One entry that has words of the question."""

    entry: Entry
    found: int  # words of the question that the entry has
    titled: int  # and of these, how many are in its title
    coverage: float  # 0 to 1
    score: float

    @property
    def answers(self) -> bool:
        """Whether the entry covers enough of the question to be quoted as its answer."""
        return self.coverage >= (ENOUGH if self.found > 1 else ENOUGH_ALONE)

    @property
    def related(self) -> bool:
        """Whether the entry is worth a mention when nothing answers."""
        return self.titled > 0 and self.coverage >= RELATED


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of a question and the entries that have it."""

    information: float
    entries: frozenset[int]
    titles: frozenset[int]


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
        if not before or not _continues(asked, topic) or (alone and alone[0].answers):
            return alone  # the question before may have been about something else
        said = self._look_up(filter(carries_topic, words(before)), CONTEXT)
        topic = {word: found for word, found in said.items() if found.entries} | topic
        return self._ranked(asked, topic) if topic else []

    def _look_up(self, found: Iterable[str], weight: float) -> dict[str, _Word]:
        topic: dict[str, _Word] = {}
        for word in found:
            query = self._query(word)
            entries = self._having(query)
            if not entries and (meant := self._vocabulary.meant(word)):
                word, query = meant, self._query(meant)  # noqa: PLW2901
                entries = self._having(query)
            titles = self._having(f"title: ({query})") if entries else entries
            rarity = math.log((len(self.entries) + 1) / (len(entries) + 0.5))
            topic[word] = _Word(weight * rarity, entries, titles)
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

    def _ranked(self, asked: list[str], topic: dict[str, _Word]) -> list[Match]:
        found: defaultdict[int, float] = defaultdict(float)
        for word in topic.values():
            for row in word.entries:
                found[row] += word.information + IN_TITLE * word.information * (row in word.titles)
        ranks = self._ranks([*topic, *asked])
        candidates = nlargest(CANDIDATES, found, key=found.__getitem__)
        matches = [self._match(row, topic.values(), ranks.get(row, 0.0)) for row in candidates]
        return sorted(matches, key=_score, reverse=True)

    def _ranks(self, asked: list[str]) -> dict[int, float]:
        """Return by entry how well it fits by BM25 to all words of the question, the best as 1."""
        query = " OR ".join(f'"{word}"' for word in dict.fromkeys(asked))
        rows = self._index.execute(_RANKED, (query, CANDIDATES)).fetchall()
        return {row: rank / rows[0][1] for row, rank in rows}

    def _match(self, row: int, topic: Collection[_Word], rank: float) -> Match:
        total = sum(word.information for word in topic)
        entry = self.entries[row]
        found = [word.information for word in topic if row in word.entries]
        titled = [word.information for word in topic if row in word.titles]
        coverage = sum(found) / total
        heading = sum(map(carries_topic, words(entry.title))) or 1
        return Match(
            entry=entry,
            found=len(found),
            titled=len(titled),
            coverage=coverage,
            score=coverage
            + IN_TITLE * sum(titled) / total
            + WHOLE_TITLE * min(1.0, len(titled) / heading)
            + RANK * rank,
        )


def _continues(asked: list[str], topic: Collection[str]) -> bool:
    """Return whether a question may lean on the one before: "and on Sundays?", "how much?"."""
    if topic:
        return len(topic) <= SHORT
    return 0 < len(asked) <= BARE and all(word.isalpha() for word in asked)


def _score(match: Match) -> float:
    return match.score
