"""The documents in the store: searching them, and keeping them as they are at their source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from bot.domain.knowledge import Passage


class Scored(NamedTuple):
    """A passage that was found, and how well it fits; what the number means the search says."""

    passage: int
    score: float


class Library(Protocol):
    """Searches the collections that it is given, and no other."""

    async def collections(self) -> Mapping[str, int]:
        """Return the names of all collections that have documents, and how many."""
        ...

    async def worded(
        self, words: Sequence[str], collections: Sequence[str], *, limit: int
    ) -> Sequence[Scored]:
        """Return passages that have any of the words, by BM25, best first; higher is better.

        Words of every question that half of all passages have, such as "the", may be passed over.
        """
        ...

    async def near(
        self, vector: bytes, embedder: str, collections: Sequence[str], *, limit: int,
        among: Sequence[int] | None = None,
    ) -> Sequence[Scored]:  # fmt: skip
        """Return passages that mean about the same, best first; `among` these, if they are given.

        The score is a third the cosine of the title, and two thirds that of the text.
        """
        ...

    async def passages(self, ids: Sequence[int], collections: Sequence[str]) -> Sequence[Passage]:
        """Return those passages that still are and lie in these collections, in the given order."""
        ...


class Having(NamedTuple):
    """The passages that have a word, and those of them that have it in their title."""

    passages: frozenset[int]
    titles: frozenset[int]
    many: bool = False  # more have it than were looked at: it tells nothing


class Wording(Protocol):
    """Tells of single words where they stand."""

    async def having(
        self, words: Sequence[str], collections: Sequence[str], *, limit: int
    ) -> Sequence[Having]:
        """Return for each word which passages have it; of too many of them none."""
        ...

    async def size(self, collections: Sequence[str]) -> int:
        """Return how many passages there are."""
        ...

    async def meant(self, word: str, collections: Sequence[str]) -> str:
        """Return the word of these collections that is one slip of the fingers away, or nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A part of a document before it is stored."""

    path: tuple[str, ...]  # headings down to it
    text: str = field(repr=False)
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document as it lies in the store."""

    id: int = 0  # 0: not stored yet
    collection: str
    source: str  # its path as it was added, its address, or who said it where
    title: str
    type: str = "text/markdown"
    digest: str  # of its bytes: as long as it stays the same, nothing is done anew
    owner: str = ""  # who answers for it
    review: str = ""  # the day on which somebody should look at it again: 2027-06-30
    link: str = ""  # opens the source; empty: there is none that people could open
    at: float = 0.0  # when it was read last, in seconds since 1970
    note: str = ""  # what is missing of it, and what is uncertain; empty: nothing
    chunks: int = 0


class Shelves(Protocol):
    """Keeps documents."""

    async def documents(self, collection: str = "") -> Sequence[Document]:
        """Return the documents of one collection, or of all, by collection and source."""
        ...

    async def put(self, document: Document, chunks: Sequence[Chunk]) -> int:
        """Store a document in the place of what its source had before; returns its id."""
        ...

    async def remove(self, document: int) -> bool:
        """Delete a document and all that was made of it; False when there is none."""
        ...

    async def scour(self) -> bool:
        """Leave no byte of removed documents in any file; False: somebody reads, do it later."""
        ...


class Plain(NamedTuple):
    """A passage as an embedder is to read it."""

    id: int
    title: str  # its own heading
    text: str  # with the headings above it


class Progress(NamedTuple):
    """How many passages have vectors of one embedder, and how many there are."""

    embedded: int
    passages: int


class Embeddings(Protocol):
    """Keeps what passages mean."""

    async def plain(self, embedder: str, *, limit: int) -> Sequence[Plain]:
        """Return passages that have no vectors of this embedder yet, the oldest first."""
        ...

    async def embedded(self, embedder: str, vectors: Mapping[int, tuple[bytes, bytes]]) -> None:
        """Keep the vectors of passages, of title and text, in the place of other embedders'."""
        ...

    async def progress(self, embedder: str) -> Progress:
        """Count."""
        ...
