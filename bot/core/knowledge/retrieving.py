"""Finds what the documents say about a question, and knows when they say nothing.

With an embedder a passage's score is its likeness in meaning plus a little for shared words, which
finds part numbers and names; without one, words alone decide. Whether the best one answers is said
by its lead over the next section and, where the embedder can tell, by how much of the question it
speaks of; where that leaves doubt, by whether words alone find it, too. The numbers were chosen on
labelled questions (`python -m tests.evaluation.retrieval`).
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from bot.core.knowledge.reranking import READ, Reranker
from bot.core.knowledge.wording import Before, ByWords, Found, nothing
from bot.domain.asking import leans, words
from bot.domain.errors import ModelError, OverBudget
from bot.domain.knowledge import LEARNED, Grounds, Passage
from bot.domain.languages import foreign
from bot.domain.policy import KnowledgePolicy
from bot.ports.embedder import Embedder, Texts
from bot.ports.library import Library

log = logging.getLogger(__name__)
WORDS = 0.05  # what the best fit by words adds to a likeness
NAMED = 1.0  # what a passage gains that has the very number of an article that is asked for
SPOKEN = 0.8  # the weight of how much of a question a passage speaks of, beside its lead
OFFERED = 0.2  # so far below `min_score` a passage is still offered
FIRST = 0.1  # by so much an answer that was taught in chat may be worse and still come first
MOST_OFFERED = 3
LOOKED_AT = 50
LONGEST = 2_000  # characters of a question that are read
SECONDS = 5.0  # for a question's vector; words alone are there at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for, and for whom."""

    question: str  # at most LONGEST of it
    before: Before = nothing
    collections: Sequence[str]  # the only ones that are looked at
    person: str = ""
    conversation: str = ""


@dataclass(slots=True, kw_only=True)
class Retriever:
    """Searches the library by meaning and by words."""

    library: Library
    by_words: ByWords
    embedder: Embedder | None = None
    english: bool = False  # the embedder knows no other language
    reranker: Reranker | None = None

    @property
    def pays(self) -> bool:
        """Whether a search may cost a vector or a choice."""
        return self.embedder is not None or self.reranker is not None

    async def found(self, query: Query, policy: KnowledgePolicy) -> tuple[Grounds, str]:
        """Return what fits a question, and by what it was found: "meaning", "words" or both.

        Raises:
            StoreError: nothing can be read now.
        """
        known = await self.library.collections()
        documents = sum(known.get(name, 0) for name in query.collections)
        if not documents or not policy.top_k:
            return Grounds(documents=documents), ""
        if self.reranker is None:
            grounds, by = await self._searched(query, policy, documents)
        else:
            grounds, by = await self._reranked(query, policy, documents)
        return await self._learned_first(grounds, query), by

    async def _reranked(
        self, query: Query, policy: KnowledgePolicy, documents: int
    ) -> tuple[Grounds, str]:
        """Look farther, and let a model choose."""
        wide = replace(policy, top_k=max(policy.top_k, READ))
        grounds, by = await self._searched(query, wide, documents)
        if self.reranker and grounds.passages:
            grounds = await self.reranker.ordered(
                "\n".join((*await _leant_on(query), query.question)), grounds,
                person=query.person, conversation=query.conversation,
            )  # fmt: skip
            by = f"{by}, chosen by a model"
        return replace(grounds, passages=grounds.passages[: policy.top_k]), by

    async def _searched(
        self, query: Query, policy: KnowledgePolicy, documents: int
    ) -> tuple[Grounds, str]:
        meant = await self._by_meaning(query, policy.min_score)
        if meant is not None and meant.sure:
            return _chosen(meant, policy, documents), "meaning"
        found = await self.by_words.found(query.question, query.before, query.collections)
        if meant is None or _unseen(found, meant.passages):
            return _answering(found, policy, documents), "words"
        agreed = replace(meant, sure=_agree(found, meant.passages))
        return _chosen(agreed, policy, documents), "meaning and words" if agreed.sure else "meaning"

    async def ranked(self, text: str, collections: Sequence[str]) -> list[Passage]:
        """Return the passages that fit a text, best first, whether they answer or not.

        Raises:
            StoreError: nothing can be read now.
        """
        query = Query(question=text[:LONGEST], collections=collections)
        meant = await self._by_meaning(query, 0.0)
        if meant is not None:
            return meant.passages
        return [_scored_by(one) for one in await self.by_words.found(text, nothing, collections)]

    async def _learned_first(self, grounds: Grounds, query: Query) -> Grounds:
        """Put what was taught in chat before what fits hardly better."""
        if LEARNED not in query.collections:
            return grounds
        ids = [passage.id for passage in grounds.passages]
        learned = {found.id for found in await self.library.passages(ids, (LEARNED,))}

        def order(passage: Passage) -> float:
            return passage.score + FIRST * (passage.id in learned)

        ordered = sorted(grounds.passages, key=order, reverse=True)
        return replace(grounds, passages=tuple(ordered))

    def _understands(self, query: Query) -> bool:
        """Tell whether the embedder knows the language of a question."""
        if self.embedder is None or not words(query.question):
            return False
        return not (self.english and foreign(query.question))

    async def _by_meaning(self, query: Query, enough: float) -> "Meant | None":
        """Return passages with their scores, best first; None when there are no vectors now.

        A question that leans on the one before is asked together with it, unless it alone finds
        what answers it: a passage that is `enough`.
        """
        if not self._understands(query):
            return None
        texts = (query.question, *(f"{said}\n{query.question}" for said in await _leant_on(query)))
        found: list[Meant] = []
        for text, vector in zip(texts, await self._vectors(texts, query), strict=False):
            found.append(await self._judged(await self._scored(text, vector, query), enough))
            if found[-1].sure:
                return found[-1]
        best = max(found, key=lambda one: one.lead, default=None)
        return best if best and best.passages else None  # nothing has vectors yet

    async def _judged(self, meant: "Meant", enough: float) -> "Meant":
        """Tell whether the best passage answers: it leads, and speaks of the whole question."""
        if not meant.passages or meant.lead < enough - OFFERED:
            return meant
        first = meant.passages[0]
        said = f"{first.name}\n{first.text}"
        spoken = await self.embedder.spoken(meant.text, said) if self.embedder else None
        if spoken is None:
            return replace(meant, sure=meant.lead >= enough)
        whole = SPOKEN * spoken + (1 - SPOKEN) * min(meant.lead, 1.0)
        return replace(meant, sure=whole >= enough)

    async def _vectors(self, texts: tuple[str, ...], query: Query) -> Sequence[bytes]:
        if self.embedder is None:
            return ()
        wanted = Texts(
            texts=texts, kind="query", person=query.person, conversation=query.conversation
        )
        try:
            async with asyncio.timeout(SECONDS):
                return await self.embedder.embed(wanted)
        except (ModelError, OverBudget, TimeoutError) as error:
            log.warning("searched by words alone: %s", str(error) or "the embedder is too slow")
            return ()

    async def _scored(self, text: str, vector: bytes, query: Query) -> "Meant":
        """Score what is near by meaning and what has the words, each by both."""
        name, wanted = self.embedder.name if self.embedder else "", query.collections
        telling = await self.by_words.telling(text, wanted)
        worded = await self.library.worded(telling, wanted, limit=LOOKED_AT)
        best = worded[0].score if worded else 1.0
        by_words = {found.passage: found.score / best for found in worded}
        named = await self.by_words.named(text, wanted)
        worth = [*dict.fromkeys((*by_words, *named))]
        near = [
            *await self.library.near(vector, name, wanted, limit=LOOKED_AT),
            *await self.library.near(vector, name, wanted, limit=len(worth), among=worth),
        ]
        scores = {
            found.passage: found.score
            + WORDS * by_words.get(found.passage, 0.0)
            + NAMED * (found.passage in named)
            for found in near
        }
        ids = sorted(scores, key=scores.__getitem__, reverse=True)
        passages = await self.library.passages(ids, wanted)
        return Meant(
            text=text,
            passages=[replace(found, score=round(scores[found.id], 4)) for found in passages],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What is near to a text by meaning, best first."""

    text: str
    passages: list[Passage]
    sure: bool = False  # the first one answers

    @property
    def lead(self) -> float:
        """The score of the best passage, and its lead over the next section.

        Where nothing answers, several sections come equally near.
        """
        if not self.passages:
            return 0.0
        first, *others = self.passages
        where = first.document, first.path
        next_best = (one.score for one in others if (one.document, one.path) != where)
        return 2 * first.score - next(next_best, first.score)


async def _leant_on(query: Query) -> tuple[str, ...]:
    """Return the question before, where there is one and this one points back to it."""
    before = await query.before() if leans(query.question) else ""
    return (before,) if before else ()


def _unseen(found: Sequence[Found], scored: Sequence[Passage]) -> bool:
    """Tell whether words alone find the answer in a passage that has no vector yet."""
    seen = {passage.id for passage in scored}
    return bool(found) and found[0].fit.answers and found[0].passage.id not in seen


def _agree(found: Sequence[Found], scored: Sequence[Passage]) -> bool:
    """Tell whether words alone find an answer in the same section as meaning does."""
    if not (found and scored and found[0].fit.answers):
        return False
    by_words, by_meaning = found[0].passage, scored[0]
    return (by_words.document, by_words.path) == (by_meaning.document, by_meaning.path)


def _answering(found: Sequence[Found], policy: KnowledgePolicy, documents: int) -> Grounds:
    """Keep what covers the words of a question; else offer what is named by them."""
    if found and found[0].fit.answers:
        best = tuple(_scored_by(one) for one in found[: policy.top_k])
        return Grounds(passages=best, sure=True, documents=documents)
    offered = islice((one for one in found if one.fit.related), MOST_OFFERED)
    return Grounds(passages=tuple(map(_scored_by, offered)), documents=documents)


def _scored_by(found: Found) -> Passage:
    return replace(found.passage, score=round(min(found.fit.coverage, 1.0), 4))


def _chosen(meant: Meant, policy: KnowledgePolicy, documents: int) -> Grounds:
    """Keep what answers; else offer what comes near."""
    if meant.sure:
        passages = tuple(meant.passages[: policy.top_k])
        return Grounds(passages=passages, sure=True, documents=documents)
    least = policy.min_score - OFFERED
    offered = [passage for passage in meant.passages if passage.score >= least]
    return Grounds(passages=tuple(offered[:MOST_OFFERED]), documents=documents)
