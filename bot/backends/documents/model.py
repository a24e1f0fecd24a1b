"""Answers by quoting the operator's documents, with a citation; no language model is involved.

It is what runs before anybody has a key or a server, and it never makes anything up: what the
documents do not cover it says it does not know. Whoever connects a language model replaces it.
"""

import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Self

from bot.backends.documents import sentences
from bot.backends.documents.library import NEAR, Library, Match
from bot.backends.documents.reading import BUNDLED, read, synonyms
from bot.backends.documents.words import words
from bot.domain.dialogue import Delta, Ended, Prompt
from bot.domain.errors import ConfigError
from bot.domain.replies import Usage

NAME = "documents"
LONGEST_QUESTION = 4_000  # characters: who pastes more does not ask a question

_SPEAKER = re.compile(r"\A[^:\n]{1,60}: (?=\S)")  # groups: "Anna: where can I park?"
_REMARK = re.compile(r"^(?:>.*|\[.*\])$", re.MULTILINE)  # quotes and remarks in brackets


class DocumentsModel:
    """Quotes the entry that answers the last question, or says that there is none."""

    def __init__(self, library: Library) -> None:
        self._library = library

    @classmethod
    def read(cls, documents: str = "") -> Self:
        """Read a Markdown file or a folder of them; without a name, the bundled handbook.

        Raises:
            ConfigError: there is nothing to read.
        """
        place = Path(documents).expanduser() if documents else BUNDLED
        if not place.exists():
            raise ConfigError(f"documents: {place} does not exist; name a .md file or a folder")
        return cls(Library(read(place), synonyms(place)))

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Yield the answer to the last user line, then `Ended` with a usage of no tokens."""
        said = [_question(line.text) for line in prompt.lines if line.role == "user"]
        before, question = ["", "", *said][-2:]
        yield self._answer(question, _SPEAKER.sub("", before))
        yield Ended(reason="complete", usage=Usage(model=NAME))

    def _answer(self, question: str, before: str) -> str:
        count = self._library.files
        said = words(question)
        if said and sentences.THANKS.issuperset(said):
            return sentences.WELCOME
        if sentences.GREETINGS.issuperset(said):
            return sentences.introduction(count)
        matches = self._search(question, before)
        if sentences.is_hail(said) and not (matches and matches[0].titled):
            return sentences.introduction(count)
        if matches and matches[0].answers:
            return _quote(matches)
        related = [match.entry.name for match in matches if match.related]
        return sentences.unknown(count, _distinct(related))

    def _search(self, question: str, before: str) -> list[Match]:
        """Search with and without a speaker's name in front; the surer result counts."""
        found = self._library.search(question, before)
        without = _SPEAKER.sub("", question)
        if without == question:
            return found
        return max(self._library.search(without, before), found, key=_sureness)


def _question(text: str) -> str:
    return _REMARK.sub("", text[:LONGEST_QUESTION]).strip()


def _sureness(matches: list[Match]) -> float:
    return matches[0].coverage if matches else 0.0


def _quote(matches: list[Match]) -> str:
    best = matches[0]
    others = [
        match.entry.name
        for match in matches[1:]
        if match.answers
        and match.score >= NEAR * best.score
        and match.entry.name != best.entry.name
    ]
    quoted = "\n".join(f"> {line}".rstrip() for line in best.entry.body.splitlines())
    return sentences.quotation(quoted, best.entry.name, best.entry.file, _distinct(others))


def _distinct(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))[: sentences.MOST_NAMED]
