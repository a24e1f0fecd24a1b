"""Markdown as Discord shows it.

Discord renders Markdown by itself, except tables and deep headings. Tables become grids in a code
block; nothing is escaped, since mentions are made harmless by `allowed_mentions`.
"""

import re
from typing import Final

from adapters.kit.fences import edges
from adapters.kit.markdown import Table, grid, parse

# A line with a pipe, a line of dashes below it, and all lines with pipes that follow.
_TABLE: Final = re.compile(
    r"^[^|\n]*\|[^\n]*\n[ \t:|-]*-[ \t:|-]*$(?:\n[^|\n]*\|[^\n]*)*", re.MULTILINE
)
_DEEP_HEADING: Final = re.compile(r"^#{4,6}[ \t]+(\S.*?)[ \t]*#*[ \t]*$", re.MULTILINE)


def render(text: str) -> str:
    """Return what to send for a piece of Markdown."""
    if "|" not in text and "####" not in text:
        return text
    shown, at, inside = [], 0, False
    for edge in edges(text):
        part = text[at : edge.start]
        shown.append(part if inside else _render(part))
        at, inside = edge.start, edge.opens
    shown.append(text[at:] if inside else _render(text[at:]))
    return "".join(shown)


def _render(text: str) -> str:
    return _TABLE.sub(_grid, _DEEP_HEADING.sub(r"**\1**", text))


def _grid(found: re.Match[str]) -> str:
    match parse(found[0]):
        case (Table() as table,):
            return f"```\n{grid(table)}\n```"
        case _:
            return found[0]
