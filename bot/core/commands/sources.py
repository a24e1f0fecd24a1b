"""`/sources`: what the last answer here leaned on, with the words of each passage."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.citing import source_of
from bot.core.commands.desk import Known, Request
from bot.core.knowledge.readers import Readers
from bot.domain.commands import Command, Option
from bot.domain.conversation import Conversation
from bot.domain.errors import Declined
from bot.domain.knowledge import Passage
from bot.ports.traces import Traces

SOURCES = Command(
    name="sources",
    about="Show what my last answer here leaned on",
    options=(Option(name="number", about="Which one to show whole; without it all, in short"),),
)
NONE = "My last answer here leaned on no document."
UNCITED = "My last answer here cites no document. These came nearest to the question:"
NO_SUCH = "There is no source {number} that I could show you here."
SHORT = 240  # characters of a passage in the list


@dataclass(slots=True, kw_only=True)
class SourcesCommand:
    """Shows passages to whoever may read them where they ask."""

    traces: Traces
    readers: Readers

    def known(self) -> tuple[Known, ...]:
        """Return this capability's command."""
        return (Known(SOURCES, self.sources),)

    async def sources(self, request: Request) -> str:
        """List the passages, or show one."""
        event = request.event
        found = await self.traces.latest(event.conversation, threads=request.threads)
        notes = found.notes if found else {}
        cited = notes.get("cited", ())
        ids = cited or [note["id"] for note in notes.get("documents", ())]
        passages = await self.readers.passages(
            ids, event.author, event.conversation, private=event.private
        )
        if not passages:
            return NONE
        # As the answer numbers them, also where whoever asks may not read all of them.
        numbered = {ids.index(passage.id) + 1: passage for passage in passages}
        if request.argument:
            passage = _one(numbered, request.argument)
            return self._shown(passage, event.conversation, len(passage.text))
        lines = [f"{number}. {self._shown(passage, event.conversation, SHORT)}"
                 for number, passage in numbered.items()]  # fmt: skip
        return "\n\n".join((*([] if cited else [UNCITED]), *lines))

    def _shown(self, passage: Passage, place: Conversation, most: int) -> str:
        """Return where a passage stands, and as much of its words as an answer may show."""
        quoted = self.readers.quoted(_quote(passage.text, most), place)
        return f"{source_of(passage)}\n{quoted}"


def _one(passages: Mapping[int, Passage], argument: str) -> Passage:
    number = int(argument) if argument.isdecimal() and len(argument) < 9 else 0
    if number not in passages:
        raise Declined(NO_SUCH.format(number=f"`{argument[:20]}`"))
    return passages[number]


def _quote(text: str, most: int) -> str:
    """Quote a passage, or its beginning with a mark where it goes on."""
    shown = text if len(text) <= most else f"{text[:most].rpartition(' ')[0]} …"
    return "\n".join(f"> {line}".rstrip() for line in shown.splitlines())
