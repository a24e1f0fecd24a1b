"""`parley export`: everything that is stored about a person."""

import json
from functools import partial
from pathlib import Path

import click

from bot.cli.late import late
from bot.cli.operating import operate
from bot.cli.options import config_option, found, json_option
from bot.cli.place import expect_no_terminal, place_in
from bot.cli.writing import write_new

beside = late("bot.cli.beside:privacy")
show_json, printable = late("bot.cli.printing:show_json"), late("bot.cli.printing:printable")


@click.command()
@config_option
@click.argument("person")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a new file."
)
@json_option
def export(path: Path | None, person: str, output: Path | None, as_json: bool) -> None:
    """Show everything that is stored about PERSON (platform:workspace:user, as /whoami shows it).

    A running bot is asked; without one the database is opened. With --output it goes to a new file
    that only its owner may read.
    """
    expect_no_terminal(person)
    place = place_in(found(path))
    here = partial(beside, place.database, "export", person)
    stored = operate(place, "export", here, person=person)["stored"]
    text = json.dumps(stored, ensure_ascii=False, indent=2)
    if output is not None:
        write_new(output, text)
    if as_json:
        show_json(stored)
    elif not stored:
        click.echo(f"Nothing is stored about {person}.")
    else:
        click.echo(
            f"{output}: everything that is stored about {person}." if output else printable(text)
        )
