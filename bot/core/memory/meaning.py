"""Find older lines of a memory by what they mean: for kind `recall`, where there is an embedder.

Lines get their vectors in the background, after answers; the newest ones need none, since they are
shown anyway. Nothing is embedded for memories of other kinds.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.errors import ModelError, OverBudget
from bot.domain.policy import Policy
from bot.ports.embedder import Embedder, Texts
from bot.ports.memory import LineMeanings
from bot.ports.store import Turn

log = logging.getLogger(__name__)
BATCH = 32  # lines that are embedded by one call
LONGEST = 2_000  # characters of a line that are read
SECONDS = 5.0  # for a question's vector: without it words alone find


@dataclass(frozen=True, slots=True)
class Due:
    """A memory whose lines need vectors, and for whom that is paid."""

    memory: str
    person: str
    conversation: str


@dataclass(slots=True, kw_only=True)
class ByMeaning:
    """Embeds lines, and compares questions with them."""

    lines: LineMeanings
    embedder: Embedder
    _queue: "asyncio.Queue[Due]" = field(default_factory=asyncio.Queue)

    def consider(self, turn: Turn, policy: Policy) -> None:
        """Embed what has come to a memory by a turn that was answered."""
        if policy.memory.kind == "recall":
            person = str(getattr(turn.event, "author", ""))
            self._queue.put_nowait(Due(turn.memory, person, turn.lane))

    async def run(self) -> None:
        """Embed until cancelled; what fails is tried again with the next answer."""
        while True:
            due = await self._queue.get()
            try:
                await self._embed(due)
            except Exception as error:  # noqa: BLE001 - it must end neither this nor summaries
                log.warning("%s: lines get no vectors now: %r", due.conversation, error)

    async def likeness(
        self, question: str, memory: str, *, before: int | None
    ) -> Mapping[int, float]:
        """Return by line how near it is to a question; nothing when there are no vectors now.

        Only lines older than `before` are compared.
        """
        place = memory.partition("|")[0]  # the channel, also of what is remembered per person
        wanted = Texts(texts=(question[:LONGEST],), kind="query", conversation=place)
        try:
            async with asyncio.timeout(SECONDS):
                (vector,) = await self.embedder.embed(wanted)
        except (ModelError, OverBudget, TimeoutError) as error:
            log.warning("%s: recalled by words alone: %s", place, str(error) or "too slow")
            return {}
        return await self.lines.near(memory, self.embedder.name, vector, before=before)

    async def _embed(self, due: Due) -> None:
        while True:
            bare = await self.lines.bare(due.memory, self.embedder.name, limit=BATCH)
            if not bare:
                return
            texts = tuple(text[:LONGEST] for _, text in bare)
            vectors = await self.embedder.embed(
                Texts(texts=texts, person=due.person, conversation=due.conversation)
            )
            found = {id: vector for (id, _), vector in zip(bare, vectors, strict=True)}
            await self.lines.keep(self.embedder.name, found)
