"""Whether a word stands in a text: whole words and phrases, in whatever case, never a pattern.

Scripts that are written without spaces have no word boundaries: there a word counts wherever it
stands.
"""

import re
import unicodedata
from functools import lru_cache

_SPACELESS = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
LONGEST = 20_000  # characters of a text that are looked at


def stands_in(word: str, text: str) -> bool:
    """Tell whether a word or phrase stands in a text; an empty one stands nowhere."""
    return bool(_pattern(word).search(_folded(text[:LONGEST])))


@lru_cache(maxsize=1024)
def _pattern(word: str) -> "re.Pattern[str]":
    folded = _folded(word).split()
    if not folded:
        return re.compile(r"(?!)")
    inner = r"\s+".join(map(re.escape, folded))
    return re.compile(f"{_edge(folded[0][0], '<!')}{inner}{_edge(folded[-1][-1], '!')}")


def _edge(sign: str, kind: str) -> str:
    """Return what must not stand beside the first or last sign of a word: more of that word."""
    within = (sign.isalnum() or sign == "_") and not _SPACELESS.match(sign)
    return f"(?{kind}\\w)" if within else ""


@lru_cache(maxsize=16)
def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
