"""`/learn` and `/unlearn`: what everybody is told from now on, so only admins of the house may."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.core import sentences
from bot.core.citing import plain
from bot.core.commands.desk import Known, Request
from bot.core.knowledge.teaching import Teacher, Teaching
from bot.domain.attachments import TYPES
from bot.domain.commands import Command, Option, slash
from bot.domain.conversation import Conversation
from bot.domain.errors import Declined, FileRefused
from bot.domain.knowledge import LEARNED
from bot.ports.files import Downloads, Wanted
from bot.ports.library import Document

LEARN = Command(
    name="learn",
    about="Teach me an answer, or a page by its address",
    rank="admin",
    options=(Option(name="lesson", about="QUESTION = ANSWER, or https://…"),),
)
UNLEARN = Command(
    name="unlearn",
    about="Take back what I was taught in chat",
    rank="admin",
    options=(Option(name="number", about="Which one; without it the newest are listed"),),
)
COLLECTION = re.compile(
    r"(?:--|—|–)collection[ =]+(\w(?:[\w.-]{0,62}\w)?)\s*"
)  # phones make dashes of two
ADDRESS = re.compile(r"<?(https?://[^\s>|]+)(?:\|[^>]*)?>?")  # also as Slack writes it
SHOWN = 15
NOTHING_TAUGHT = "I was taught nothing in chat yet."
PAGES = (*TYPES["text"], *TYPES["pdf"], *TYPES["docx"], "text/html")


@dataclass(slots=True, kw_only=True)
class LearningCommands:
    """Teaches, lists and takes back."""

    teaching: Teaching
    downloads: Downloads
    most_bytes: int

    def known(self) -> tuple[Known, ...]:
        """Return this capability's commands."""
        return (Known(LEARN, self.learn), Known(UNLEARN, self.unlearn))

    async def learn(self, request: Request) -> str:
        """Keep an answer or a page."""
        expect_house(request)
        named = COLLECTION.search(request.argument)
        words = COLLECTION.sub("", request.argument, count=1).strip()
        collection = self.teaching.named(named[1]) if named else ""
        address = ADDRESS.fullmatch(words)
        try:
            if address:
                return await self._page(request, address[1], collection)
            question, answer = lesson(words)
            if not (question and answer):
                raise Declined(sentences.HOW_TO_LEARN.format(slash=request.slash))
            id = await self.teaching.answer(teacher(request), question, answer, collection)
        except FileRefused as refusal:
            raise Declined(str(refusal)) from refusal
        whom = self.teaching.audience(collection or LEARNED)
        said = sentences.LEARNED.format(whom=whom, slash=request.slash, id=id)
        quoted = self.teaching.readers.quoted(f"“{question}”", request.event.conversation)
        return f"{quoted}: {said}"

    async def unlearn(self, request: Request) -> str:
        """List what was taught, or take one back."""
        expect_house(request)
        if not request.argument:
            return await self._taught(request)
        number = request.argument.lstrip("#")
        id = int(number) if number.isdecimal() and len(number) < 19 else 0
        shown = await self._shown(request)
        gone = await self.teaching.take_back(teacher(request), id)
        if gone is None:
            raise Declined(sentences.NOT_TAUGHT.format(slash=request.slash))
        if not shown(gone):
            return "I know no more of it."
        return f"I know no more of “{_titled(gone, self.teaching, request.event.conversation)}”."

    async def _taught(self, request: Request) -> str:
        found, shown = await self.teaching.taught(), await self._shown(request)
        lines = [f"- `{one.id}` {plain(one.title)} (`{one.collection}`)"
                 for one in found if shown(one)]  # fmt: skip
        if len(lines) < len(found):
            lines = [*lines[: SHOWN - 1], sentences.TAUGHT_IN_PRIVATE]
        told = "\n".join(lines[:SHOWN])
        return self.teaching.readers.quoted(told, request.event.conversation) or NOTHING_TAUGHT

    async def _shown(self, request: Request) -> Callable[[Document], bool]:
        """Return what may be named where others read along."""
        event = request.event
        readable = await self.teaching.readers.collections(
            event.author, event.conversation, private=event.private
        )
        return lambda document: event.private or document.collection in readable

    async def _page(self, request: Request, address: str, collection: str) -> str:
        page = await self.downloads.fetch(
            Wanted(url=address, types=PAGES, max_bytes=self.most_bytes)
        )
        document, note = await self.teaching.file(teacher(request), page, collection, address)
        return read(document, note, self.teaching, request.event.conversation)


def lesson(words: str) -> tuple[str, str]:
    """Cut a lesson at its ` = `, or behind its first line; without one both parts are empty."""
    first, _, rest = words.partition("\n")
    if " = " in words:
        first, _, rest = words.partition(" = ")
    return (first.strip(), rest.strip()) if rest.strip() else ("", "")


def teacher(request: Request) -> Teacher:
    """Say who teaches where."""
    event = request.event
    return Teacher(person=request.person, place=event.conversation, private=event.private)


def read(document: Document, note: str, teaching: Teaching, place: Conversation) -> str:
    """Say what was read of a file or a page."""
    passages = "1 passage" if document.chunks == 1 else f"{document.chunks} passages"
    said = sentences.READ.format(
        title=_titled(document, teaching, place), passages=passages,
        collection=document.collection, whom=teaching.audience(document.collection),
        slash=slash(place.platform), id=document.id,
    )  # fmt: skip
    return f"{said} {note}".strip()


def _titled(document: Document, teaching: Teaching, place: Conversation) -> str:
    """Return a title as it may be shown in a place; it comes from anybody's file."""
    return teaching.readers.quoted(plain(document.title), place)


def expect_house(request: Request) -> None:
    """Raise Declined for who is an admin in one place only."""
    if not request.house:
        raise Declined(sentences.NOT_OF_THE_HOUSE)
