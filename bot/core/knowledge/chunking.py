"""Cuts documents into passages that can be found and quoted by themselves.

Structure comes first: nothing reaches over a heading, and code, tables and answers stay whole while
they fit. Only what is too long is cut, at lines, sentences and at last words. Every word of a text
stands in some passage, or in the headings above one.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from bot.core.knowledge.blocks import FENCE, Block, Section, sections
from bot.ports.library import Chunk

MOST = 200  # tokens of a passage: an embedder reads 256 of them with the headings
TINY = 8  # tokens of a section that stands better with its neighbours
LONGEST_ROW = 128 * 1024  # characters of a table's cell
LONGEST_NAME = 100  # characters of a column's name, which stands in each row
LONGEST_TOP = 1_000  # characters of what is repeated above each part of a table or of code
DELIMITERS = ",;\t|"
_PIECE = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
_SENTENCE = re.compile(r"(?<=[.!?…。！？])\s+")
_ALPHABET = 0x2E80  # from here on a character is about a word

Cut = Callable[[str], Sequence[str]]


def tokens(text: str) -> int:
    """Estimate how many tokens a text has; an English one is met within a tenth."""
    return sum(_size(piece) for piece in _PIECE.findall(text))


def chunked(text: str, kind: str) -> list[Chunk]:
    """Cut a document; its media type tells whether it is a table."""
    if kind == "text/csv":
        return [_chunk((), part) for row in _rows(text) for part in _fitting(row, _CUTS)]
    found: list[Chunk] = []
    parts = sections(text)
    for number, section in enumerate(parts):
        below = parts[number + 1].path if number + 1 < len(parts) else ()
        found += _cut(section, is_parent=below[: len(section.path)] == section.path)
    return _gathered(found)


def _size(piece: str) -> int:
    if ord(piece[0]) >= _ALPHABET:
        return len(piece)
    return -(-len(piece) // (3 if piece[0].isdigit() else 8))


def _chunk(path: tuple[str, ...], text: str) -> Chunk:
    return Chunk(path=path, text=text, tokens=tokens(text))


def _cut(section: Section, *, is_parent: bool) -> Iterator[Chunk]:
    if not section.blocks and section.path and not is_parent:
        yield _chunk(section.path, section.path[-1])  # a heading alone says something, too
    parts = [part for block in section.blocks for part in _parts(block)]
    for text in _packed(parts, "\n\n"):
        yield _chunk(section.path, text)


def _parts(block: Block) -> Sequence[str]:
    if tokens(block.text) <= MOST:
        return (block.text,)
    if block.kind == "code":
        return _reopened(block.text.split("\n"))
    if block.kind == "table":
        return _headed(block.text.split("\n"))
    return _fitting(block.text, _CUTS)


def _reopened(lines: Sequence[str]) -> Sequence[str]:
    """Cut code between lines; each part is code by itself."""
    fence = FENCE.match(lines[0])
    opening, closing = lines[0], fence[1] if fence else ""
    inner = lines[1:-1] if lines[-1].strip().startswith(closing) else lines[1:]
    if len(opening) > LONGEST_TOP:  # no name of a language
        return _fitting("\n".join(lines), _CUTS)
    parts = _fitting("\n".join(inner), _CUTS[:1] + _CUTS[2:])
    return [f"{opening}\n{part}\n{closing}" for part in parts]


def _headed(lines: Sequence[str]) -> Sequence[str]:
    """Cut a table between rows; the head stands above each part."""
    ruled = len(lines) > 1 and not lines[1].strip("|:- \t")
    head = "\n".join(lines[: 2 if ruled else 1])
    if len(head) > LONGEST_TOP:
        return _fitting("\n".join(lines), _CUTS)
    parts = _fitting("\n".join(lines[2 if ruled else 1 :]), _CUTS)
    return [f"{head}\n{part}" for part in parts]


def _fitting(text: str, cuts: Sequence[tuple[Cut, str]]) -> list[str]:
    """Cut a text as coarsely as it fits."""
    if tokens(text) <= MOST or not cuts:
        return [text]
    (cut, joint), *finer = cuts
    parts = [part for piece in cut(text) for part in _fitting(piece, finer)]
    return list(_packed(parts, joint))


def _packed(parts: Iterable[str], joint: str) -> Iterator[str]:
    """Join neighbours while they fit."""
    packed, size = list[str](), 0
    for part in parts:
        count = tokens(part)
        if packed and size + count > MOST:
            yield joint.join(packed)
            packed, size = [], 0
        packed.append(part)
        size += count
    if packed:
        yield joint.join(packed)


def _letters(text: str) -> list[str]:
    """Cut what has no spaces, such as Chinese, or a long number."""
    return [text[at : at + MOST] for at in range(0, len(text), MOST)]


_CUTS: tuple[tuple[Cut, str], ...] = (
    (lambda text: text.split("\n"), "\n"),
    (_SENTENCE.split, " "),
    (str.split, " "),
    (_letters, ""),
)


def _gathered(chunks: Sequence[Chunk]) -> list[Chunk]:
    """Put tiny sections side by side under the heading above them, such as a week's days.

    A question stays alone, however short its answer is: it is what people ask.
    """
    found: list[Chunk] = []
    for chunk in chunks:
        last = found[-1] if found else None
        if last and _small(chunk) and _beside(last, chunk):
            found[-1] = _chunk(chunk.path[:-1], f"{_named(last, chunk)}\n{_line(chunk)}")
        else:
            found.append(chunk)
    return found


def _small(chunk: Chunk) -> bool:
    return (
        len(chunk.path) > 1
        and chunk.tokens <= TINY
        and "\n" not in chunk.text
        and not chunk.path[-1].endswith("?")
        and chunk.path[-1] != chunk.text
    )


def _beside(last: Chunk, chunk: Chunk) -> bool:
    above = chunk.path[:-1]
    room = last.tokens + tokens(_line(chunk)) <= MOST
    gathered = last.path == above and last.text.rpartition("\n")[2].startswith("**")
    return room and (gathered or (_small(last) and last.path[:-1] == above))


def _named(last: Chunk, chunk: Chunk) -> str:
    return last.text if last.path == chunk.path[:-1] else _line(last)


def _line(chunk: Chunk) -> str:
    return f"**{chunk.path[-1]}**: {chunk.text}"


def _rows(text: str) -> Iterator[str]:
    """Write each row of a table so that it can be read without the others."""
    first = text.lstrip("\ufeff").partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    csv.field_size_limit(LONGEST_ROW)
    lines = io.StringIO(text.lstrip("\ufeff"), newline="")
    rows = csv.reader(lines, delimiter=delimiter)
    whole = 0  # lines of the rows that were complete
    try:
        names = [name.strip() for name in next(rows, [])]
        yield from (name for name in names if len(name) > LONGEST_NAME)
        names = [name if len(name) <= LONGEST_NAME else "" for name in names]
        empty, whole = True, rows.line_num
        for row in rows:
            whole = rows.line_num
            cells = [_cell(names, at, cell.strip()) for at, cell in enumerate(row) if cell.strip()]
            if cells:
                empty = False
                yield "; ".join(cells)
        if empty and any(names):
            yield "; ".join(filter(None, names))
    except csv.Error:  # a quote that never ends, perhaps: the rest is read as it stands
        lines.seek(0)
        yield from filter(None, map(str.strip, islice(lines, whole, None)))


def _cell(names: Sequence[str], at: int, cell: str) -> str:
    return f"{names[at]}: {cell}" if at < len(names) and names[at] else cell
