"""`parley backup`: a consistent copy of the database in one file."""

from dataclasses import asdict
from pathlib import Path

import click

from bot.cli.late import late
from bot.cli.options import config_option, found, json_option
from bot.cli.place import place_in

back_up = late("bot.backends.sqlite.backup:back_up")
show_json, progress = late("bot.cli.printing:show_json"), late("bot.cli.printing:progress")
size = late("bot.cli.printing:size")


@click.command()
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def backup(path: Path | None, file: Path, as_json: bool) -> None:
    """Copy the database to FILE, also while the bot runs: one moment, whole and checked.

    It holds what people wrote, so only its owner may read it. A FILE that is there is replaced.
    """
    with progress("Copying") as tell:
        facts = back_up(place_in(found(path)).database, file, tell)
    if as_json:
        show_json({"file": file, **asdict(facts)})
    else:
        click.echo(
            f"{file}: {size(facts.bytes)}, {facts.lines} lines of memory, "
            f"{facts.waiting} messages that wait for an answer."
        )
