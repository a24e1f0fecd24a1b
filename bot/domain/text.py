"""Small rules about text that everybody shares."""

import re
import unicodedata

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
NAME_LIMIT = 40  # characters of a display name that the model is shown


def storable(text: str) -> str:
    """Replace what no store and no wire can carry: U+0000 and lone surrogates become U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text) if _UNSTORABLE.search(text) else text


def display_name(name: str) -> str:
    """Make a name safe to show to the model: one line, no control characters, at most 40 long."""
    kept = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in name)
    return " ".join(kept.split())[:NAME_LIMIT]
