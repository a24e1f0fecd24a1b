"""What the documents say about a question: found before its prompt is put together.

Which collections may be quoted is asked anew at every attempt, so that neither a resumed turn nor a
`/retry` shows what its person may not read by now. What was found is kept by its ids: a resumed
turn pays for no vector twice.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bot.core.draft import Draft
from bot.core.journal import TurnJournal
from bot.core.knowledge.readers import Readers
from bot.core.knowledge.retrieving import LONGEST, Query, Retriever
from bot.domain.events import MessageReceived
from bot.domain.knowledge import Grounds, Passage
from bot.domain.policy import Policy
from bot.ports.library import Library
from bot.ports.store import Memory, Question, Turn

KEPT = "grounds"  # the step of the journal
LEANS_S = 3600.0  # after which a question stands alone


@dataclass(slots=True, kw_only=True)
class Grounding:
    """Finds grounds for answers."""

    readers: Readers
    retriever: Retriever
    library: Library
    memory: Memory

    async def grounds(
        self, event: MessageReceived, policy: Policy, draft: Draft, journal: TurnJournal
    ) -> Grounds:
        """Return what fits a question and may be quoted to whoever asks it, where it is asked.

        Raises:
            StoreError: nothing can be read now.
        """
        if not await self.library.collections():
            return Grounds()
        finding = self._found(event, policy, draft.turn, journal)
        grounds = await draft.prepare(finding) or Grounds()
        if grounds.passages:
            journal.trace.note("documents", [_told(passage) for passage in grounds.passages])
        return grounds

    async def _found(
        self, event: MessageReceived, policy: Policy, turn: Turn, journal: TurnJournal
    ) -> Grounds:
        collections = await self.readers.collections(
            event.payer, event.conversation, private=event.private
        )
        known = journal.found(turn, KEPT)
        if known is not None:
            return await self._again(known, collections)
        query = Query(
            question=event.words[:LONGEST],
            before=partial(self._before, event, turn),
            collections=collections,
            person=str(event.payer),
            conversation=turn.lane,
        )
        grounds, by = await self.retriever.found(query, policy.knowledge)
        journal.trace.note("searched", {"by": by} if by else {})
        scores = {str(passage.id): passage.score for passage in grounds.passages}
        kept = journal.keep(
            turn, KEPT, {"scores": scores, "sure": grounds.sure, "documents": grounds.documents}
        )
        if self.retriever.pays:
            await kept
        return grounds

    async def _before(self, event: MessageReceived, turn: Turn) -> str:
        """Return what the same person asked before, in the same memory."""
        before = await self.memory.last_question(turn.memory)
        return before.text[:LONGEST] if before and _continued(before, event) else ""

    async def _again(self, kept: Any, collections: tuple[str, ...]) -> Grounds:
        """Return what an earlier attempt has found, as far as it may still be quoted."""
        scores = {int(id): score for id, score in kept["scores"].items()}
        passages = await self.library.passages([*scores], collections)
        known = await self.library.collections()
        return Grounds(
            passages=tuple(replace(found, score=scores[found.id]) for found in passages),
            sure=kept["sure"] and bool(passages),
            documents=sum(known.get(name, 0) for name in collections),
        )


def _continued(before: Question, event: MessageReceived) -> bool:
    """Tell whether a question may go on with the one before: of the same person, and of now."""
    mine = before.person == str(event.author) and before.event != event.id
    return mine and event.at - before.at < LEANS_S


def _told(passage: Passage) -> dict[str, Any]:
    """Return what a trace keeps of a passage; whoever reads it may not be quoted its title."""
    return {"id": passage.id, "score": passage.score}
