"""A table on its way from a page or a document: its rows are kept, as Markdown writes them.

What stands in a row belongs together; as a list of cells nobody could say what "39" is the size of.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.backends.files.sheet import Sheet

WIDEST = 64  # columns; what has more is written cell by cell
DEEPEST = 1000  # rows that one cell may reach over


@dataclass(slots=True)
class _Cell:
    """What stands in a cell, and how far it reaches."""

    across: int
    down: int
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self.parts).split())


class Grid:
    """Collects cells row by row."""

    def __init__(self) -> None:
        self._title: list[str] = []  # what stands above the first cell
        self._rows: list[list[_Cell]] = []
        self._begun = self._title  # where words go
        self.size = 0  # characters, about

    def row(self) -> None:
        """Begin a row."""
        self._rows.append([])

    def cell(self, across: int = 1, down: int = 1) -> None:
        """Begin a cell, which may reach over columns and rows."""
        if not self._rows:
            self.row()
        cell = _Cell(min(max(across, 1), WIDEST), min(max(down, 1), DEEPEST))
        self._rows[-1].append(cell)
        self._begun = cell.parts
        self.size += len(" | ")

    def widen(self, across: int) -> None:
        """Let the cell that was begun last reach over so many columns."""
        if self._rows and self._rows[-1]:
            self._rows[-1][-1].across = min(max(across, 1), WIDEST)

    def write(self, text: str) -> None:
        """Add text to the cell that was begun last."""
        self._begun.append(text)
        self.size += len(text)

    def onto(self, sheet: Sheet) -> None:
        """Write it as a table, where it has rows and columns; else what it says, line by line."""
        rows = [row for row in self._rows if any(cell.text for cell in row)]
        widths = [sum(cell.across for cell in row) for row in rows]
        if len(rows) > 1 and 1 < max(widths) <= WIDEST:
            sheet.write("".join(self._title) + "\n\n")
            for line in _lines(rows):
                sheet.write(line)
            sheet.write("\n")
        else:
            self.unfolded_onto(sheet)

    def unfolded_onto(self, sheet: Sheet) -> None:
        """Write what it says line by line: it only puts a page in order."""
        sheet.write("".join(self._title))
        for row in self._rows:
            for cell in row:
                sheet.write("\n" + "".join(cell.parts))
        sheet.write("\n")


class Grids:
    """A sheet with the tables that are open on it; only the innermost one is a table.

    Raises:
        Full: as the sheet does.
    """

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._open: list[Grid | None] = []  # None: it only puts other things in order

    def write(self, text: str) -> None:
        """Add text to the innermost table, else to the sheet."""
        grid = self._grid
        (grid or self._sheet).write(text)
        if grid and grid.size > self._sheet.room:
            self.end()  # what follows has no room any more

    def begin_table(self) -> None:
        """Begin a table; one around it was none."""
        self.unfold()
        self._open.append(Grid())

    def row(self) -> None:
        """Begin a row."""
        if grid := self._grid:
            grid.row()

    def cell(self, across: int = 1, down: int = 1) -> None:
        """Begin a cell, which may reach over columns and rows."""
        if grid := self._grid:
            grid.cell(across, down)

    def widen(self, across: int) -> None:
        """Let the cell that was begun last reach over so many columns."""
        if grid := self._grid:
            grid.widen(across)

    def unfold(self) -> None:
        """Take the innermost table for none; from here on all is written as it comes."""
        if grid := self._grid:
            self._open[-1] = None
            grid.unfolded_onto(self._sheet)

    def end_table(self) -> None:
        """End the innermost table."""
        if self._open and (grid := self._open.pop()):
            grid.onto(self._sheet)

    def end(self) -> None:
        """End all tables."""
        while self._open:
            self.end_table()

    @property
    def _grid(self) -> Grid | None:
        return self._open[-1] if self._open else None


def _lines(rows: list[list[_Cell]]) -> Iterator[str]:
    """Yield rows of Markdown, and the rule below the first."""
    above: dict[int, tuple[int, str]] = {}  # column → how often its cell is to be repeated
    for number, row in enumerate(rows):
        texts = _row(row, above)
        yield f"| {' | '.join(texts)} |\n"
        if number == 0:
            yield f"|{' --- |' * len(texts)}\n"


def _row(row: list[_Cell], above: dict[int, tuple[int, str]]) -> list[str]:
    """Return a text for each column; a cell that reaches over rows stands in each of them."""
    texts: list[str] = []

    def repeated() -> None:
        while (column := len(texts)) in above:
            left, text = above.pop(column)
            texts.append(text)
            if left > 1:
                above[column] = (left - 1, text)

    for cell in row:
        repeated()
        text = cell.text.replace("|", "\\|")
        for words in (text, *[""] * (cell.across - 1)):
            if cell.down > 1:
                above[len(texts)] = (cell.down - 1, words)
            texts.append(words)
    repeated()
    return texts
