"""Scores by meaning: the nearer an answer is to what the documents say, the better."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.dialogue import Prompt
from bot.domain.errors import ModelError, OverBudget
from bot.domain.knowledge import Passage
from bot.domain.vectors import likeness
from bot.ports.embedder import Embedder, Texts
from bot.ports.scorer import Scored, Scorer

log = logging.getLogger(__name__)
MOST_PIECES = 12  # of the sources
SECONDS = 10.0  # for all vectors of one choice
LONGEST = 1000  # characters of a piece, and of an answer


@dataclass(frozen=True, slots=True)
class SourcesScorer:
    """Compares answers with the documents of their prompt; without any, rules decide."""

    embedder: Embedder
    otherwise: Scorer
    timeout_s: float = SECONDS

    async def score(self, prompt: Prompt, candidates: Sequence[str]) -> Scored:
        """Give each answer the likeness of the piece that it is nearest to."""
        pieces = _pieces(prompt.grounds.passages)
        if not pieces:
            return await self.otherwise.score(prompt, candidates)
        texts = (*(text[:LONGEST] for text in candidates), *pieces)
        wanted = Texts(texts=texts, person=prompt.person, conversation=prompt.conversation)
        try:
            async with asyncio.timeout(self.timeout_s):
                vectors = await self.embedder.embed(wanted)
        except (ModelError, OverBudget, TimeoutError) as error:
            why = str(error) or "too slow"
            log.warning("%s: answers are scored by rules: %s", prompt.conversation, why)
            return await self.otherwise.score(prompt, candidates)
        scores = await asyncio.to_thread(_scores, vectors, len(candidates))
        return Scored(scores=scores, by="sources")


def _pieces(passages: Sequence[Passage]) -> list[str]:
    """Cut passages where a line is empty, and what is long besides."""
    texts = (text for passage in passages for text in passage.text.split("\n\n"))
    parts = [text.strip() for text in texts if text.strip()]
    cut = [part[at : at + LONGEST] for part in parts for at in range(0, len(part), LONGEST)]
    return cut[:MOST_PIECES]


def _scores(vectors: Sequence[bytes], count: int) -> tuple[float, ...]:
    answers, pieces = vectors[:count], vectors[count:]
    near = (max(likeness(answer, piece) for piece in pieces) for answer in answers)
    return tuple(round(max(score, 0.0), 4) for score in near)
