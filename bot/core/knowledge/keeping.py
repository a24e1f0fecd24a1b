"""Keeps documents as they are at their sources: reads what is new or changed, and nothing twice."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from bot.core.knowledge.blocks import front_title, sections
from bot.core.knowledge.chunking import chunked
from bot.domain.errors import FileRefused, NoDocument
from bot.ports.clock import Clock
from bot.ports.files import Downloaded, Reader
from bot.ports.library import Chunk, Document, Shelves

MOST = 50_000  # passages of a document: to store them takes the database some seconds
CUT = 2  # raise it when passages are cut in another way: then every source is read anew
Result = Literal["added", "changed", "unchanged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What an operator says about a document; None: as it was before."""

    owner: str | None = None
    review: str | None = None
    title: str | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one source."""

    result: Result
    note: str = ""  # what is missing of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """Reads sources and puts them on the shelves."""

    shelves: Shelves
    reader: Reader
    clock: Clock

    async def known(self, collection: str = "") -> Mapping[tuple[str, str], Document]:
        """Return what is there, by collection and source."""
        found = await self.shelves.documents(collection)
        return {(document.collection, document.source): document for document in found}

    async def keep(
        self, file: Downloaded, wanted: Document, wishes: Wishes, before: Document | None
    ) -> Outcome:
        """Take a source in, unless it is there as it is.

        Args:
            file: what the source says now.
            wanted: where it is to lie; only collection and source count.
            wishes: what is said about it.
            before: how it lies there already.

        Raises:
            FileRefused: it cannot be read, or there is nothing to read.
        """
        digest = f"{CUT}:{hashlib.sha256(file.data).hexdigest()}"
        if before and before.digest == digest and _wished(before, wishes) == before:
            return Outcome("unchanged", before.note)
        if file.type.startswith("image/"):
            raise NoDocument("Text in pictures cannot be read.")
        read = await self.reader.read(file)
        title, chunks = await asyncio.to_thread(_cut, read.text, file)  # seconds, for a book
        if not chunks:
            raise FileRefused(read.note) if read.note else NoDocument("There is no text in it.")
        if len(chunks) > MOST:
            raise FileRefused(f"It has more than {MOST:,} passages.")
        made = replace(
            before or wanted,
            title=before.title if before else title,
            type=file.type,
            digest=digest,
            at=self.clock.now(),
            note=read.note,
        )
        await self.shelves.put(_wished(made, wishes), chunks)
        return Outcome("changed" if before else "added", read.note)


def _cut(text: str, file: Downloaded) -> tuple[str, list[Chunk]]:
    """Return the title of a document, and its passages."""
    chunks = chunked(text, file.type)
    return (_title(text, file.name, chunks) if chunks else ""), chunks


def _wished(document: Document, wishes: Wishes) -> Document:
    return replace(
        document,
        owner=document.owner if wishes.owner is None else wishes.owner,
        review=document.review if wishes.review is None else wishes.review,
        title=document.title if wishes.title is None else wishes.title,
        link=document.link if wishes.link is None else wishes.link,
    )


def _title(text: str, name: str, chunks: list[Chunk]) -> str:
    """Return what the page calls itself, or its only top heading, else the file's name as words."""
    if title := front_title(text):
        return title
    tops = {chunk.path[:1] for chunk in chunks}
    if len(tops) == 1 and chunks[0].path and sections(text)[1].path == chunks[0].path[:1]:
        return chunks[0].path[0]
    stem = name.rpartition(".")[0] or name
    return stem.replace("-", " ").replace("_", " ")
