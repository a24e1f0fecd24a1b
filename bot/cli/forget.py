"""`parley forget`: delete everything that is stored about a person."""

from functools import partial
from pathlib import Path

import click

from bot.cli.late import late
from bot.cli.operating import operate
from bot.cli.options import config_option, found, json_option
from bot.cli.place import expect_no_terminal, place_in

beside = late("bot.cli.beside:privacy")
show_json = late("bot.cli.printing:show_json")
LONG_S = 600.0  # a large database is rebuilt


@click.command()
@config_option
@click.argument("person")
@click.option("--yes", is_flag=True, help="Do not ask whether you are sure.")
@json_option
def forget(path: Path | None, person: str, yes: bool, as_json: bool) -> None:
    """Delete everything that is stored about PERSON (platform:workspace:user), for good.

    What they wrote and were answered goes, with every copy of the database in its folder that was
    kept before a migration or a restore and in which they occur; backups elsewhere are yours to
    delete. Blocks, strikes and what was paid stay under a keyed hash. A running bot is asked;
    without one the database is opened.
    """
    expect_no_terminal(person)
    if not yes:
        click.confirm(f"Delete everything that is stored about {person}?", abort=True, err=True)
    place = place_in(found(path))
    here = partial(beside, place.database, "forget", person)
    done = operate(place, "forget", here, answer_s=LONG_S, person=person)
    if as_json:
        show_json(done)
        return
    counts = ", ".join(f"{count} {what}" for what, count in done["deleted"].items())
    click.echo(f"Forgotten: {counts}." if counts else f"Nothing is stored about {person}.")
    if not done["complete"]:
        click.echo(
            "The last traces in the files go within minutes, once answers that are being written "
            "have ended."
        )
