"""What Markdown text consists of: the values that platform renderers walk over.

Match on the classes (`Inline` inside a line, `Block` around lines). Text is as it was written:
nothing is escaped, and HTML is mere text.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Words:
    """Literal text; may contain line breaks, which chats keep."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Inline code; its text is literal and has no line breaks."""

    text: str


@dataclass(frozen=True, slots=True)
class Bold:
    """`**bold**`."""

    inside: tuple["Inline", ...]


@dataclass(frozen=True, slots=True)
class Italic:
    """`*italic*` or `_italic_`."""

    inside: tuple["Inline", ...]


@dataclass(frozen=True, slots=True)
class Strike:
    """`~~struck through~~`."""

    inside: tuple["Inline", ...]


@dataclass(frozen=True, slots=True)
class Link:
    """`[inside](url "title")`, `<url>` or an image; `inside` is never empty and has no link.

    The address is as the model wrote it: any scheme, or a relative path.
    """

    inside: tuple["Inline", ...]
    url: str
    title: str = ""


Inline = Words | Code | Bold | Italic | Strike | Link


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines of text; indentation of the lines is kept."""

    inside: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A title; `level` goes from 1, the greatest, to 6."""

    level: int
    inside: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A fenced block; `text` has no line break at its end, `info` is all behind the fence."""

    text: str
    info: str = ""

    @property
    def language(self) -> str:
        """The first word behind the fence, or nothing."""
        words = self.info.split(maxsplit=1)
        return words[0] if words else ""


@dataclass(frozen=True, slots=True)
class Quote:
    """Lines behind `>`."""

    blocks: tuple["Block", ...]


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a list, with its number if the list is ordered; it may have no blocks."""

    blocks: tuple["Block", ...]
    number: int | None = None

    @property
    def mark(self) -> str:
        """What stands before the entry: `•` or `3.`."""
        return "•" if self.number is None else f"{self.number}."


@dataclass(frozen=True, slots=True)
class List:
    """Bullets or numbered entries."""

    items: tuple[Item, ...]

    @property
    def ordered(self) -> bool:
        """Whether the entries are numbered."""
        return self.items[0].number is not None


Align = Literal["left", "center", "right"]
Cell = tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A grid; `head`, every row and `aligns` are equally long."""

    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    aligns: tuple[Align, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across."""


Block = Paragraph | Heading | CodeBlock | Quote | List | Table | Rule
