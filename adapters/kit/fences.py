"""Where code fences open and close.

The rules are CommonMark's (section 4.5), with one thing more: a list item may carry its fence
deeper than three columns, or on the line of its bullet. The splitter and the Markdown reader share
these rules, so that both see the same blocks.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_MARKED = re.compile(
    r"^([ \t]*)((?:[-*+]|[0-9]{1,9}[.)])[ \t]+)?(`{3,}|~{3,})([^\n]*)", re.MULTILINE
)
_LOOK_BACK = 40  # lines, so that a long text is read in linear time
_ITEM = re.compile(r"[ \t]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]+")


@dataclass(frozen=True, slots=True)
class Edge:
    """A line that opens or closes a fence: `text[start:end]`, without its line break."""

    start: int
    end: int
    opens: bool
    indent: int  # columns before the marks, those of the line that opened it
    marks: str
    language: str

    @property
    def opening(self) -> str:
        """The line that opens such a fence."""
        return " " * self.indent + self.marks + self.language

    @property
    def closing(self) -> str:
        """The line that closes such a fence."""
        return " " * self.indent + self.marks

    @property
    def alone(self) -> "Edge":
        """The same, where no list item is around it: four columns would make it mere text."""
        return replace(self, indent=min(self.indent, 3))


def edges(text: str) -> Iterator[Edge]:
    """Find the lines that open or close a fence, in order; a fence may stay open at the end."""
    if "```" not in text and "~~~" not in text:
        return
    open_: Edge | None = None
    for line in _MARKED.finditer(text):
        if open_ is None:
            open_ = _opened(text, line)
            if open_ is not None:
                yield open_
        elif _closes(open_, line):
            yield Edge(*line.span(), False, open_.indent, open_.marks, open_.language)
            open_ = None


def left_open(text: str) -> Edge | None:
    """Return the fence that is open at the end of a text."""
    last = None
    for edge in edges(text):
        last = edge if edge.opens else None
    return last


def _opened(text: str, line: re.Match[str]) -> Edge | None:
    margin, bullet, marks, info = line.groups(default="")
    indent = len((margin + bullet).expandtabs(4))
    if marks[0] == "`" and "`" in info:
        return None  # inline code that is quoted with three marks
    if indent > 3 and not bullet and not _in_list(text, line.start(), indent):
        return None
    words = info.split(maxsplit=1)
    return Edge(*line.span(), True, indent, marks, words[0] if words else "")


def _closes(fence: Edge, line: re.Match[str]) -> bool:
    margin, bullet, marks, info = line.groups(default="")
    return (
        marks.startswith(fence.marks)
        and not bullet
        and not info.strip()
        and len(margin.expandtabs(4)) <= fence.indent + 3
    )


def _in_list(text: str, start: int, indent: int) -> bool:
    """Whether the nearest line above that stands further left is an item this one belongs to."""
    for _ in range(_LOOK_BACK):
        if start == 0:
            break
        above = text.rfind("\n", 0, start - 1) + 1
        line = text[above : start - 1].expandtabs(4)
        start = above
        if line.strip() and len(line) - len(line.lstrip()) < indent:
            item = _ITEM.match(line)
            return item is not None and item.end() <= indent <= item.end() + 3
    return False
