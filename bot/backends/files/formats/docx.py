"""A Word document: the words of its main part, taken out of the archive as a stream.

Nothing is unpacked onto a disk, no other part is opened, and an archive inside stays closed, so
names and nesting do not matter. What can grow are size and depth, and both end at a limit.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from bot.backends.files.grid import Grids
from bot.backends.files.sheet import Sheet
from bot.domain.errors import FileRefused

LARGEST = 50_000_000  # bytes of the main part, unpacked
MOST_PARTS = 5_000
RATIO = 200  # of unpacked to packed; prose has less than 20, a wide table 60
DEEPEST = 200  # elements inside each other
_MAIN = "word/document.xml"
_CHUNK = 65_536  # bytes
_SPACES = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_HEADING = re.compile(  # a style is named in the language of the Word that made it
    r"(?:heading|berschrift|titre|titolo|t[ií]?tulo|kop|rubrik|nag\w*wek)\s*([1-6])", re.IGNORECASE
)
_UNSEEN = {"Fallback", "moveFrom", "instrText"}  # said twice, moved away, a formula


def read(data: bytes, sheet: Sheet) -> None:
    """Write a document, a line for each paragraph; headings and tables as Markdown has them."""
    parser = DefusedXMLParser(target=_Words(sheet), forbid_dtd=True)
    try:
        for chunk in _main_part(data):
            parser.feed(chunk)
        parser.close()
    except (BadZipFile, ParseError, DefusedXmlException, KeyError, NotImplementedError):
        raise FileRefused("The document cannot be read; it may be damaged.") from None


def _main_part(data: bytes) -> Iterator[bytes]:
    with ZipFile(BytesIO(data)) as archive:
        if len(archive.infolist()) > MOST_PARTS:
            raise FileRefused("The document has too many parts.")
        part = archive.getinfo(_MAIN)
        if part.compress_type not in (ZIP_STORED, ZIP_DEFLATED) or part.flag_bits & 1:
            raise FileRefused("The document is packed or locked in an unusual way.")
        most = min(LARGEST, RATIO * max(min(part.compress_size, len(data)), _CHUNK))
        with archive.open(part) as stream:
            for _ in range(most // _CHUNK + 1):
                yield stream.read(_CHUNK)
            if stream.read(1):
                raise FileRefused("The document unpacks to more than any document needs.")


class _Words:
    """Hears elements come and go; keeps one paragraph at a time, and no tree."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = Grids(sheet)
        self._path: list[str] = []
        self._run: list[str] = []
        self._hidden = False  # this run, by its own properties
        self._mark = ""  # of a heading whose words have not come yet

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Go into an element."""
        name = _local(tag)
        self._path.append(name)
        if len(self._path) > DEEPEST:
            raise FileRefused("The document is nested too deeply.")
        if name == "vanish":
            self._hidden = not any(value in ("0", "false") for value in attributes.values())
        value = next(iter(attributes.values()), "")
        if name in ("pStyle", "outlineLvl"):
            self._mark = _marked(name, value) or self._mark
        elif name in ("tbl", "tr", "tc", "gridSpan"):
            self._lay(name, value)
        if "r" in self._path:
            self._run.append(_SPACES.get(name, ""))

    def data(self, text: str) -> None:
        """Hear the words of an element."""
        if self._path[-1] == "t" and not _UNSEEN.intersection(self._path):
            self._run.append(text)

    def end(self, tag: str) -> None:
        """Leave an element; a run is complete, or a paragraph."""
        self._path.pop()
        name = _local(tag)
        if name == "r":
            self._write("" if self._hidden else "".join(self._run))
            self._run, self._hidden = [], False
        elif name == "p":
            self._sheet.write("\n")
            self._mark = ""
        elif name == "tbl":
            self._sheet.end_table()

    def _lay(self, name: str, value: str) -> None:
        """Lay out a table."""
        if name == "tbl":
            self._sheet.begin_table()
        elif name == "tr":
            self._sheet.row()
        elif name == "tc":
            self._sheet.cell()
        elif value.isascii() and value.isdigit():
            self._sheet.widen(int(value[:4]))

    def _write(self, words: str) -> None:
        if words.strip() and self._mark:
            self._sheet.unfold()  # what has headings in it is no table
            words, self._mark = self._mark + words.lstrip(), ""
        self._sheet.write(words)

    def close(self) -> None:
        """Have nothing left to say."""


def _marked(name: str, value: str) -> str:
    """Return the mark of a heading, by its style or its level in the outline."""
    if name == "outlineLvl":
        return f"{'#' * (int(value) + 1)} " if value in tuple("012345") else ""
    found = _HEADING.search(value)
    return f"{'#' * int(found[1])} " if found else ""


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
