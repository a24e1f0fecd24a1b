"""Read the blocks of Markdown, line by line: what stands around the inlines."""

import re

from adapters.kit.fences import Edge, edges
from adapters.kit.inlines import inlines
from adapters.kit.tree import (
    Align,
    Block,
    Cell,
    CodeBlock,
    Heading,
    Item,
    List,
    Paragraph,
    Quote,
    Rule,
    Table,
)

_DEEPEST = 8  # quotes and lists inside each other; what is deeper is text
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(?=\S)")
_QUOTE = re.compile(r" {0,3}> ?")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_ITEM = re.compile(r"([ \t]*)(?:[-*+]|([0-9]{1,9})[.)])[ \t]+")
_COLUMN = r"[ \t]*:?-+:?[ \t]*"
_DELIMITERS = re.compile(rf"\|?{_COLUMN}(?:\|{_COLUMN})*\|?$")
_PIPE = re.compile(r"(?<!\\)\|")


def parse(text: str) -> tuple[Block, ...]:
    """Read a text; never raises, whatever the text is."""
    return _blocks(text, 0)


def _blocks(text: str, depth: int) -> tuple[Block, ...]:
    if depth > _DEEPEST:
        return (Paragraph(inlines(text)),)
    return _Lines(text, depth).read()


class _Lines:
    """The lines of one text, or of the inside of a quote or an item, on their way to blocks."""

    def __init__(self, text: str, depth: int) -> None:
        self.lines = [line.removesuffix("\r") for line in text.split("\n")]
        self.depth = depth
        self.fences = _fences(text)
        self.at = 0

    def read(self) -> tuple[Block, ...]:
        """Read block after block."""
        blocks: list[Block] = []
        while self.at < len(self.lines):
            if self.lines[self.at].strip():
                blocks.append(self._block())
            else:
                self.at += 1
        return tuple(blocks)

    def _block(self) -> Block:
        line = self.lines[self.at]
        if _ITEM.match(line) and not _RULE.match(line):
            return self._list()
        if self.at in self.fences:
            return self._code()
        if _QUOTE.match(line):
            return self._quote()
        if self._at_table(self.at):
            return self._table()
        return self._single_line() or self._paragraph()

    def _single_line(self) -> Heading | Rule | None:
        line = self.lines[self.at]
        heading = _HEADING.match(line)
        if not heading and not _RULE.match(line):
            return None
        self.at += 1
        if not heading:
            return Rule()
        return Heading(len(heading[1]), inlines(_without_closing(line[heading.end() :])))

    def _paragraph(self) -> Paragraph:
        first = self.at
        self.at += 1
        while self.at < len(self.lines) and not self._interrupts(self.at):
            self.at += 1
        return Paragraph(inlines("\n".join(self.lines[first : self.at]).rstrip()))

    def _interrupts(self, at: int) -> bool:
        """Whether a line ends the paragraph above it."""
        line = self.lines[at]
        if not line.strip() or at in self.fences:
            return True
        item = _ITEM.match(line)
        if item and item.end() < len(line) and item[2] in (None, "1"):
            return True
        return bool(_HEADING.match(line) or _QUOTE.match(line) or _RULE.match(line)) or (
            self._at_table(at)
        )

    def _code(self) -> CodeBlock:
        opening, end = self.fences[self.at]
        info = self.lines[self.at].strip().lstrip(opening.marks[0]).strip()
        code = [_dedented(line, opening.indent) for line in self.lines[self.at + 1 : end]]
        if end == len(self.lines) and code and not code[-1]:
            code.pop()  # what follows the last line break of an open fence is no line
        self.at = end + 1
        return CodeBlock("\n".join(code), info)

    def _quote(self) -> Quote:
        inside: list[str] = []
        while self.at < len(self.lines):
            mark = _QUOTE.match(self.lines[self.at])
            if not mark:
                break
            inside.append(self.lines[self.at][mark.end() :])
            self.at += 1
        return Quote(_blocks("\n".join(inside), self.depth + 1))

    def _list(self) -> List:
        items: list[Item] = []
        first = _ITEM.match(self.lines[self.at])
        mark = first
        while first and mark:
            items.append(self._item(mark, items[-1].number if items else None))
            self.at = self._next_words(self.at)
            mark = _ITEM.match(self.lines[self.at]) if self.at < len(self.lines) else None
            if mark and (_RULE.match(mark.string) or (mark[2] is None) != (first[2] is None)):
                mark = None
        return List(tuple(items))

    def _item(self, mark: re.Match[str], before: int | None) -> Item:
        """Read an item; its number counts on where models repeat one."""
        begin = self.at + 1
        self.at = self._end_of_item(len(mark[1].expandtabs(4)))
        indented = self.lines[begin : self.at]
        columns = min([len(mark[0].expandtabs(4)), *map(_indent, filter(str.strip, indented[:2]))])
        inside = [mark.string[mark.end() :], *(_dedented(line, columns) for line in indented)]
        number = None if mark[2] is None else int(mark[2])
        if number is not None and before is not None:
            number = max(number, before + 1)
        return Item(_blocks("\n".join(inside), self.depth + 1), number)

    def _end_of_item(self, margin: int) -> int:
        """Return the line behind the item that begins here: the next one that is not indented."""
        at = self.at
        while at < len(self.lines):
            after = self.fences[at][1] + 1 if at in self.fences else at + 1
            at = self._next_words(after)
            if at >= len(self.lines) or _indent(self.lines[at]) < margin + 2:
                return after
        return at

    def _next_words(self, at: int) -> int:
        while at < len(self.lines) and not self.lines[at].strip():
            at += 1
        return at

    def _at_table(self, at: int) -> bool:
        return (
            "|" in self.lines[at]
            and at + 1 < len(self.lines)
            and "|" in self.lines[at + 1]
            and _DELIMITERS.match(self.lines[at + 1].strip()) is not None
        )

    def _table(self) -> Table:
        head, delimiters = self.lines[self.at : self.at + 2]
        rows = [_cells(head)]
        aligns = [_align(cell) for cell in _split_row(delimiters)]
        self.at += 2
        while self.at < len(self.lines) and "|" in self.lines[self.at]:
            rows.append(_cells(self.lines[self.at]))
            self.at += 1
        width = max(len(aligns), *(len(row) for row in rows))
        filled = [(*row, *((),) * (width - len(row))) for row in rows]
        aligns += ["left"] * (width - len(aligns))
        return Table(filled[0], tuple(filled[1:]), tuple(aligns))


def _fences(text: str) -> dict[int, tuple[Edge, int]]:
    """Return the lines that open a fence, each with its edge and the line that closes it."""
    fences: dict[int, tuple[Edge, int]] = {}
    number, position, opened = 0, 0, -1
    for edge in edges(text):
        number += text.count("\n", position, edge.start)
        position = edge.start
        if edge.opens:
            opened = number
            fences[opened] = (edge, text.count("\n") + 1)
        else:
            fences[opened] = (fences[opened][0], number)
    return fences


def _without_closing(title: str) -> str:
    """Take away the marks that may end a heading as they began it: `# Title #`."""
    title = title.rstrip()
    words = title.rstrip("#")
    return words.rstrip() if not words or words[-1] in " \t" else title


def _indent(line: str) -> int:
    line = line.expandtabs(4)
    return len(line) - len(line.lstrip())


def _dedented(line: str, columns: int) -> str:
    if columns == 0:
        return line
    line = line.expandtabs(4)
    return line[min(columns, len(line) - len(line.lstrip())) :]


def _split_row(line: str) -> list[str]:
    return [cell.strip() for cell in _PIPE.split(line.strip().removeprefix("|").removesuffix("|"))]


def _cells(line: str) -> tuple[Cell, ...]:
    return tuple(inlines(cell.replace("\\|", "|")) for cell in _split_row(line))


def _align(cell: str) -> Align:
    if cell.endswith(":"):
        return "center" if cell.startswith(":") else "right"
    return "left"
