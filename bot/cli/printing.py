"""How the verbs of operation print: tables and bars for people, JSON for programs."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.table import Table

WIDE = 1_000  # characters of a line that nobody watches


def show_json(value: Any) -> None:
    """Print a value on one line."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def show_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table without markup; cells may hold what people wrote, and none is cut."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in head:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(printable(str(cell)) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else WIDE, markup=False, highlight=False)
    console.print(table)


def printable(text: str) -> str:
    """Show control characters, which could steer a terminal, as their escapes."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def duration(seconds: float) -> str:
    """Write a time span as an operator reads it: `3 d 4 h`, `12 min`, `8 s`."""
    days, rest = divmod(int(seconds), 86400)
    hours, rest = divmod(rest, 3600)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {rest // 60} min"
    return f"{rest // 60} min" if rest >= 60 else f"{rest} s"


def ago(at: float) -> str:
    """Write how long ago a moment was, in seconds since 1970."""
    return f"{duration(max(0.0, time.time() - at))} ago"


def size(count: int) -> str:
    """Write a number of bytes."""
    return f"{count / 1_000_000:.1f} MB" if count >= 100_000 else f"{count / 1000:.0f} kB"


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None] | None]:
    """Yield what takes `(done, whole)` and draws a bar; None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1000, label=label, file=sys.stderr) as bar:
        yield lambda done, whole: bar.update(done * 1000 // max(whole, 1) - bar.pos)
