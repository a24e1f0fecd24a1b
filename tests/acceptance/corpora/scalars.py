"""One value at the top of a YAML file: as much of YAML as the templates of PyRIT use."""

import re
from textwrap import dedent

ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
SHORT = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "e": "\x1b",
         "f": "\f", "v": "\v", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029"}  # fmt: skip


def scalar(text: str, key: str) -> str:
    """Return the string that stands behind a key at the left margin."""
    found = re.search(rf"^{key}: *(.*(?:\n(?:[ \t].*)?)*)", text, re.MULTILINE)
    if not found:
        raise ValueError(f"there is no {key}")
    head, _, block = found[1].partition("\n")
    if re.fullmatch(r"[|>][+-]?\d?", head.strip()):
        block = dedent(block).strip("\n")
        return _folded(block) if head.startswith(">") else block
    value = _folded("\n".join(line.strip() for line in found[1].strip().split("\n")))
    if value.startswith("'"):
        return value[1:-1].replace("''", "'")
    if value.startswith('"'):
        return ESCAPE.sub(_unescaped, value[1:-1].replace("\\ \\", ""))
    return value


def _folded(block: str) -> str:
    """Join lines; n empty lines are n line ends."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", block).replace("\n\n", "\n")


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    return chr(int(code, 16)) if code else SHORT.get(found[4], found[4].strip())
