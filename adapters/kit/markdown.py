"""Read the Markdown that language models write.

`parse` gives a tree (see `tree`) for platform renderers to walk over; `plain` and `grid` render it
without marks; `has_markup` tells cheaply that there is nothing to render. Reading never fails and
never loses words: what pairs with nothing stays the text that it was. Line breaks are kept, HTML is
text, and nested lists need less indentation than CommonMark asks for, because models give less.
"""

import re

from adapters.kit.blocks import parse
from adapters.kit.plain import grid, plain, plain_inline
from adapters.kit.tree import (
    Align,
    Block,
    Bold,
    Cell,
    Code,
    CodeBlock,
    Heading,
    Inline,
    Italic,
    Item,
    Link,
    List,
    Paragraph,
    Quote,
    Rule,
    Strike,
    Table,
    Words,
)

__all__ = [
    "Align",
    "Block",
    "Bold",
    "Cell",
    "Code",
    "CodeBlock",
    "Heading",
    "Inline",
    "Italic",
    "Item",
    "Link",
    "List",
    "Paragraph",
    "Quote",
    "Rule",
    "Strike",
    "Table",
    "Words",
    "grid",
    "has_markup",
    "parse",
    "plain",
    "plain_inline",
]

_MARKUP = re.compile(
    r"[*_~`\[\\|]|<https?:|^[ \t]*(?:#{1,6}[ \t]|>|[-+](?:[ \t]|$)|---|\d{1,9}[.)](?:[ \t]|$))",
    re.MULTILINE,
)


def has_markup(text: str) -> bool:
    """Whether a text may mean more than it says; False is certain, True is cheap."""
    return _MARKUP.search(text) is not None
