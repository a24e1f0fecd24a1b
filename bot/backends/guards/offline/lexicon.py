"""Phrases by words: which of them stand in a text, and where.

A phrase is a row of slots; each slot is a set of words and may be optional. To look at every phrase
at every word would take milliseconds, so each phrase is filed under one slot, its anchor: the one
whose words the fewest other phrases have. A text without anchor words costs a look-up per word.
The syntax of the files is explained at the head of `severe.txt`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from bot.backends.guards.offline.normalise import folded
from bot.domain.moderation import Category

FOLDER = Path(__file__).with_name("phrases")
SEVERE, FLAGGED = FOLDER / "severe.txt", FOLDER / "flagged.txt"
GAP = 2  # words that ".." may stand for


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in a phrase: these words, or any word if there are none."""

    words: frozenset[str]
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A row of slots, filed under one of them."""

    category: Category
    severe: bool
    excuses: bool  # an exception: what stands inside it is not reported
    slots: tuple[Slot, ...]
    anchor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A phrase in a text, with the first and the last of its words."""

    category: Category
    severe: bool
    first: int
    last: int


class Lexicon:
    """Finds phrases in rows of words."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        phrases = list(phrases)
        common = Counter(word for phrase in phrases for slot in phrase.slots for word in slot.words)
        self._by_anchor: defaultdict[str, list[Phrase]] = defaultdict(list)
        for phrase in phrases:
            anchored = _anchored(phrase, common)
            for word in anchored.slots[anchored.anchor].words:
                self._by_anchor[word].append(anchored)
        self.words = frozenset(common)

    def search(self, words: Sequence[str]) -> tuple[list[Hit], frozenset[int]]:
        """Return the phrases in a text, and which of its words stand in an exception.

        A phrase that shares a word with an exception is not returned; a severe one only yields to
        a severe exception.
        """
        found: list[Hit] = []
        excused: dict[bool, set[int]] = {False: set(), True: set()}
        for at, word in enumerate(words):
            for phrase in self._by_anchor.get(word, ()):
                span = _span(words, at, phrase)
                if span is None:
                    continue
                if phrase.excuses:
                    excused[phrase.severe].update(range(span[0], span[1] + 1))
                else:
                    found.append(Hit(category=phrase.category, severe=phrase.severe,
                                     first=span[0], last=span[1]))  # fmt: skip
        every = excused[False] | excused[True]
        left = [
            hit
            for hit in found
            if (excused[True] if hit.severe else every).isdisjoint(range(hit.first, hit.last + 1))
        ]
        return left, frozenset(every)


def _span(words: Sequence[str], at: int, phrase: Phrase) -> tuple[int, int] | None:
    """Return the first and last word of a phrase whose anchor stands at `at`, if all of it does."""
    last = _reach(words, at, phrase.slots[phrase.anchor + 1 :], 1)
    if last is None:
        return None
    first = _reach(words, at, phrase.slots[: phrase.anchor][::-1], -1)
    return None if first is None else (first, last)


def _reach(words: Sequence[str], at: int, slots: Sequence[Slot], step: int) -> int | None:
    """Follow slots from word to word, and return where the last one stands."""
    if not slots:
        return at
    slot, rest = slots[0], slots[1:]
    ahead = at + step
    if 0 <= ahead < len(words) and (not slot.words or words[ahead] in slot.words):
        reached = _reach(words, ahead, rest, step)
        if reached is not None:
            return reached
    return _reach(words, at, rest, step) if slot.optional else None


def _anchored(phrase: Phrase, common: Mapping[str, int]) -> Phrase:
    def crowd(at: int) -> int:
        return max(common[word] for word in phrase.slots[at].words)

    firm = [at for at, slot in enumerate(phrase.slots) if slot.words and not slot.optional]
    return Phrase(category=phrase.category, severe=phrase.severe, excuses=phrase.excuses,
                  slots=phrase.slots, anchor=min(firm, key=crowd))  # fmt: skip


def load() -> Lexicon:
    """Read both files of the package."""
    return Lexicon(
        phrase
        for file in (SEVERE, FLAGGED)
        for phrase in parsed(file.read_text(encoding="utf-8"), severe=file == SEVERE)
    )


def parsed(text: str, *, severe: bool) -> Iterator[Phrase]:
    """Yield the phrases of a file.

    Raises:
        ValueError: a line is no phrase; the message is the line.
    """
    names: dict[str, frozenset[str]] = {}
    category = ""
    for line in filter(None, (line.partition("#")[0].strip() for line in text.splitlines())):
        if line.startswith("["):
            category = line.strip("[]")
        elif line.startswith("@") and " = " in line:
            name, _, words = line.partition(" = ")
            names[name] = _words(words, names)
        else:
            excuses = line.startswith("- ")
            slots = tuple(_slots(line.removeprefix("- "), names))
            open_ended = slots[0].optional or (slots[-1].optional and not excuses)
            if category not in get_args(Category) or open_ended:
                raise ValueError(line)
            yield Phrase(category=cast("Category", category), severe=severe, excuses=excuses,
                         slots=slots)  # fmt: skip


def _slots(line: str, names: Mapping[str, frozenset[str]]) -> Iterator[Slot]:
    for part in line.split():
        if part == "..":
            yield from [Slot(frozenset(), optional=True)] * GAP
        else:
            yield Slot(_words(part, names), optional=part.endswith("?"))


def _words(part: str, names: Mapping[str, frozenset[str]]) -> frozenset[str]:
    words: set[str] = set()
    for word in part.split("|"):
        bare = word.rstrip("?")
        words |= names[bare] if bare.startswith("@") else {folded(bare)}
    return frozenset(words - {""})
