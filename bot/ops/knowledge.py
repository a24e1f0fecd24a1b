"""The library of a running bot over its control socket, and the shelves at the other end of it.

Whoever runs the verb reads the files and cuts them; the bot gets passages, a document in each
request. So only the operator must be able to read a file, never the bot, which may run as another
user or in a container; and what a file does to its parser never happens inside the bot.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

from bot.domain.errors import ParleyError
from bot.domain.knowledge import Passage
from bot.ops.control import Verbs
from bot.ports.library import Chunk, Document, Embeddings, Library, Shelves

FOUND = 50  # passages at most
FIELDS = tuple(field.name for field in fields(Document))

Call = Callable[..., Awaitable[Any]]


class Kept(Library, Shelves, Embeddings, Protocol):
    """All that a store knows of documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeVerbs:
    """What an operator does with documents."""

    library: Kept
    ranked: Callable[[str, Sequence[str]], Awaitable[Sequence[Passage]]]  # finds what fits a text
    embedder: str = ""  # whose vectors passages should have; empty: there is none
    changed: Callable[[], None] = lambda: None  # called when there are new passages

    @property
    def verbs(self) -> Verbs:
        """The verbs by name, each from a request to an answer."""
        return {
            "documents": self._documents,
            "document put": self._put,
            "document remove": self._remove,
            "documents scour": self._scour,
            "documents search": self._search,
        }

    async def _documents(self, request: Mapping[str, Any]) -> dict[str, Any]:
        found = await self.library.documents(str(request.get("collection", "")))
        done = await self.library.progress(self.embedder)
        return {
            "documents": [_plain(document) for document in found],
            "embedder": self.embedder,
            "embedded": done.embedded,
            "passages": done.passages,
        }

    async def _put(self, request: Mapping[str, Any]) -> dict[str, int]:
        document = Document(**request["document"])
        chunks = [Chunk(path=tuple(path), text=text, tokens=count)
                  for path, text, count in request["chunks"]]  # fmt: skip
        id = await self.library.put(document, chunks)
        self.changed()
        return {"id": id}

    async def _remove(self, request: Mapping[str, Any]) -> dict[str, bool]:
        id = int(request["id"])
        if not 0 < id < 1 << 63:  # what the store can count to
            return {"removed": False}
        return {"removed": await self.library.remove(id)}

    async def _scour(self, _: Mapping[str, Any]) -> dict[str, bool]:
        return {"complete": await self.library.scour()}

    async def _search(self, request: Mapping[str, Any]) -> list[dict[str, Any]]:
        collections = [*await self.library.collections()]
        found = await self.ranked(str(request.get("text", "")), collections)
        return [
            {
                "score": passage.score,
                "document": passage.document,
                "title": passage.title,
                "section": passage.name,
                "source": passage.source,
                "text": passage.text,
            }
            for passage in found[:FOUND]
        ]


@dataclass(frozen=True, slots=True)
class RemoteShelves:
    """Shelves that are reached by the verbs above; `bot.ports.library` says what each one does."""

    call: Call

    async def documents(self, collection: str = "") -> Sequence[Document]:
        """Ask for all that is known of them."""
        answer = await self.call("documents", collection=collection)
        return [Document(**document) for document in answer["documents"]]

    async def put(self, document: Document, chunks: Sequence[Chunk]) -> int:
        """Send it in one request."""
        sent = [(chunk.path, chunk.text, chunk.tokens) for chunk in chunks]
        answer = await self.call("document put", document=_plain(document), chunks=sent)
        return int(answer["id"])

    async def remove(self, document: int) -> bool:
        """Ask for it."""
        return bool((await self.call("document remove", id=document))["removed"])

    async def scour(self) -> bool:
        """Ask for it; this may take a while."""
        return bool((await self.call("documents scour"))["complete"])


def _plain(document: Document) -> dict[str, Any]:
    """Return what a request carries of a document; `asdict` takes 20 times as long."""
    return {name: getattr(document, name) for name in FIELDS}


def unknown(id: int) -> ParleyError:
    """Return what is said of a document that is not there."""
    return ParleyError(f"{id}: there is no such document; see `parley knowledge list`")
