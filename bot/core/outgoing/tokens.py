"""Anything that is shaped like a token leaves as `***`."""

import re

from bot.domain.secrets import without_tokens

MARK = "***"
_LONGEST = 2_000  # characters without a space that are looked at together
_OVERLAP = 400  # of them, those that are looked at again with what follows
_SIGNS = "".join(map(chr, range(0x21, 0x7F)))  # those of tokens
_ENDS = re.compile(r"[ \t\n]")
_SUSPECT = re.compile(r"[!-~]{11}")
_LONG = re.compile(rf"[!-~]{{{_LONGEST + 1},}}")


class Tokens:
    """Passes words on as soon as they are whole."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, words: str) -> str:
        """Return what is whole by now."""
        self._held += words
        if words.isascii() and not _ENDS.search(words) and len(self._held) <= _LONGEST:
            return ""
        start = len(self._held.rstrip(_SIGNS))
        whole, self._held = self._held[:start], self._held[start:]
        said = _without(whole)
        while len(self._held) > _LONGEST:
            piece, self._held = _chop(self._held)
            said += piece
        return said

    def close(self) -> str:
        """Return the rest."""
        rest, self._held = self._held, ""
        return _without(rest)


def _without(text: str) -> str:
    if not _SUSPECT.search(text):
        return text
    said, at = "", 0
    for word in _LONG.finditer(text):
        said += without_tokens(text[at : word.start()])
        rest = word[0]
        while len(rest) > _LONGEST:
            piece, rest = _chop(rest)
            said += piece
        said, at = said + without_tokens(rest), word.end()
    return said + without_tokens(text[at:])


def _chop(word: str) -> tuple[str, str]:
    """Take the begin of an endless word, and as much of it as no token reaches over."""
    cut = _LONGEST - _OVERLAP
    known = without_tokens(word[:_LONGEST])
    if known != word[:_LONGEST]:
        cut = _LONGEST
    return without_tokens(word[:cut]), word[cut:]
