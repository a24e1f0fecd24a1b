"""Hides what a model thinks aloud.

Reasoning models behind servers without a reasoning parser put their thoughts between `<think>` and
`</think>` into the text itself, and a tag may be cut anywhere between two chunks of a stream. A tag
behind a backtick is somebody writing about tags, so it stays.
"""

OPEN, CLOSE = "<think>", "</think>"


class Thinking:
    """Passes words on without the thoughts between them; one object per answer."""

    __slots__ = ("_begun", "_held", "_inside", "_last", "_plain", "_thought", "_trim")

    def __init__(self) -> None:
        self._held = ""  # words that may turn out to be part of a tag
        self._thought: list[str] = []  # what was said inside the tag that is open
        self._inside = False  # a tag is open
        self._trim = False  # a thought has just ended: blanks behind it go
        self._begun = False  # words were passed on
        self._last = ""  # the character before the next words
        self._plain = False  # none of the above needs a look: the usual case

    def feed(self, words: str) -> str:
        """Return what of these words, and of those held back, people may see now."""
        if self._plain and "<" not in words:
            self._last = words[-1:]
            return words
        text, self._held = self._held + words, ""
        passed = ""
        while text:
            text, seen = self._leave(text) if self._inside else self._pass(text)
            passed += seen
        self._plain = self._begun and not (self._held or self._inside or self._trim)
        return passed

    def close(self, *, complete: bool) -> str:
        """Return what is still held back at the end of the answer.

        A thought that never ended is dropped, unless the answer is complete and had begun before
        it: then the tag was meant to be read.
        """
        if not self._inside:
            return self._held
        thought = OPEN + "".join(self._thought) + self._held
        return thought if complete and self._begun else ""

    def _pass(self, text: str) -> tuple[str, str]:
        """Read words outside a thought; returns what is left to read, and what may be seen."""
        if self._trim:
            text = text.lstrip()
            self._trim = not text
        at = self._find_tag(text)
        if at >= 0:
            self._inside = True
            seen, left = text[:at], text[at + len(OPEN) :]
        else:
            seen, self._held = _without_start(text, OPEN)
            left = ""
        if not self._begun and not seen.strip():  # blanks before a thought go as well
            self._held, seen = ("" if self._inside else seen + self._held), ""
        self._begun = self._begun or bool(seen)
        self._last = seen[-1:] or self._last
        return left, seen

    def _leave(self, text: str) -> tuple[str, str]:
        """Read words inside a thought; they are kept until its end, in case it has none."""
        _, tag, left = text.partition(CLOSE)
        if not tag:
            kept, self._held = _without_start(text, CLOSE)
            self._thought.append(kept)
            return "", ""
        self._thought.clear()
        self._inside, self._trim = False, True
        return left, ""

    def _find_tag(self, text: str) -> int:
        """Return where the first tag opens that does not follow a backtick; -1 if there is none."""
        at = text.find(OPEN)
        while at >= 0 and (text[at - 1] if at else self._last) == "`":
            at = text.find(OPEN, at + 1)
        return at


def _without_start(text: str, tag: str) -> tuple[str, str]:
    """Cut off an end of the text that could be the start of a tag."""
    at = text.rfind("<", max(0, len(text) - len(tag) + 1))
    if at >= 0 and tag.startswith(text[at:]):
        return text[:at], text[at:]
    return text, ""
