"""Which faults are proved to be survived, and by which tests.

    python -m tests.acceptance.faults [--json]

The rows stand in `faults.toml`; `tests/architecture/test_faults.py` keeps them true.
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
NUMBERS = [f"F{number}" for number in range(1, 55)]
COLOURS = {"proved": "green", "partly": "yellow", "cannot occur": "green", "open": "red"}


@dataclass(frozen=True)
class Fault:
    """One row: what goes wrong, and what proves that the bot survives it."""

    number: str
    fault: str
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


def faults():
    """Read all rows."""
    rows = tomllib.loads(Path(__file__).with_name("faults.toml").read_text(encoding="utf-8"))
    return [
        Fault(number, **{**row, "tests": tuple(row.get("tests", ()))})
        for number, row in rows.items()
    ]


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


def absent(fault):
    """Return the tests of a row that do not exist."""
    pairs = [test.partition("::") for test in fault.tests]
    return [f"{path}::{name}" for path, _, name in pairs if name not in names(path)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = faults()
    if options.json:
        print(json.dumps([{**asdict(row), "state": row.state} for row in rows]))
        return
    states = Counter(row.state for row in rows)
    table = Table(
        "", "fault", "state", "proved by", title="What may go wrong",
        caption=", ".join(f"{count} {state}" for state, count in states.items()),
    )  # fmt: skip
    table.columns[0].no_wrap = table.columns[2].no_wrap = True
    for row in rows:
        why = [test.removeprefix("tests/") for test in row.tests]
        why += [sentence for sentence in (row.missing, row.impossible) if sentence]
        colour = COLOURS[row.state]
        table.add_row(row.number, row.fault, f"[{colour}]{row.state}[/]", "\n".join(why))
    Console().print(table)


if __name__ == "__main__":
    main()
