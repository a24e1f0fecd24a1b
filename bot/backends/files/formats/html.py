"""A web page: what a visitor would see of it, so that nothing is said behind the reader's back.

Headings, tables and code keep their form, as Markdown has it: documents are cut at headings. The
menu of a site is no part of what a page says.
"""

import re
from html.parser import HTMLParser

from bot.backends.files.formats.plain import decoded
from bot.backends.files.grid import Grids
from bot.backends.files.sheet import Sheet

_UNSEEN = {"script", "style", "template", "noscript", "svg", "math", "iframe", "object", "datalist",
           "nav"}  # fmt: skip
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source",
         "track", "wbr"}  # fmt: skip
_FOLLOWED = {"dd", "dt", "li", "option", "p", "td", "th", "tr"}  # the next one ends the former
_INLINE = {"a", "abbr", "b", "code", "em", "font", "i", "mark", "s", "small", "span", "strong",
           "sub", "sup", "u"}  # fmt: skip
_HEADINGS = {f"h{depth}": f"{'#' * depth} " for depth in range(1, 7)}
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)"
    r"|(?:font-size|opacity)\s*:\s*0*(?:\.0*)?(?:[a-z%]+\s*)?(?:;|!|$)",
    re.IGNORECASE,
)
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([a-z0-9_-]{2,20})", re.IGNORECASE)
_CHUNK = 65_536  # characters
DEEPEST = 10_000  # elements inside each other


def read(data: bytes, sheet: Sheet) -> None:
    """Write the visible text of a page."""
    charset = _CHARSET.search(data[:2048])
    text = decoded(data, sheet, charset[1].decode() if charset else "utf-8")
    page = _Page(sheet)
    for start in range(0, len(text), _CHUNK):
        page.feed(text[start : start + _CHUNK])
    page.close()
    page.end()


class _Page(HTMLParser):
    """Hears elements come and go, and writes what stands in the visible ones."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__()
        self._sheet = Grids(sheet)
        self._open: list[tuple[str, bool]] = []  # elements, and whether they and their like hide
        self._at_line_start = True
        self._mark = ""  # of a heading whose words have not come yet
        self._title = ""  # of the page, until its first words: they may be a heading above all

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Go into an element; what stands in a hidden one is hidden."""
        self._break_line(tag)
        if tag in _VOID or len(self._open) >= DEEPEST:
            return
        if tag in _FOLLOWED and self._open and self._open[-1][0] == tag:
            self._open.pop()
        self._open.append((tag, self._hidden or _hides(tag, dict(attrs))))
        self._mark = _HEADINGS.get(tag, self._mark)
        if not self._hidden:
            self._lay(tag, dict(attrs))
        if tag == "pre" and not self._hidden:
            self._sheet.write("```\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take `<p/>` as a browser does: the slash means nothing."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Leave an element, and those that were left open in it."""
        self._break_line(tag)
        self._mark = ""
        if not any(name == tag for name, _ in self._open):
            return
        if tag == "pre" and not self._hidden:
            self._sheet.write("```\n")
        ended = ""
        while ended != tag:
            ended, hidden = self._open.pop()
            if ended == "table" and not hidden:
                self._sheet.end_table()

    def handle_data(self, data: str) -> None:
        """Write what can be seen; runs of white space are one space, as on a screen."""
        words = " ".join(data.split())
        if self._hidden or not (words or self._in_code):
            return
        if self._inside("title"):
            self._title += words
            return
        if self._title:
            self._sheet.write("" if self._mark == "# " else f"# {self._title}\n")
            self._title = ""
        if self._in_code:
            self._sheet.write(data)
            return
        if self._at_line_start:  # what begins like a heading is one only where the page says so
            words, self._mark = (self._mark or "\\" * words.startswith("#")) + words, ""
        before = " " if data[0].isspace() and not self._at_line_start else ""
        self._sheet.write(before + words + (" " if data[-1].isspace() else ""))
        self._at_line_start = data[-1].isspace()

    def end(self) -> None:
        """Write a table that was never closed, and the title of a page that says nothing else."""
        self._sheet.end()
        self._sheet.write(self._title)

    def _lay(self, tag: str, attributes: dict[str, str | None]) -> None:
        """Lay out a table; what has headings or code in it is none, but puts a page in order."""
        if tag == "table":
            self._sheet.begin_table()
        elif tag == "tr":
            self._sheet.row()
        elif tag in ("td", "th"):
            self._sheet.cell(_count(attributes, "colspan"), _count(attributes, "rowspan"))
        elif tag in _HEADINGS or tag == "pre":
            self._sheet.unfold()

    @property
    def _hidden(self) -> bool:
        return bool(self._open) and self._open[-1][1]

    @property
    def _in_code(self) -> bool:
        return self._inside("pre")

    def _inside(self, tag: str) -> bool:
        return any(name == tag for name, _ in self._open)

    def _break_line(self, tag: str) -> None:
        if tag not in _INLINE and not self._hidden:
            self._sheet.write("\n")
            self._at_line_start = True


def _count(attributes: dict[str, str | None], name: str) -> int:
    number = (attributes.get(name) or "").strip()[:4]
    return int(number) if number.isascii() and number.isdigit() else 1


def _hides(tag: str, attributes: dict[str, str | None]) -> bool:
    return (
        tag in _UNSEEN
        or "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or bool(_HIDING.search(attributes.get("style") or ""))
    )
