"""Reads Markdown documents: every section under a heading is an entry that can be quoted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.domain.errors import ConfigError

SYNONYMS = "synonyms.txt"  # beside documents: it says what means the same, and nothing to quote
BUNDLED = Path(__file__).with_name("boutique")
PASSAGE_SIZE = 1_200  # characters: a longer section becomes several entries, cut between paragraphs

_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*$")
_FENCE = re.compile(r"\s*(```|~~~)")
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One passage, with the headings above it."""

    path: tuple[str, ...]  # headings from the top of the file down to this section
    body: str
    file: str  # relative to the folder that was read

    @property
    def title(self) -> str:
        """The heading of this section itself."""
        return self.path[-1]

    @property
    def name(self) -> str:
        """The headings as one line, as people see them."""
        return " › ".join(self.path)


def read(place: Path) -> list[Entry]:
    """Read a Markdown file, or all of them below a folder, in the order of their names.

    Raises:
        ConfigError: there is nothing to read; the sentence begins with `documents: `.
    """
    if place.is_file():
        files = [place]
    else:
        files = sorted(path for path in place.rglob("*.md") if path.is_file())
    root = place if place.is_dir() else place.parent
    try:
        entries = [
            entry
            for file in files
            for entry in sections(
                file.read_text(encoding="utf-8-sig", errors="replace"),
                file.relative_to(root).as_posix(),
            )
        ]
    except OSError as cause:
        raise ConfigError(
            f"documents: {cause.filename} cannot be read; check its rights"
        ) from cause
    if not entries:
        raise ConfigError(f"documents: no Markdown text in {place}; name a .md file or a folder")
    return entries


def synonyms(place: Path) -> list[str]:
    """Return groups of words that mean the same, from `synonyms.txt` in the folder, if it is there.

    One group a line, words separated by commas; lines that begin with `#` are remarks.
    """
    file = place / SYNONYMS
    if not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def sections(text: str, file: str) -> Iterator[Entry]:
    """Cut one document at its headings; text above the first one is named after the file."""
    path: list[tuple[int, str]] = [(0, Path(file).stem.replace("-", " ").replace("_", " "))]
    lines: list[str] = []
    fenced = False
    for line in _FRONT_MATTER.sub("", text.replace("\r\n", "\n")).splitlines():
        fenced ^= bool(_FENCE.match(line))
        heading = None if fenced else _HEADING.match(line)
        if heading is None:
            lines.append(line)
            continue
        yield from _passages(path, lines, file)
        lines = []
        level = len(heading[1])
        path = [step for step in path if 0 < step[0] < level] + [(level, heading[2])]
    yield from _passages(path, lines, file)


def _passages(path: list[tuple[int, str]], lines: list[str], file: str) -> Iterator[Entry]:
    titles = tuple(title for _, title in path)
    passage = ""
    for paragraph in _paragraphs(lines):
        if passage and len(passage) + len(paragraph) > PASSAGE_SIZE:
            yield Entry(path=titles, body=passage, file=file)
            passage = ""
        passage = f"{passage}\n\n{paragraph}" if passage else paragraph
    if passage:
        yield Entry(path=titles, body=passage, file=file)


def _paragraphs(lines: list[str]) -> Iterator[str]:
    """Split at blank lines, but never inside a code fence."""
    paragraph: list[str] = []
    fenced = False
    for line in lines:
        fenced ^= bool(_FENCE.match(line))
        if line.strip() or fenced:
            paragraph.append(line)
        elif paragraph:
            yield "\n".join(paragraph)
            paragraph = []
    if paragraph:
        yield "\n".join(paragraph)
