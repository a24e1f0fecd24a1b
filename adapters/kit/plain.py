"""Markdown without its marks: for places where no markup is understood, or was refused.

Fences and bullets stay, because they help to read; nothing that was said is left out.
"""

import unicodedata
from collections.abc import Iterable, Sequence

from adapters.kit.tree import (
    Align,
    Block,
    Code,
    CodeBlock,
    Heading,
    Inline,
    Item,
    Link,
    List,
    Paragraph,
    Quote,
    Rule,
    Table,
    Words,
)


def plain(blocks: Iterable[Block]) -> str:
    """Render blocks as plain text, with an empty line between them."""
    return "\n\n".join(_block(block) for block in blocks)


def plain_inline(inlines: Iterable[Inline]) -> str:
    """Render the inside of a block as plain text."""
    return "".join(_inline(inline) for inline in inlines)


def grid(table: Table) -> str:
    """Render a table for a monospaced font: aligned columns, a line below the head."""
    rows = [
        [plain_inline(cell).replace("\n", " ") for cell in row] for row in (table.head, *table.rows)
    ]
    widths = [max(_width(row[column]) for row in rows) for column in range(len(table.head))]
    lines = [_grid_line(row, widths, table.aligns) for row in rows]
    return "\n".join([lines[0], "-+-".join("-" * width for width in widths), *lines[1:]])


def _block(block: Block) -> str:
    match block:
        case Paragraph(inside) | Heading(_, inside):
            return plain_inline(inside)
        case CodeBlock(text, info):
            return f"```{info}\n{text}\n```"
        case Quote(blocks):
            return "\n".join(f"> {line}".rstrip() for line in plain(blocks).split("\n"))
        case List(items):
            return "\n".join(_item(item) for item in items)
        case Table():
            return grid(block)
        case Rule():
            return "---"


def _item(item: Item) -> str:
    body = "\n".join(_block(block) for block in item.blocks)
    return f"{item.mark} {body}".replace("\n", "\n" + " " * (len(item.mark) + 1))


def _inline(inline: Inline) -> str:
    match inline:
        case Words(text) | Code(text):
            return text
        case Link(inside, url, title):
            words = plain_inline(inside)
            about = f' "{title}"' if title else ""
            return words + about if words == url else f"{words} ({url}{about})"
        case _:
            return plain_inline(inline.inside)


def _grid_line(cells: Sequence[str], widths: Sequence[int], aligns: Sequence[Align]) -> str:
    padded = (
        _padded(cell, width - _width(cell), align)
        for cell, width, align in zip(cells, widths, aligns, strict=True)
    )
    return " | ".join(padded).rstrip()


def _padded(cell: str, room: int, align: Align) -> str:
    left = {"left": 0, "right": room, "center": room // 2}[align]
    return " " * left + cell + " " * (room - left)


def _width(text: str) -> int:
    """Columns in a monospaced font: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
