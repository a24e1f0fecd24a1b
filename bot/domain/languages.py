"""Whether two texts are in one language, as far as scripts and the commonest words tell."""

import re
import unicodedata
from collections import Counter

from bot.domain.asking import LIGHT

_COMMON = {
    "en": "the and is are you what how when of to in for it do can this with",
    "de": (
        "der die das und ist sind wie was wann ich sie nicht ein eine mit für warum wo "
        "mein meine kann auf zu den dem hat habe man dir euch ihr gibt es"
    ),
    "fr": (
        "le la les et est sont vous que quand de des je pas une un avec pour pourquoi "
        "où mon ma mes ce cette ne du au aux qui sur dans"
    ),
    "es": (
        "el la los y es son que cuando de en por para una un con no como qué cuándo "
        "cómo dónde mi mis se lo al del las este esta hay puedo"
    ),
    "it": (
        "il la gli e è sono che quando di per una un con non come si perché dove quanto "
        "mio mia del della dei ho ha mi sul posso"
    ),
    "pt": (
        "o a os e é são que quando de em por para uma um com não como onde meu minha "
        "posso tem há dos das no na"
    ),
    "nl": (
        "de het een en is zijn wat hoe wanneer ik niet met voor van op je waarom mijn "
        "kan jullie naar dat er"
    ),
}
COMMON = {name: frozenset(words.split()) for name, words in _COMMON.items()}
# Japanese is written with Chinese signs too: one question may have no other.
_SHARED = {"HIRAGANA": "CJK", "KATAKANA": "CJK"}
_WORD = re.compile(r"[^\W\d_]+")
READ = 2000  # characters that are looked at
TELLING = 3  # common words by which a language is known
LEAD = 1.5  # how many times more of them than of any other language's


def same_language(one: str, other: str) -> bool:
    """Return False only where two texts surely are in different languages."""
    scripts = script(one), script(other)
    if all(scripts) and scripts[0] != scripts[1]:
        return False
    known = language(one), language(other)
    return not all(known) or known[0] == known[1]


def foreign(text: str) -> bool:
    """Tell whether a text, however short, is rather in some other language than in English."""
    if script(text) not in ("", "LATIN"):
        return True
    words = _WORD.findall(text[:READ].casefold())
    english = sum(word in LIGHT or word in COMMON["en"] for word in words)
    others = (sum(word in common for word in words) for name, common in COMMON.items()
              if name != "en")  # fmt: skip
    return max(others) > english


def script(text: str) -> str:
    """Return the script of most letters; empty without letters."""
    letters = [sign for sign in text[:READ] if sign.isalpha()]
    scripts = Counter(unicodedata.name(sign, "").partition(" ")[0] for sign in letters)
    for script, _ in scripts.most_common(1):
        return _SHARED.get(script, script)
    return ""


def language(text: str) -> str:
    """Return the language whose common words stand out; empty when none does."""
    words = Counter(_WORD.findall(text[:READ].casefold()))
    found = sorted(
        ((sum(words[word] for word in common), name) for name, common in COMMON.items()),
        reverse=True,
    )
    (most, name), (second, _) = found[:2]
    return name if most >= TELLING and most >= LEAD * second else ""
