"""How a proof is run by itself: options, a progress bar, a table or JSON, an exit code."""

import argparse
import asyncio
import inspect
import json

from rich.console import Console
from rich.progress import Progress
from rich.table import Table


def quiet(done, total):
    """Show nothing: what a proof calls when nobody looks on."""


def alone(title, run, faults, **defaults):
    """Run one proof from the command line; exits 1 when a number named in `faults` is not 0.

    `defaults` are the options and their values, with underscores for hyphens.
    """
    parser = argparse.ArgumentParser(description=title)
    for name, value in {**defaults, "seed": 1}.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    parser.add_argument("--json", action="store_true")
    options = vars(parser.parse_args())
    as_json = options.pop("json")
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None)
        numbers = run(**options, progress=lambda done, total: bar.update(
            task, completed=done, total=total))  # fmt: skip
        if inspect.isawaitable(numbers):
            numbers = asyncio.run(numbers)
    print(json.dumps(numbers)) if as_json else show(title, numbers)
    raise SystemExit(1 if any(numbers[name] for name in faults) else 0)


def show(title, numbers):
    """Print one row per number."""
    table = Table("what", "number", title=title)
    for name, value in numbers.items():
        table.add_row(name.replace("_", " "), f"{value:g}" if isinstance(value, float) else str(value))  # fmt: skip
    Console().print(table)
