"""`/gaps`: questions that no document answered, for whoever may know of them.

What was asked in direct messages is shown to admins of the house alone, when they ask in a direct
message themselves, and without names. In a group only what was asked there is shown; of its threads
only where commands cannot name one. An answer is told to everybody, so only admins of the house may
give one; moderators may dismiss.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.core import sentences
from bot.core.commands.desk import Known, Request
from bot.core.commands.learning import expect_house, lesson, teacher
from bot.core.knowledge.teaching import LONGEST_QUESTION, Teaching
from bot.core.knowledge.unanswered import Group, Grouping
from bot.domain.commands import Command, Option
from bot.domain.errors import Declined, FileRefused
from bot.domain.knowledge import LEARNED
from bot.ports.gaps import Gap, Gaps
from bot.ports.people import Audit, Record
from bot.ports.store import Journal

GAPS = Command(
    name="gaps",
    about="Questions that I could not answer from the documents",
    rank="moderator",
    options=(
        Option(name="number", about="Which one to answer or to dismiss; without it all"),
        Option(name="answer", about="The answer, or `dismiss`; to a private one QUESTION = ANSWER"),
    ),
)
LOOKED_AT = 300  # questions
SHOWN = 15  # groups
LONGEST = 200  # characters of a question in the list
KEPT = "gaps"  # the step of the journal: which questions are closed, and what is said of it


@dataclass(slots=True, kw_only=True)
class GapsCommand:
    """Shows what was not answered, and closes it."""

    gaps: Gaps
    grouping: Grouping
    teaching: Teaching
    audit: Audit
    journal: Journal
    now: Callable[[], float]

    def known(self) -> tuple[Known, ...]:
        """Return this capability's command."""
        return (Known(GAPS, self.run),)

    async def run(self, request: Request) -> str:
        """List questions, or close some."""
        event = request.event
        if kept := request.turn.steps.get(KEPT):  # an earlier attempt was ended behind it
            return await self._closed(**kept)
        if event.private and not request.house:
            raise Declined(sentences.GAPS_IN_PLACE.format(slash=request.slash))
        here = event.conversation.parent if request.threads else event.conversation
        found = await self.gaps.open(
            limit=LOOKED_AT, within=None if event.private else here, threads=request.threads
        )
        groups = await self.grouping.groups(found, request.person, str(event.conversation))
        number, _, words = request.argument.partition(" ")
        if not number:
            return self._listed(groups, request)
        group = _numbered(groups, number.lstrip("#"))
        if not words.strip():
            return self._questions(group.gaps, request)
        if words.strip().lower() == "dismiss":
            return await self._dismiss(request, group)
        return await self._answer(request, group, words.strip())

    async def _dismiss(self, request: Request, group: Group) -> str:
        await self.audit.note(Record(
            at=self.now(), actor=request.person, action="gaps.dismiss", subject="",
            place=str(request.event.conversation), details=str(group.number),
        ))  # fmt: skip
        return await self._close(request, said="Dismissed.", ids=group.ids)

    async def _answer(self, request: Request, group: Group, words: str) -> str:
        """Teach an answer under a question that was asked in a group, or else the admin's own one.

        What was asked in private is nobody else's to read, so it never stands above an answer.
        """
        expect_house(request)
        asked = next((gap for gap in group.gaps if not gap.private), None)
        if asked:  # all of the words answer it, whatever signs are in them
            question, answer, heading = asked.question[:LONGEST_QUESTION], words, asked.id
        elif " = " in words:
            (question, answer), heading = lesson(words), 0
        else:
            raise Declined(sentences.OWN_WORDS.format(slash=request.slash, number=group.number))
        try:
            id = await self.teaching.answer(teacher(request), question, answer)
        except FileRefused as refusal:
            raise Declined(str(refusal)) from refusal
        whom = self.teaching.audience(LEARNED)
        said = sentences.LEARNED.format(whom=whom, slash=request.slash, id=id)
        others = [gap for gap in group.gaps if gap.question != question]
        closed = (
            f"\n\n{sentences.CLOSED_TOO}\n\n{self._questions(others, request)}" if others else ""
        )
        said = f"{self._quoted(f'“{_cut(question)}”', request)}: {said}{closed}"
        return await self._close(request, said=said, ids=group.ids, heading=heading, document=id)

    async def _close(self, request: Request, **kept: Any) -> str:
        """Close questions; whoever repeats the order later could not find them any more."""
        await self.journal.save(request.turn, KEPT, kept)
        return await self._closed(**kept)

    async def _closed(
        self, said: str, ids: Sequence[int], heading: int = 0, document: int = 0
    ) -> str:
        await self.gaps.close(ids, heading=heading, document=document)
        return said

    def _listed(self, groups: Sequence[Group], request: Request) -> str:
        if not groups:
            return sentences.NO_GAPS
        lines = [f"- `{group.number}` {_told(group)}" for group in groups[:SHOWN]]
        left = len(groups) - SHOWN
        more = [f"- and {left} more"] if left > 0 else []
        listed = self._quoted("\n".join((*lines, *more)), request)
        return f"{listed}\n\n{sentences.HOW_TO_CLOSE.format(slash=request.slash)}"

    def _questions(self, gaps: Iterable[Gap], request: Request) -> str:
        return self._quoted("\n".join(f"- “{_cut(gap.question)}”" for gap in gaps), request)

    def _quoted(self, lines: str, request: Request) -> str:
        """Return lines with questions, of which no more leaves than of an answer."""
        return self.teaching.readers.quoted(lines, request.event.conversation)


def _told(group: Group) -> str:
    count = f"{len(group.gaps)}× " if len(group.gaps) > 1 else ""
    private = " (in private)" if all(gap.private for gap in group.gaps) else ""
    return f"{count}{_cut(group.gaps[0].question)}{private}"


def _cut(question: str) -> str:
    return question if len(question) <= LONGEST else f"{question[:LONGEST]}…"


def _numbered(groups: Sequence[Group], number: str) -> Group:
    for group in groups:
        if number in map(str, group.ids):
            return group
    raise Declined(f"There is no question `{number[:20]}` here.")
