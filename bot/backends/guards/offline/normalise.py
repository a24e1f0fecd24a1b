"""Reads a text as a person would: through look-alikes, digits, stars, gaps and stretched letters.

`folded` maps each character by itself, so every position of the result has its `origins`. `Reader`
then splits it into words. It takes a disguised spelling for another word only if that word is one
of those that are sought: "k1ll" is "kill", and "mp3" stays "mp3".
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator

Word = tuple[str, int, int]  # and where it begins and ends in the folded text

_ALIKE = str.maketrans(
    "абвгеёзијкмнорстухѕіїјԁԛԝһӏ" "αβεηικνορτυχωγ" "ıȷłøđħŧƒɑɡɩʀʏɪɴʟʙɢʜᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢ" "օոսացհ",
    "abbreezujkmhopctyxsiijdqwhl" "abeniknoptuxwy" "ijlodhtfagirylnlbghacdejkmoptuvwz" "onuwgh",
)  # fmt: skip
_CACHED = 4096  # characters; there are more than anybody writes, and who wants may send them all
_ENCLOSED = ((0x1F130, 26), (0x1F150, 26), (0x1F170, 26), (0x1F1E6, 26))  # 🄰 🅐 🅰 🇦


class _Folds(dict[int, str]):
    """What each character stands for, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        fold = _fold(code)
        if len(self) < _CACHED:
            self[code] = fold
        return fold


def _fold(code: int) -> str:
    for first, count in _ENCLOSED:
        if first <= code < first + count:
            return chr(ord("a") + code - first)
    char = chr(code)
    if char.isspace():
        return " "
    plain = unicodedata.normalize("NFKD", char).casefold()
    kept = (c for c in plain if unicodedata.category(c) not in ("Mn", "Me", "Cf", "Cc", "Co", "Cn"))
    return "".join(kept).translate(_ALIKE)


_FOLDS = _Folds()


def folded(text: str) -> str:
    """Return a text in small plain letters: no accents, nothing invisible, look-alikes as Latin."""
    return text.translate(_FOLDS)


def origins(text: str) -> list[int]:
    """Return for each character of `folded(text)`, and for its end, where it stood in the text."""
    return [at for at, char in enumerate(text) for _ in _FOLDS[ord(char)]] + [len(text)]


_LEET = "0134578@$!|+€"
_AS_I = str.maketrans(_LEET, "oieastbasiite")
_AS_L = str.maketrans(_LEET, "oleastbasllte")
_PART = re.compile(r"[^\W_]+")
_TOKEN = re.compile(r"[@$]?[^\W_]+(?:[*@$!|+#€._-]{1,9}[^\W_]+)*\$*")
_SPACED = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,3}[^\W_]){2,}(?![^\W_])")
_GAPS = re.compile(r"[#._-]")
_RUN = re.compile(r"(.)\1+")
_LONG_RUN = re.compile(r"([^\W_])\1\1")
_SHORT = frozenset("aiuo")  # words of one letter
_LONGEST = 24


class Reader:
    """Splits folded texts into words and sees through disguises of the words it seeks."""

    def __init__(self, sought: Iterable[str]) -> None:
        self._sought = frozenset(sought)
        self._by_squeezed = {_RUN.sub(r"\1", word): word for word in sorted(self._sought)}
        self._by_mask = {
            word[:start] + "*" * (end - start) + word[end:]
            : word
            for word in sorted(self._sought) if len(word) > 3
            for start in range(1, len(word) - 1)
            for end in range(start + 1, len(word))
        }  # fmt: skip

    def words(self, text: str) -> list[Word]:
        """Return the words of a folded text in their order."""
        found: list[Word] = []
        stretched = _LONG_RUN.search(text) is not None
        at = 0
        for run in _SPACED.finditer(text):
            pieces = self._joined(text, run)
            if pieces:
                found += self._plain(text, (at, run.start()), stretched)
                found += pieces
                at = run.end()
        found += self._plain(text, (at, len(text)), stretched)
        return found

    def _plain(self, text: str, part: tuple[int, int], stretched: bool) -> Iterator[Word]:
        for match in _TOKEN.finditer(text, *part):
            token, start = match[0], match.start()
            if not stretched and token.isalpha():
                yield token, start, match.end()
            elif (word := self._undisguised(token)) is not None:
                yield word, start, match.end()
            else:
                for piece in _PART.finditer(token):
                    word = self._undisguised(piece[0]) or piece[0]
                    yield word, start + piece.start(), start + piece.end()

    def _undisguised(self, token: str) -> str | None:
        """Return the sought word that a token is a spelling of, if it is one."""
        if token in self._sought:
            return token
        letters = sum(char.isalpha() for char in token)
        if 2 * letters < len(token) - token.count("*"):
            return None  # a number or a date
        bare = _GAPS.sub("", token)
        for spelling in (bare, bare.translate(_AS_I), bare.translate(_AS_L)):
            if spelling in self._sought:
                return spelling
            if "*" in spelling:
                return self._by_mask.get(spelling)
            if _LONG_RUN.search(spelling):
                word = self._by_squeezed.get(_RUN.sub(r"\1", spelling))
                if word is not None:
                    return word
        return None

    def _joined(self, text: str, run: re.Match[str]) -> list[Word]:
        """Return the sought words that a run of single letters spells; none if it does not."""
        ats = [at for at in range(run.start(), run.end()) if _PART.match(text[at])]
        letters = "".join(text[at] for at in ats).translate(_AS_I)
        ends = self._segmented(letters)
        starts = [0, *ends[:-1]]
        if not any(end - start > 2 for start, end in zip(starts, ends, strict=False)):
            return []
        return [
            (letters[start:end], ats[start], ats[end - 1] + 1)
            for start, end in zip(starts, ends, strict=True)
        ]

    def _segmented(self, letters: str) -> list[int]:
        """Return where words end when letters are cut into as few sought words as can be."""
        fewest, begins = [0.0], [0]
        for end in range(1, len(letters) + 1):
            count, start = min(
                (
                    (fewest[start] + 1, start)
                    for start in range(max(0, end - _LONGEST), end)
                    if self._is_word(letters[start:end])
                ),
                default=(math.inf, 0),
            )
            fewest.append(count)
            begins.append(start)
        if fewest[-1] == math.inf:
            return []
        ends = [len(letters)]
        while begins[ends[-1]]:
            ends.append(begins[ends[-1]])
        return ends[::-1]

    def _is_word(self, letters: str) -> bool:
        return letters in self._sought or letters in _SHORT
