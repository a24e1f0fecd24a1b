"""What is kept beside the lines of a memory: what was said earlier, in fewer words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.ports.store import Remembered, Summary


class Summaries(Protocol):
    """At most one summary for each memory; whatever changes a line it covers deletes it."""

    async def read(self, memory: str, epoch: int) -> Summary | None:
        """Return the summary of an epoch, if there is one."""
        ...

    async def write(
        self, summary: Summary, *, before: Summary | None, lines: Sequence[Remembered]
    ) -> bool:
        """Put a summary in the place of the one `before`, in one transaction.

        Nothing is written, and False returned, when something has changed since it was begun: the
        epoch, the summary before it, or one of the `lines` that it covers anew.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that a person wants to be known about them."""

    id: int
    text: str = field(repr=False)


class Facts(Protocol):
    """What people want to be known about them: said in private, it is used in private only."""

    async def people(self) -> frozenset[str]:
        """Return who has said any."""
        ...

    async def of(self, person: str, place: str, *, private: bool) -> Sequence[Fact]:
        """Return what may be used when a person asks: in private, or in one channel; oldest first.

        `person` is `platform:workspace:user`, `place` the channel, which counts unless `private`.
        """
        ...

    async def add(
        self, person: str, place: str, text: str, *, private: bool, at: float, most: int
    ) -> bool:
        """Keep one more; False when the person has `most` of them already."""
        ...

    async def rewrite(self, id: int, person: str, text: str) -> bool:
        """Put other words in the place of one of theirs, no words delete it; False: it is gone."""
        ...


class LineMeanings(Protocol):
    """What the lines of memories mean; a vector goes with its line, and with its words."""

    async def bare(self, memory: str, embedder: str, *, limit: int) -> Sequence[tuple[int, str]]:
        """Return lines of a memory that lack a vector of this embedder and may be looked through.

        Each with its id and text, the oldest first.
        """
        ...

    async def keep(self, embedder: str, vectors: Mapping[int, bytes]) -> None:
        """Keep the vectors of lines that still are."""
        ...

    async def near(
        self, memory: str, embedder: str, vector: bytes, *, before: int | None
    ) -> Mapping[int, float]:
        """Return by line of one memory its cosine to a vector; only lines older than `before`."""
        ...
