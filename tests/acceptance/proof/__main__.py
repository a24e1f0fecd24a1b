"""Prove what the README promises, and print the tables that it quotes.

    python -m tests.acceptance.proof [--quick] [--only NAME]… [--seed N] [--json]

Every proof runs in a process of its own, one after another; the three platforms of a proof run side
by side. Exits 1 when a promise is broken, or when a proof cannot be run.
"""

import argparse
import json

from rich import box
from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn
from rich.table import Table

from tests.acceptance.attacks import ATTACKS
from tests.acceptance.faults import FAULTS
from tests.acceptance.proof.jobs import prove
from tests.acceptance.proof.plan import PROOFS


def show(proof, verdict, console):
    """Print the table of a proof, ready to be quoted."""
    table = Table("", *verdict.numbers, box=box.MARKDOWN)
    for name in dict.fromkeys(name for column in verdict.numbers.values() for name in column):
        cells = [column.get(name, "") for column in verdict.numbers.values()]
        table.add_row(name.replace("_", " "), *map(written, cells))
    for column in table.columns[1:]:
        column.justify = "right"
    state = f"BROKEN: {', '.join(verdict.broken)}" if verdict.broken else "kept"
    console.print(f"\n**{proof.module}**: {proof.promise}. {state}; {verdict.seconds:.0f} s", table,
                  sep="\n", highlight=False, markup=False)  # fmt: skip


def show_rows(catalogue, console):
    """Print how far each row of a catalogue is proved; its own program explains why."""
    table = Table("", catalogue.kind, "state", box=box.MARKDOWN)
    for row in catalogue.rows():
        table.add_row(row.number, row.what, row.state)
    console.print(f"\n**{catalogue.module}**: {catalogue.states()}", table, sep="\n",
                  highlight=False, markup=False)  # fmt: skip


def written(value):
    """Return a number, or a list of them, as people write it."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if value != "" else ""


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance.proof",
                                     description=__doc__.splitlines()[0])  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="a tenth or so of everything")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=[proof.module for proof in PROOFS], action="append")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    chosen = [proof for proof in PROOFS if proof.module in (options.only or proof.module)]
    console, verdicts = Console(), {}
    with Progress(*Progress.get_default_columns(), TimeElapsedColumn(),
                  console=Console(stderr=True)) as bar:  # fmt: skip
        for proof in chosen:
            verdicts[proof.module] = verdict = prove(proof, options, bar)
            if not options.json:
                show(proof, verdict, console)
    if options.json:
        print(json.dumps({
            "seed": options.seed, "quick": options.quick,
            "proofs": {name: vars(verdict) for name, verdict in verdicts.items()},
            **{
                catalogue.module: {row.number: row.state for row in catalogue.rows()}
                for catalogue in (FAULTS, ATTACKS)
            },
        }))  # fmt: skip
    elif not options.only:
        for catalogue in (FAULTS, ATTACKS):
            show_rows(catalogue, console)
    broken = [name for name, verdict in verdicts.items() if verdict.broken]
    raise SystemExit(f"broken: {', '.join(broken)}" if broken else 0)


if __name__ == "__main__":
    main()
