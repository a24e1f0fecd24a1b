"""Small rules about text that everybody shares."""

import re
import unicodedata

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_BRACKETS = re.compile(r"[<>\[\]|⟦⟧]")
_FIRST_WORD = re.compile(r"[\W_]*([^\W_]+)")
ROLE_NAMES = ("system", "assistant", "developer", "user")  # of the chat formats
NAME_LIMIT = 40  # characters of a display name that the model is shown
FILE_NAME_LIMIT = 100  # characters

_EMOJI = (
    "\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_JOINING = (
    "\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17b3\u17b6-\u17ff\u1820-\u18af\ua840-\ua8ff"
)
_HIDDEN = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_ANY_HIDDEN = re.compile(f"[{_HIDDEN}]")
_KEPT_OR_HIDDEN = re.compile(
    "(\U0001f3f4\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074"
    "|\U000e0077\U000e006c\U000e0073)\U000e007f"  # the flags of England, Scotland and Wales
    f"|[{_EMOJI}][\ufe0e\ufe0f]?(?:\u200d(?=[{_EMOJI}]))?"
    "|[0-9#*]\ufe0f\u20e3"  # a key of a keypad
    f"|[{_JOINING}][\u200c\u200d])"
    f"|[{_HIDDEN}]"
)


def storable(text: str) -> str:
    """Replace what no store and no wire can carry: U+0000 and lone surrogates become U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text) if _UNSTORABLE.search(text) else text


def visible(text: str) -> str:
    """Take out what nobody sees, so that people, guards and the model read the same words.

    Control characters (not tab and line ends), zero-width and bidirectional marks, tag characters
    and variation selectors go; what forms an emoji and the joiners that Arabic and Indic scripts
    are written with stay, one for each visible character.
    """
    if not _ANY_HIDDEN.search(text):
        return text
    return _KEPT_OR_HIDDEN.sub(lambda match: match[1] or "", text)


def display_name(name: str) -> str:
    """Make a name safe to show to the model: one line, at most 40 long, and no imitated role."""
    shown = _one_line(_BRACKETS.sub(" ", name))[:NAME_LIMIT]
    first = _FIRST_WORD.match(shown.casefold())
    return f"“{shown}”" if first and first[1] in ROLE_NAMES else shown


def safe_name(name: str) -> str:
    """Make a file's name safe to show; it is still nothing to open a file by.

    No folders, no control or invisible characters, at most 100 characters; the ending survives.
    """
    kept = _one_line(re.split(r"[/\\]", name)[-1]).strip(". ") or "file"
    stem, dot, ending = kept.rpartition(".")
    if len(kept) <= FILE_NAME_LIMIT or len(ending) > 10 or not stem:
        return kept[:FILE_NAME_LIMIT]
    return stem[: FILE_NAME_LIMIT - len(dot + ending)] + dot + ending


def _one_line(text: str) -> str:
    kept = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    return " ".join(kept.split())
