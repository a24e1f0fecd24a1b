"""Everything that others use says what it is for, in a sentence."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import SOURCES, Function, Source, expect_none


def undocumented(source: Source) -> list[str]:
    """Return modules, classes and public functions without a docstring."""
    found = [] if ast.get_docstring(source.tree) else [source.name]
    silent = (node for node in public(source.tree) if not ast.get_docstring(node))
    return found + [f"{source.name}:{node.lineno} {node.name}" for node in silent]


def public(place: ast.Module | ast.ClassDef) -> Iterator[ast.ClassDef | Function]:
    """Yield classes and what others call: nothing inside a function or a private class."""
    for node in place.body:
        if isinstance(node, ast.ClassDef):
            yield node
            yield from () if node.name.startswith("_") else public(node)
        elif isinstance(node, Function) and not node.name.startswith("_"):
            yield node


def test_everything_public_is_documented():
    expect_none(name for source in SOURCES for name in undocumented(source))


@pytest.mark.parametrize(
    "text",
    [
        "x = 1",
        '"""Module."""\nclass A:\n    pass',
        '"""Module."""\ndef work():\n    pass',
        '"""Module."""\nclass A:\n    """A."""\n    async def work(self):\n        pass',
    ],
)
def test_what_says_nothing_is_found(text):
    assert undocumented(Source("made.py", text)) != []
