"""Citations in an answer: numbers that stand for passages, and the list of sources below it.

A model is shown numbered passages and cites them as `[2]`. People see the numbers counted from 1 in
the order in which they are used; a number that stands for nothing is left out. Code is not touched.
In memory an answer has no numbers: in a later prompt they would stand for other passages.
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from bot.core.outgoing import links
from bot.core.prose import Prose
from bot.domain.knowledge import Passage
from bot.domain.text import visible

SOURCES = "**Sources**"
_MARKS = re.compile(r"[\[\]()<>*_`~|\\]+")


class Citing:
    """The citations of one answer, while it is streamed."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages
        self._numbers: dict[int, int] = {}  # place among the passages → number that people see
        self._prose = Prose(self._cited)

    def feed(self, words: str) -> str:
        """Return what may be shown by now of what has come."""
        return self._prose.feed(words) if self._passages else words

    def close(self) -> str:
        """Return what was held back."""
        return self._prose.close()

    @property
    def used(self) -> tuple[Passage, ...]:
        """The passages that are cited, by their numbers."""
        return tuple(self._passages[place - 1] for place in self._numbers)

    def below(self) -> str:
        """Return the list of sources as Markdown; empty when nothing is cited."""
        return listed({number: self._passages[place - 1]
                       for place, number in self._numbers.items()})  # fmt: skip

    def _cited(self, found: "re.Match[str]") -> str:
        places = [int(place) for place in found[2].split(",")]
        numbers = [self._number(place) for place in places if 0 < place <= len(self._passages)]
        shown = "".join(f"[{number}]" for number in numbers)
        return (found[1] or "") + shown if numbers else _left_out(found)

    def _number(self, place: int) -> int:
        return self._numbers.setdefault(place, len(self._numbers) + 1)


def uncited(text: str) -> str:
    """Return an answer without the numbers that people see in it."""
    while True:
        prose = Prose(_left_out)
        left = prose.feed(text) + prose.close()
        if left == text:
            return text
        text = left  # once more: a fence may begin where a number stood before it


def listed(numbered: Mapping[int, Passage]) -> str:
    """Return numbered passages as a list of their sources, with links where there are any."""
    if not numbered:
        return ""
    lines = [f"[{number}] {source_of(passage)}" for number, passage in numbered.items()]
    return "\n".join((SOURCES, *lines))


def source_of(passage: Passage) -> str:
    """Return where a passage stands, as Markdown: a link, or the name of a file."""
    name = plain(f"{passage.title} › {passage.name}" if _beside(passage) else passage.name)
    if passage.link:
        return f"[{name}]({quote(passage.link, safe=':/?#&=%@!$+,;~-._')})"
    shown = _unlinked(name)
    if passage.source in ("", name):
        return shown
    return f"{shown} ({_unlinked(plain(passage.source))})"


def plain(text: str) -> str:
    """Return a name without what Markdown would take for a mark."""
    return " ".join(_MARKS.sub(" ", visible(text)).split())


def _unlinked(name: str) -> str:
    """Show as code what a platform would make a link of: nobody has allowed where that leads."""
    return " ".join(f"`{word}`" if links.begin(word) >= 0 else word for word in name.split())


def _beside(passage: Passage) -> bool:
    """Tell whether the document's title is not yet among the headings."""
    return bool(passage.title) and passage.title not in passage.path and bool(passage.path)


def _left_out(found: "re.Match[str]") -> str:
    """Return what stays of a number that goes; bare, brackets around it would be another one."""
    before = found[1] or ""
    return f"{before}…" if before.startswith("[") else ""
