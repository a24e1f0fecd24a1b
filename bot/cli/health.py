"""`parley health`: one exit code for containers, and a line for each thing that is wrong."""

from pathlib import Path

import click

from bot.cli.late import late
from bot.cli.options import config_option, found, json_option
from bot.cli.place import place_in
from bot.ops.asking import ask

show_json = late("bot.cli.printing:show_json")


@click.command()
@config_option
@json_option
def health(path: Path | None, as_json: bool) -> None:
    """Exit with 0 when the running bot can do its work, with 1 when not.

    It can when its store writes and every platform is heard; each complaint is one line.
    """
    place = place_in(found(path))
    answer = ask(place.socket, "health")
    if answer is None:
        answer = {"ready": False, "complaints": [f"no bot answers on {place.socket}"]}
    if as_json:
        show_json(answer)
    else:
        click.echo("\n".join(answer["complaints"]) or "Ready.")
    if not answer["ready"]:
        raise SystemExit(1)
