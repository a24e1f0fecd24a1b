"""Nobody has to hold more than a page in the head: files and functions stay short."""

import pytest

from tests.architecture.source import SOURCES, Function, Source, expect_none

FILE_LINES = 300
FUNCTION_LINES = 40


def long_functions(source: Source) -> list[str]:
    return [
        f"{source.name}:{function.lineno} {function.name} has {lines} lines"
        for function in source.functions
        if (lines := length(function)) > FUNCTION_LINES
    ]


def length(function: Function) -> int:
    """Count the lines of a function without decorators and docstring."""
    first, *rest = function.body
    spoken = getattr(getattr(first, "value", None), "value", None)
    docstring = isinstance(spoken, str) and bool(rest)
    begin = function.lineno + (first.end_lineno - first.lineno + 1 if docstring else 0)
    return function.end_lineno - begin + 1


def test_no_file_is_long():
    sizes = {source.name: source.text.count("\n") for source in SOURCES}

    expect_none(f"{name} has {n} lines" for name, n in sizes.items() if n > FILE_LINES)


def test_no_function_is_long():
    expect_none(line for source in SOURCES for line in long_functions(source))


@pytest.mark.parametrize(("lines", "long"), [(39, False), (40, True)])
def test_a_long_function_is_found_and_its_docstring_does_not_count(lines, long):
    body = "    pass\n" * lines
    text = f'@cache\ndef work():\n    """Say\n    much."""\n{body}'

    assert bool(long_functions(Source("made.py", text))) is long
