"""`parley audit`: what was decided, by whom, and whether that log is whole."""

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from bot.cli.late import late
from bot.cli.operating import operate
from bot.cli.options import config_option, found, json_option
from bot.cli.place import place_in
from bot.cli.writing import write_new

beside = late("bot.cli.beside:audit")
show_json, show_table = late("bot.cli.printing:show_json"), late("bot.cli.printing:show_table")
SHOWN = 100  # lines, the newest


@click.command()
@config_option
@click.option(
    "--export",
    "output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the whole log to a new file, one line of JSON each.",
)
@json_option
def audit(path: Path | None, output: Path | None, as_json: bool) -> None:
    """Show the newest decisions: rights, moderation, orders; never what people wrote.

    Every line seals those before it: exit code 1 when one was changed or taken out. A running bot
    is asked; without one the database is opened.
    """
    place, limit = place_in(found(path)), 0 if output else SHOWN
    answer = operate(place, "audit", partial(beside, place.database, limit), limit=limit)
    lines, broken = answer["lines"], answer["broken"]
    if output:
        write_new(output, "\n".join(json.dumps(line) for line in reversed(lines)))
    if as_json:
        show_json(answer)
    elif output:
        click.echo(f"{output}: {len(lines)} decisions.")
    elif not lines and not broken:
        click.echo("Nothing was decided yet.")
    else:
        show_table(("WHEN", "WHO", "DID", "TO", "WHERE", "DETAILS"), map(_row, lines))
    if broken:
        click.echo(f"parley: line {broken} is not as it was written", err=True)
        raise SystemExit(1)


def _row(line: dict[str, Any]) -> tuple[object, ...]:
    at = datetime.fromtimestamp(line["at"], UTC).strftime("%Y-%m-%d %H:%M")
    return (at, *(line[name] for name in ("actor", "action", "subject", "place", "details")))
