"""The numbers in brackets of an answer, replaced while it is streamed; code is not touched.

Code is a fence, to its closing line or the end, and a span that ends on its line, as answers leave
with them; backticks without their partner are mere signs. What is not decided waits, and no more
than `LONGEST` characters of it.
"""

import re
from collections.abc import Callable

LONGEST = 2_000  # characters from a backtick on that tell what it is
CITED = re.compile(r"(\[[\d, \t]{0,40}|[ \t])?\[(\d{1,2}(?:, ?\d{1,2}){0,9})\](?!\()")
_BEGUN = re.compile(r"(?:\[[\d, \t]{0,40}|[ \t])?(?:\[[\d, ]{0,40}\]?)?\Z")  # of one of them
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^\n]*)")
_FENCE_BEGUN = re.compile(r" {0,3}(?:```|~~~|(?:``?|~~?)?\Z)")
_SPAN = re.compile(r"(`++)(?:[^`\n]++|(?!\1(?!`))`++)*+\1(?!`)")
_TICKS = re.compile(r"`+")


class Prose:
    """Reads one answer; `replace` gets each match of `CITED` outside of code."""

    def __init__(self, replace: Callable[["re.Match[str]"], str]) -> None:
        self._replace = replace
        self._text = "\n"  # what waits, behind the last character before it
        self._fence = ""  # the marks that opened a code block
        self._all = False  # nothing follows

    def feed(self, words: str) -> str:
        """Return what is decided by now."""
        self._text += words
        said, at = [], 1
        while at < len(self._text):
            end, code = self._next(at)
            if end == at:
                break
            words = self._text[at:end]
            said.append(words if code else CITED.sub(self._replace, words))
            at = end
        self._text = self._text[at - 1 :]
        return "".join(said)

    def close(self) -> str:
        """Return the rest."""
        self._all = True
        return self.feed("")

    def _next(self, at: int) -> tuple[int, bool]:
        """Return where the next part ends, the same place if that is open; and if it is code."""
        if self._text[at - 1] == "\n" and _FENCE_BEGUN.match(self._text, at):
            if not self._known(at):
                return at, True
            if found := self._turned(at):
                return found.end(), True
        end = self._text.find("\n", at) + 1 or len(self._text)
        if self._fence:
            return end, True
        if ticks := _TICKS.match(self._text, at, at + LONGEST):
            return self._spanned(ticks), True
        tick = self._text.find("`", at, end)
        if tick >= 0:
            return tick, False
        if end == len(self._text) and not self._all and (begun := _BEGUN.search(self._text, at)):
            end = begun.start()
        return end, False

    def _known(self, at: int) -> bool:
        """Tell whether all is there that a line is judged by."""
        end = at + LONGEST
        return self._all or len(self._text) > end or self._text.find("\n", at, end) >= 0

    def _turned(self, at: int) -> "re.Match[str] | None":
        """Open or close a code block where a line does that."""
        found = _FENCE.match(self._text, at, at + LONGEST)
        if not found:
            return None
        marks, rest = found.groups()
        if self._fence:
            if not marks.startswith(self._fence) or rest.strip():
                return None
            self._fence = ""
        elif "`" in rest:
            return None
        else:
            self._fence = marks
        return found

    def _spanned(self, ticks: "re.Match[str]") -> int:
        """Return where a span of code ends, or the backticks that open none."""
        at = ticks.start()
        span = _SPAN.match(self._text, at, at + LONGEST)
        if span and (self._all or span.end() < len(self._text)):
            return span.end()
        return ticks.end() if self._known(at) else at
