"""Texts as the numbers that BERT's uncased models read.

The vocabulary comes with this package; where it is from is in the NOTICE beside it. Written in
Python, since the usual library takes 30 MB to do the same for texts as short as ours.
"""

import hashlib
import lzma
import string
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Self

from bot.domain.errors import ConfigError

VOCABULARY = Path(__file__).with_name("vocab.txt.xz")
SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"  # of the list itself
UNKNOWN, START, END = 100, 101, 102
LONGEST_WORD = 100  # characters: what is longer is no word
MOST_KNOWN = 20_000  # words whose numbers are kept

_LEFT_OUT = ("Mn", "Cc", "Cf", "Co", "Cs")  # accents, controls, what has no meaning of its own

# Between these there are no spaces, so each character is a word; the blocks are those of BERT.
_IDEOGRAPHS = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip


class WordPiece:
    """Knows 30,522 words and pieces of words."""

    def __init__(self, pieces: list[str]) -> None:
        self._ids = {piece: number for number, piece in enumerate(pieces)}
        self._known: dict[str, tuple[int, ...]] = {}

    @classmethod
    def read(cls) -> Self:
        """Read the vocabulary, in some 30 ms.

        Raises:
            ConfigError: the file is damaged or missing.
        """
        try:
            listed = lzma.decompress(VOCABULARY.read_bytes())
        except (OSError, lzma.LZMAError) as cause:
            raise ConfigError(
                f"{VOCABULARY.name}: cannot be read; install the package again"
            ) from cause
        if hashlib.sha256(listed).hexdigest() != SHA256:
            raise ConfigError(f"{VOCABULARY.name}: is damaged; install the package again")
        return cls(listed.decode().splitlines())

    def ids(self, text: str) -> list[int]:
        """Return the numbers of a text, without those for start and end."""
        found: list[int] = []
        for word in _words(text):
            found += self._known.get(word) or self._learnt(word)
        return found

    def _learnt(self, word: str) -> tuple[int, ...]:
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        return self._known.setdefault(word, self._pieces(word))

    def _pieces(self, word: str) -> tuple[int, ...]:
        """Cut the longest known piece off until nothing is left."""
        if len(word) > LONGEST_WORD:
            return (UNKNOWN,)
        found: list[int] = []
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                number = self._ids.get(("##" if start else "") + word[start:end])
                if number is not None:
                    break
            else:
                return (UNKNOWN,)
            found.append(number)
            start = end
        return tuple(found)


def _words(text: str) -> list[str]:
    """Return words in lower case and without accents; each punctuation mark is one."""
    return "".join(map(_written, unicodedata.normalize("NFD", text))).split()


@lru_cache(maxsize=4096)
def _written(char: str) -> str:
    """Return a character as BERT's words have it: lower, set apart, a space, or nothing."""
    category = unicodedata.category(char)
    if char in "\t\n\r":
        return " "
    if category in _LEFT_OUT or char == "\ufffd":
        return ""
    if category[0] == "P" or char in string.punctuation:
        return f" {char} "
    if any(first <= ord(char) <= last for first, last in _IDEOGRAPHS):
        return f" {char} "
    return char.lower()
