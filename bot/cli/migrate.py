"""`parley migrate`: the schema of the database, brought up to date without starting the bot."""

from dataclasses import asdict
from pathlib import Path

import click

from bot.cli.late import late
from bot.cli.options import config_option, found, json_option
from bot.cli.place import expect, place_in

bring_up_to_date = late("bot.backends.sqlite.schema:migrate")
show_json = late("bot.cli.printing:show_json")


@click.command()
@config_option
@json_option
def migrate(path: Path | None, as_json: bool) -> None:
    """Bring the database up to date; `parley run` does the same at its start.

    A copy from before is kept beside it. The bot must be stopped.
    """
    database = place_in(found(path)).database
    expect(database)
    done = bring_up_to_date(database)
    if as_json:
        show_json({"database": database, **asdict(done)})
    elif done.before == done.after:
        click.echo(f"{database} is up to date: schema {done.after}.")
    else:
        click.echo(f"{database}: schema {done.before} → {done.after}.")
        if done.copy:
            click.echo(f"As it was before: {done.copy}")
