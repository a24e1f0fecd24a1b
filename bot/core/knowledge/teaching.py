"""What admins teach in chat: answers, files and pages, and taking them back.

An answer that was taught is a document of its own, under its question. The library is told by a
keyed hash who taught something, never by name.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.core import sentences
from bot.core.knowledge.chunking import chunked
from bot.core.knowledge.keeping import Keeping, Wishes
from bot.core.knowledge.readers import OPEN, Readers
from bot.domain.conversation import Conversation
from bot.domain.errors import Declined, FileRefused
from bot.domain.knowledge import CHAT, LEARNED, TAUGHT
from bot.ports.files import Downloaded
from bot.ports.library import Document, Shelves
from bot.ports.people import Audit, Record

MARK = "taught by "  # before who it was: only what was taught in chat can be unlearned in chat
FILES = "default"  # the collection of files and pages for which none is named
LONGEST_QUESTION = 200  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Teacher:
    """Who teaches, and where."""

    person: str  # platform:workspace:user
    place: Conversation
    private: bool


@dataclass(slots=True, kw_only=True)
class Teaching:
    """Puts what was taught on the shelves, and notes in the audit log who did."""

    shelves: Shelves
    keeping: Keeping
    readers: Readers
    audit: Audit
    who: Callable[[str], str]  # keyed hash
    changed: Callable[[], None]  # called when there are new passages
    now: Callable[[], float]
    borrowed: bool = False  # the documents are another bot's, and only read here

    async def answer(self, by: Teacher, question: str, answer: str, collection: str = "") -> int:
        """Keep an answer, in the place of what was taught under the same question; returns its id.

        Raises:
            FileRefused: there is nothing in it that could be found.
        """
        self._expect_own()
        heading = " ".join(question.split())[:LONGEST_QUESTION]
        chunks = [
            replace(chunk, path=(TAUGHT, heading, *chunk.path))
            for chunk in chunked(answer, "text/markdown")
        ]
        if not chunks:
            raise FileRefused("There is no answer in it.")
        document = Document(
            collection=collection or LEARNED,
            source=f"{CHAT}{self.who(heading.casefold())[-12:]}",
            title=heading,
            digest=hashlib.sha256(f"{heading}\n{answer}".encode()).hexdigest(),
            owner=self._owner(by),
            at=self.now(),
        )
        id = await self.shelves.put(document, chunks)
        await self._noted(by, "learn", id, document.collection)
        return id

    async def file(
        self, by: Teacher, file: Downloaded, collection: str = "", link: str = ""
    ) -> tuple[Document, str]:
        """Keep a file under its name, or a page under its address, instead of its older version.

        Returns:
            The document, and what is missing of it; empty when nothing is.

        Raises:
            FileRefused: it cannot be read, or there is nothing to read.
        """
        self._expect_own()
        key = (collection or FILES, link or file.name)
        before = (await self.keeping.known(key[0])).get(key)
        own = before is None or before.owner.startswith(MARK)
        wishes = Wishes(owner=self._owner(by) if own else None, link=link or None)
        wanted = Document(collection=key[0], source=key[1], title="", digest="")
        outcome = await self.keeping.keep(file, wanted, wishes, before)
        document = (await self.keeping.known(key[0]))[key]
        await self._noted(by, "learn", document.id, document.collection)
        return document, outcome.note

    async def taught(self) -> Sequence[Document]:
        """Return what was taught in chat, the newest first."""
        found = await self.shelves.documents()
        mine = [document for document in found if document.owner.startswith(MARK)]
        return sorted(mine, key=lambda document: (document.at, document.id), reverse=True)

    async def take_back(self, by: Teacher, id: int) -> Document | None:
        """Remove what was taught in chat to the last byte; None when there is no such thing."""
        document = next((one for one in await self.taught() if one.id == id), None)
        if document is None or not await self.shelves.remove(id):
            return None
        await self._noted(by, "unlearn", id, document.collection)
        await self.shelves.scour()
        return document

    def named(self, collection: str) -> str:
        """Return a collection as the configuration writes it: phones begin words with capitals."""
        known = self.readers.settings
        same = (name for name in known if name.casefold() == collection.casefold())
        return collection if collection in known else next(same, collection)

    def audience(self, collection: str) -> str:
        """Say who is told what lies in a collection."""
        settings = self.readers.settings.get(collection, OPEN)
        if settings.readers or settings.places:
            return f"whoever may read `{collection}`"
        return "everybody who asks, wherever I am asked"

    def _owner(self, by: Teacher) -> str:
        where = f"on {by.place.platform}" if by.private else f"in {by.place}"
        return f"{MARK}{self.who(by.person)} {where}"

    def _expect_own(self) -> None:
        if self.borrowed:
            raise Declined(sentences.TAUGHT_ELSEWHERE)

    async def _noted(self, by: Teacher, action: str, id: int, collection: str) -> None:
        self.changed()
        await self.audit.note(Record(
            at=self.now(), actor=by.person, action=action, subject=str(id),
            place=str(by.place), details=collection,
        ))  # fmt: skip
