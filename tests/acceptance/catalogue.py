"""A catalogue of what may go wrong, or be done to the bot, with the tests that prove the outcome.

The rows stand in a TOML file, one table each:
    tests        pytest ids, in the order in which they are worth reading
    missing      what is not proved or not built yet: the row is only partly proved, or open
    impossible   why it cannot occur
`tests/architecture/test_catalogues.py` keeps them true.
"""

import argparse
import ast
import json
import tomllib
from collections import Counter
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
COLOURS = {"proved": "green", "partly": "yellow", "cannot occur": "green", "open": "red"}


@dataclass(frozen=True)
class Row:
    """What may happen, and what proves that the bot survives it."""

    number: str
    what: str
    tests: tuple[str, ...] = ()
    missing: str = ""
    impossible: str = ""

    @property
    def state(self):
        """Return in a word how far it is proved."""
        if self.impossible:
            return "cannot occur"
        if not self.tests:
            return "open"
        return "partly" if self.missing else "proved"

    @property
    def reasons(self):
        """Return the tests and sentences that stand behind the state."""
        shown = [test.removeprefix("tests/") for test in self.tests]
        return [*shown, *(sentence for sentence in (self.missing, self.impossible) if sentence)]


@dataclass(frozen=True)
class Catalogue:
    """One file of rows; every row says under `kind` what may happen."""

    kind: str
    count: int
    title: str

    @property
    def module(self):
        return f"{self.kind}s"

    @property
    def numbers(self):
        """Return the numbers of all rows that have to be there."""
        return [f"{self.kind[0].upper()}{number}" for number in range(1, self.count + 1)]

    def rows(self):
        """Read all rows."""
        file = Path(__file__).with_name(f"{self.module}.toml")
        rows = tomllib.loads(file.read_text(encoding="utf-8"))
        return [
            Row(number, row.pop(self.kind), **{**row, "tests": tuple(row.get("tests", ()))})
            for number, row in rows.items()
        ]

    def states(self):
        """Say in one line how many rows are in which state."""
        states = Counter(row.state for row in self.rows())
        return ", ".join(f"{count} {state}" for state, count in states.items())

    def main(self):
        """Print the rows, for people or for machines."""
        parser = argparse.ArgumentParser(description=self.title)
        parser.add_argument("--json", action="store_true")
        if parser.parse_args().json:
            print(json.dumps([{**asdict(row), "state": row.state} for row in self.rows()]))
            return
        table = Table("", self.kind, "state", "why", title=self.title, caption=self.states())
        table.columns[0].no_wrap = table.columns[2].no_wrap = True
        for row in self.rows():
            state = f"[{COLOURS[row.state]}]{row.state}[/]"
            table.add_row(row.number, row.what, state, "\n".join(row.reasons))
        Console().print(table)


@cache
def names(path):
    """Return the names of the tests in a file; none when there is no such file."""
    file = ROOT / path
    tree = ast.parse(file.read_text(encoding="utf-8")) if file.is_file() else ast.Module([], [])
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )


def absent(row):
    """Return the tests of a row that do not exist."""
    pairs = [test.partition("::") for test in row.tests]
    return [f"{path}::{name}" for path, _, name in pairs if name not in names(path)]
