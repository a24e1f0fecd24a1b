"""Answers by quoting the operator's documents, with a citation; no language model is involved.

It is what runs before anybody has a key or a server, and it never makes anything up: what the
documents do not cover it says it does not know. Whoever connects a language model replaces it.
"""

import re
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Self

from bot.backends.documents import sentences
from bot.backends.documents.library import NEAR, Library, Match
from bot.backends.documents.reading import BUNDLED, read, synonyms
from bot.domain.asking import words
from bot.domain.dialogue import Delta, Ended, Prompt
from bot.domain.errors import ConfigError
from bot.domain.knowledge import Grounds
from bot.domain.replies import Reason, Usage

NAME = "documents"
LONGEST_QUESTION = 4_000  # characters: who pastes more does not ask a question

_SPEAKER = re.compile(r"\A[^:\n]{1,60}: (?=\S)")  # groups: "Anna: where can I park?"
# Quotes, remarks in brackets, and what other people and files say, in its fence.
_REMARK = re.compile(r"^(?:>.*|\[.*\])$|⟦(\w+) [\s\S]*?(?:\1⟧|\Z)", re.MULTILINE)


class DocumentsModel:
    """Quotes the entry that answers the last question, or says that there is none.

    What an operator adds takes the place of the demo. Documents that the model was given by name
    stay: they answer what was not added.
    """

    def __init__(self, library: Library, *, demo: bool) -> None:
        self._library, self._demo = library, demo

    @classmethod
    def read(cls, documents: str = "") -> Self:
        """Read a Markdown file or a folder of them; without a name, the bundled handbook.

        Raises:
            ConfigError: there is nothing to read.
        """
        place = Path(documents).expanduser() if documents else BUNDLED
        if not place.exists():
            raise ConfigError(f"documents: {place} does not exist; name a .md file or a folder")
        return cls(Library(read(place), synonyms(place)), demo=not documents)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Yield the answer to the last user line, then `Ended` with a usage of no tokens."""
        grounds = prompt.grounds
        if grounds.documents and (self._demo or (grounds.sure and grounds.passages)):
            answer, reason = _leaning(prompt.lines[-1].text, grounds)
            yield answer
            yield Ended(reason=reason, usage=Usage(model=NAME))
            return
        said = [_question(line.text) for line in prompt.lines if line.role == "user"]
        before, question = ["", "", *said][-2:]
        answer, reason = self._answer(question, _SPEAKER.sub("", before), grounds)
        yield answer
        yield Ended(reason=reason, usage=Usage(model=NAME))

    def _answer(self, question: str, before: str, grounds: Grounds) -> tuple[str, Reason]:
        count, said = self._library.files + grounds.documents, words(question)
        if manners := _manners(said, count):
            return manners, "complete"
        matches = self._search(question, before)
        if sentences.is_hail(said) and not (matches and matches[0].fit.titled):
            return sentences.introduction(count), "complete"
        if matches and matches[0].fit.answers:
            return _quote(matches), "complete"
        related = [match.entry.name for match in matches if match.fit.related]
        related += [passage.name for passage in grounds.passages]
        return sentences.unknown(count, _distinct(related)), "unsure"

    def _search(self, question: str, before: str) -> list[Match]:
        """Search with and without a speaker's name in front; the surer result counts."""
        found = self._library.search(question, before)
        without = _SPEAKER.sub("", question)
        if without == question:
            return found
        return max(self._library.search(without, before), found, key=_sureness)


def _leaning(line: str, grounds: Grounds) -> tuple[str, Reason]:
    """Answer from what was found in the operator's library."""
    said = words(_SPEAKER.sub("", _question(line)))
    if manners := _manners(said, grounds.documents):
        return manners, "complete"
    if grounds.sure and grounds.passages:
        return _cited(grounds.passages[0].text), "complete"
    if said and sentences.is_hail(said):
        return sentences.introduction(grounds.documents), "complete"
    names = _distinct([passage.name for passage in grounds.passages])
    return sentences.unknown(grounds.documents, names), "unsure"


def _manners(said: Sequence[str], count: int) -> str:
    """Return what is said to thanks and to a greeting; nothing to a question."""
    if said and sentences.THANKS.issuperset(said):
        return sentences.WELCOME
    return sentences.introduction(count) if sentences.GREETINGS.issuperset(said) else ""


def _cited(text: str) -> str:
    """Quote a passage with its number, which would break the end of a table or of code."""
    quoted = _marked(text)
    last = quoted.rpartition("\n")[2].removeprefix("> ").lstrip()
    return quoted + ("\n\n[1]" if last.startswith(("|", "```", "~~~")) else " [1]")


def _marked(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _question(text: str) -> str:
    return _REMARK.sub("", text[:LONGEST_QUESTION]).strip()


def _sureness(matches: list[Match]) -> float:
    return matches[0].fit.coverage if matches else 0.0


def _quote(matches: list[Match]) -> str:
    best = matches[0]
    others = [
        match.entry.name
        for match in matches[1:]
        if match.fit.answers
        and match.fit.score >= NEAR * best.fit.score
        and match.entry.name != best.entry.name
    ]
    return sentences.quotation(
        _marked(best.entry.body), best.entry.name, best.entry.file, _distinct(others)
    )


def _distinct(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))[: sentences.MOST_NAMED]
