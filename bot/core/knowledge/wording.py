"""Finds passages by the words of a question alone: without an embedder, and in other languages."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.asking import carries_topic, continues, words
from bot.domain.coverage import CANDIDATES, CONTEXT, Fit, Word, candidates, fits, information
from bot.domain.knowledge import Passage
from bot.ports.library import Having, Library, Wording

MOST_HAVING = 500  # passages: a word that more have says little about any of them
SHORTEST_CODE = 4  # letters and digits
MOST_NAMED = 20  # passages: what more have names none of them

Before = Callable[[], Awaitable[str]]
"""Reads what the same person asked before, in the same memory: few questions need it."""


async def nothing() -> str:
    """Say that nothing was asked before."""
    return ""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage, and how well it fits."""

    passage: Passage
    fit: Fit


@dataclass(slots=True, kw_only=True)
class ByWords:
    """Ranks passages by what they have of a question's words."""

    library: Library
    wording: Wording

    async def found(self, question: str, before: Before, collections: Sequence[str]) -> list[Found]:
        """Return passages, best first.

        Args:
            question: what is asked now.
            before: reads what a short question may continue.
            collections: the only ones that are looked at.
        """
        asked = words(question)
        topic = await self._looked_up(filter(carries_topic, asked), 1.0, collections)
        alone = await self._ranked(asked, topic, collections) if topic else []
        if not continues(asked, len(topic)) or (alone and alone[0].fit.answers):
            return alone  # the question before may have been about something else
        if not (last := words(await before())):
            return alone
        said = await self._looked_up(filter(carries_topic, last), CONTEXT, collections)
        topic = {word: found for word, found in said.items() if found.passages} | topic
        return await self._ranked(asked, topic, collections) if topic else []

    async def telling(self, question: str, collections: Sequence[str]) -> list[str]:
        """Return the words of a question that say what it is about, without the commonest."""
        topic = [word for word in words(question) if carries_topic(word)]
        having = await self.wording.having(topic, collections, limit=MOST_HAVING)
        return [word for word, found in zip(topic, having, strict=True) if not found.many]

    async def named(self, question: str, collections: Sequence[str]) -> frozenset[int]:
        """Return the passages that have an article's number or the like that a question names."""
        codes = [word for word in words(question) if len(word) >= SHORTEST_CODE and _is_code(word)]
        if not codes:
            return frozenset()
        having = await self.wording.having(codes, collections, limit=MOST_NAMED)
        return frozenset().union(*(found.passages for found in having))

    async def _looked_up(
        self, found: Iterable[str], weight: float, collections: Sequence[str]
    ) -> dict[str, Word]:
        asked = [*found]
        total = await self.wording.size(collections)
        having = dict(zip(asked, await self._having(asked, collections), strict=True))
        unknown = [word for word, where in having.items() if not (where.passages or where.many)]
        meant = {word: await self.wording.meant(word, collections) for word in unknown}
        others = [word for word in meant.values() if word]
        known = dict(zip(others, await self._having(others, collections), strict=True))
        topic: dict[str, Word] = {}
        for word, where in having.items():
            term = meant.get(word) or word
            there = known.get(term, where) if word in meant else where
            if not there.many:
                rarity = weight * information(len(there.passages), total)
                topic[term] = Word(rarity, there.passages, there.titles)
        return topic

    async def _having(self, words: Sequence[str], collections: Sequence[str]) -> Sequence[Having]:
        return await self.wording.having(words, collections, limit=MOST_HAVING)

    async def _ranked(
        self, asked: list[str], topic: Mapping[str, Word], collections: Sequence[str]
    ) -> list[Found]:
        wanted = dict.fromkeys([*topic, *asked])
        ranked = await self.library.worded([*wanted], collections, limit=CANDIDATES)
        best = ranked[0].score if ranked else 1.0
        ranks = {found.passage: found.score / best for found in ranked}
        ids = candidates(topic.values())
        known = {passage.id: passage for passage in await self.library.passages(ids, collections)}
        there = [id for id in ids if id in known]
        ordered = fits(topic.values(), there, ranks, lambda id: _title(known[id]))
        return [Found(known[fit.passage], fit) for fit in ordered]


def _title(passage: Passage) -> str:
    return passage.path[-1] if passage.path else passage.title


def _is_code(word: str) -> bool:
    """Tell whether a word has both letters and digits, as article numbers have."""
    return word.isalnum() and not word.isdigit() and any(sign.isdigit() for sign in word)
