"""The sources as trees, read once, and questions that several tests ask about them."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "adapters")
PLATFORMS = ("slack", "discord", "telegram")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file."""

    name: str  # from the root: "bot/core/turn.py"
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def imported(self) -> Iterator[tuple[int, str]]:
        """Yield line and dotted name of every import, wherever it stands in the file."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield node.lineno, alias.name
            elif isinstance(node, ast.ImportFrom):
                yield node.lineno, node.module or ""


def read(folder: Path) -> list[Source]:
    """Return every Python file of the packages below a folder."""
    return [
        Source(path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8"))
        for package in PACKAGES
        for path in sorted((folder / package).rglob("*.py"))
    ]


def expect_none(found: Iterable[str]) -> None:
    """Fail with one line for each finding."""
    lines = sorted(found)
    assert not lines, "\n" + "\n".join(lines)


SOURCES = read(ROOT)
