"""Questions that were not answered: noted when an answer is shown, and put together by meaning."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.grounding import KEPT
from bot.core.journal import TurnJournal
from bot.domain.asking import carries_topic, words
from bot.domain.errors import ModelError, OverBudget, StoreError
from bot.domain.events import MessageReceived
from bot.domain.vectors import likeness
from bot.ports.embedder import Embedder, Texts
from bot.ports.gaps import Gap, Gaps
from bot.ports.store import Turn

log = logging.getLogger(__name__)
LONGEST = 500  # characters of a question that are kept
ALIKE = 0.74  # cosine from which on two questions are one
NAMES = re.compile(r"(?<=[^\W_][ ,])[A-Z]\w+|\b\w*\d\w*")  # within a sentence, and numbers
SHARED = 0.5  # of the words of two questions that carry the topic, without an embedder
ASKS = re.compile(
    r"(?i)[?？؟]|^\W*(?:who|what|when|where|which|why|how|can|could|do|does|did|is|are|may|will)\b"
)


@dataclass(slots=True, kw_only=True)
class Unanswered:
    """Hears of every answer that was shown, and notes the questions that it left open."""

    gaps: Gaps
    abstained: Callable[[Turn], Awaitable[None]]  # told when a model says that it does not know

    async def heard(self, turn: Turn, journal: TurnJournal) -> None:
        """Note a question, as long as its conversation may be remembered at all."""
        event, answered = turn.event, journal.answered
        if answered is None or not isinstance(event, MessageReceived):
            return
        if event.replaces:  # asked anew, it may be answered by now
            await self._kept(self.gaps.drop(event.replaces))
        unsure = answered.reason == "unsure"
        asked = answered.asked or event.words
        if answered.remembered and (unsure or _uncovered(turn, journal, asked)):
            gap = Gap(
                event=event.replaces or event.id, lane=turn.lane, person=str(event.author),
                private=event.private,
                question=" ".join(asked.split())[:LONGEST], at=event.at,
            )  # fmt: skip
            await self._kept(self.gaps.note(gap))
        if unsure:
            await self.abstained(turn)

    async def _kept(self, writing: Awaitable[None]) -> None:
        try:
            await writing
        except StoreError as error:  # the answer was shown: it must not be shown twice
            log.warning("a question that was not answered is not noted: %s", error)


def _uncovered(turn: Turn, journal: TurnJournal, asked: str) -> bool:
    """Tell whether a model answered a question without documents, although there are some.

    What only quotes writes no tokens, and says by itself when it has nothing to quote.
    """
    found = journal.found(turn, KEPT)
    if not found or found["sure"] or not found["documents"]:
        return False
    answered = journal.answered
    if answered is None or answered.reason != "complete" or not answered.usage.output_tokens:
        return False
    return bool(ASKS.search(asked)) and any(map(carries_topic, words(asked)))


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that mean the same, newest first."""

    gaps: tuple[Gap, ...]

    @property
    def number(self) -> int:
        """The number that is shown; that of any question in it will do."""
        return self.gaps[0].id

    @property
    def ids(self) -> list[int]:
        """The numbers of all its questions."""
        return [gap.id for gap in self.gaps]


@dataclass(slots=True, kw_only=True)
class Grouping:
    """Puts questions together: by meaning where there is an embedder, else by rare words."""

    embedder: Embedder | None
    _vectors: dict[int, bytes] = field(default_factory=dict)  # by question, of those still open

    async def groups(self, gaps: Sequence[Gap], person: str, place: str) -> list[Group]:
        """Return the questions in groups, the most frequent first; `person` pays for it."""
        vectors = await self._embedded(gaps, person, place)
        found = await asyncio.to_thread(_grouped, gaps, vectors)
        return sorted(found, key=lambda group: (-len(group.gaps), -group.number))

    async def _embedded(self, gaps: Sequence[Gap], person: str, place: str) -> Mapping[int, bytes]:
        """Return vectors of all questions, or none."""
        if self.embedder is None:
            return {}
        still = {gap.id for gap in gaps}
        known = {id: vector for id, vector in self._vectors.items() if id in still}
        new = [gap for gap in gaps if gap.id not in known]
        texts = Texts(
            texts=tuple(gap.question for gap in new), kind="query",
            person=person, conversation=place,
        )  # fmt: skip
        try:
            vectors = await self.embedder.embed(texts) if new else ()
        except (ModelError, OverBudget) as error:
            log.warning("questions are put together by their words alone: %s", error)
            return {}
        known |= {gap.id: vector for gap, vector in zip(new, vectors, strict=True)}
        self._vectors = known
        return known


def _grouped(gaps: Sequence[Gap], vectors: Mapping[int, bytes]) -> list[Group]:
    """Let each question join the first group whose newest question is like it."""
    topics = {gap.id: {*filter(carries_topic, words(gap.question))} for gap in gaps}

    names = {gap.id: {*NAMES.findall(gap.question)} for gap in gaps}

    def alike(one: Gap, other: Gap) -> bool:
        if names[one.id] and names[other.id] and names[one.id].isdisjoint(names[other.id]):
            return False  # "to Norway?" and "to Iceland?" mean nearly the same, and are not
        if vectors:
            return likeness(vectors[one.id], vectors[other.id]) >= ALIKE
        all_words = topics[one.id] | topics[other.id]
        return len(topics[one.id] & topics[other.id]) >= SHARED * max(len(all_words), 1)

    groups: list[list[Gap]] = []
    for gap in sorted(gaps, key=lambda gap: gap.id, reverse=True):
        fitting = next((group for group in groups if alike(group[0], gap)), None)
        if fitting is None:
            groups.append([gap])
        else:
            fitting.append(gap)
    return [Group(tuple(group)) for group in groups]
