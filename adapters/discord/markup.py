"""Markdown as Discord shows it.

Discord renders Markdown by itself, except tables, deep headings and rules. Tables become grids in a
code block; nothing is escaped, since mentions are made harmless by `allowed_mentions`.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

_FENCE: Final = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_DELIMITER: Final = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_DEEP_HEADING: Final = re.compile(r"#{4,6}\s+(.+?)\s*#*$")
_PIPE: Final = re.compile(r"(?<!\\)\|")
_CODE: Final = "```"


def render(text: str) -> str:
    """Return what to send for a piece of Markdown."""
    if "|" not in text and "####" not in text:
        return text
    return "\n".join(_rendered(text.split("\n")))


def _rendered(lines: Sequence[str]) -> Iterator[str]:
    fence, at = "", 0
    while at < len(lines):
        line = lines[at]
        mark = _FENCE.match(line)
        if mark:
            fence = _after(fence, mark[1])
        elif not fence and (rows := _table(lines, at)):
            yield from (_CODE, *_grid(rows), _CODE)
            at += len(rows) + 1
            continue
        elif not fence and (heading := _DEEP_HEADING.match(line)):
            line = f"**{heading[1]}**"
        yield line
        at += 1


def _after(fence: str, mark: str) -> str:
    """Return the open fence behind a line with this mark."""
    if not fence:
        return mark
    return "" if mark.startswith(fence) else fence


def _table(lines: Sequence[str], at: int) -> list[list[str]]:
    """Return the cells of the table that begins here, or nothing."""
    if "|" not in lines[at] or at + 1 >= len(lines):
        return []
    if "|" not in lines[at + 1] or not _DELIMITER.match(lines[at + 1]):
        return []
    rows = [_cells(lines[at])]
    for line in lines[at + 2 :]:
        if "|" not in line:
            break
        rows.append(_cells(line))
    return rows


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    inner = inner.removesuffix("|") if not inner.endswith("\\|") else inner
    return [_plain(cell) for cell in _PIPE.split(inner)]


def _plain(cell: str) -> str:
    """Drop marks that mean nothing inside a code block."""
    return cell.replace("\\|", "|").replace("**", "").replace("`", "").strip()


def _grid(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    columns = max(len(row) for row in rows)
    padded = [[*row, *[""] * (columns - len(row))] for row in rows]
    widths = [max(_width(row[column]) for row in padded) for column in range(columns)]
    for number, row in enumerate(padded):
        cells = (
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        )
        yield " │ ".join(cells).rstrip()
        if number == 0:
            yield "─┼─".join("─" * width for width in widths)


def _width(cell: str) -> int:
    """Return the columns that a text takes in a fixed-width font."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in cell
    )
