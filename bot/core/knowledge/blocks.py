"""The parts that a Markdown text has: headings, paragraphs, lists, tables and code, in order."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
ROW = re.compile(r"[ \t]*\|")
RULE = re.compile(r" {0,3}(=+|-{3,})[ \t]*$")  # under a line that it makes a heading
FRONT_MATTER = re.compile(
    r"\A---[ \t]*\n[\w-]+:.*\n(?:[\w-]+:.*\n|[ \t].*\n|- .*\n)*---[ \t]*(?:\n|\Z)"
)
TITLE = re.compile(r"^title:[ \t]+(.{1,500})$", re.MULTILINE)
LONGEST_HEADING = 200  # characters; what is longer is a paragraph
DEPTHS = {"=": 1, "-": 2}

Kind = Literal["text", "table", "code"]


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together."""

    kind: Kind
    text: str


@dataclass(slots=True)
class Section:
    """What stands under one heading, up to the next one."""

    path: tuple[str, ...]
    blocks: list[Block] = field(default_factory=list)


def sections(text: str) -> list[Section]:
    """Cut a text at its headings; what stands above the first one has no path."""
    found, path = [Section(())], list[tuple[int, str]]()
    for part in _parts(text):
        if isinstance(part, Block):
            found[-1].blocks.append(part)
            continue
        path = [step for step in path if step[0] < part[0]] + [part]
        found.append(Section(tuple(title for _, title in path)))
    return found


def front_title(text: str) -> str:
    """Return the title in the front matter of a page, as generators of sites have it."""
    front = FRONT_MATTER.match(_lined(text))
    found = TITLE.search(front[0]) if front else None
    title = _scalar(found[1].strip()) if found else ""
    return title if len(title) <= LONGEST_HEADING else ""


def _scalar(written: str) -> str:
    """Read one value of YAML on its line; what is more than a word or a sentence is none."""
    mark = written[:1]
    if mark in ("'", '"'):
        end = written.rfind(mark)
        inside = written[1:end].replace("''", "'") if mark == "'" else written[1:end]
        return inside.replace('\\"', '"').strip() if end > 0 else ""
    plain = written.partition(" #")[0].rstrip()
    return "" if mark in "|>&*!#[{" or plain in ("null", "~") else plain


def _lined(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _parts(text: str) -> Iterator[Block | tuple[int, str]]:
    """Yield blocks, and headings with their depth."""
    lines = FRONT_MATTER.sub("", _lined(text)).split("\n")
    at, block = 0, list[str]()
    while at < len(lines):
        end = _fenced(lines, at)
        heading = _heading(lines, at) if not block else _marked(lines[at])
        if end is None and heading is None and lines[at].strip() and _alike(block, lines[at]):
            block.append(lines[at])
            at += 1
            continue
        if block:
            yield _block(block)
            block = []
        elif end is not None:
            yield Block("code", "\n".join(lines[at:end]))
            at = end
        elif heading is not None:
            yield heading[0]
            at += heading[1]
        else:
            at += not lines[at].strip()
    if block:
        yield _block(block)


def _alike(block: Sequence[str], line: str) -> bool:
    return not block or bool(ROW.match(block[0])) == bool(ROW.match(line))


def _block(lines: Sequence[str]) -> Block:
    return Block("table" if ROW.match(lines[0]) else "text", "\n".join(lines))


def _fenced(lines: Sequence[str], at: int) -> int | None:
    """Return where a fence that opens at this line ends; an open one ends with the text."""
    opening = FENCE.match(lines[at])
    if opening is None:
        return None
    for end in range(at + 1, len(lines)):
        closing = FENCE.match(lines[end])
        if closing and closing[1].startswith(opening[1]) and not lines[end].strip("`~ \t"):
            return end + 1
    return len(lines)


def _heading(lines: Sequence[str], at: int) -> tuple[tuple[int, str], int] | None:
    """Return a heading, its depth and how many lines it takes."""
    rule = RULE.match(lines[at + 1]) if at + 1 < len(lines) else None
    line = lines[at].strip()
    if rule and line and len(line) <= LONGEST_HEADING and not ROW.match(line):
        return (DEPTHS[rule[1][0]], line), 2
    return _marked(lines[at])


def _marked(line: str) -> tuple[tuple[int, str], int] | None:
    heading = HEADING.match(line)
    words = _unclosed(heading[2].rstrip(" \t")) if heading else ""
    if heading and 0 < len(words) <= LONGEST_HEADING:
        return (len(heading[1]), words), 1
    return None


def _unclosed(words: str) -> str:
    """Leave out the marks that may close a heading; those of "C#" belong to a word."""
    bare = words.rstrip("#")
    return bare.rstrip(" \t") if bare[-1:] in ("", " ", "\t") else words
