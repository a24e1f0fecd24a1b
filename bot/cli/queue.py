"""`parley queue`: what is not answered, and what can be done about it."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from bot.cli.late import late
from bot.cli.operating import operate
from bot.cli.options import Group, config_option, found, json_option
from bot.cli.place import place_in

beside = late("bot.cli.beside:queue")
show_json, show_table = late("bot.cli.printing:show_json"), late("bot.cli.printing:show_table")
ago, printable = late("bot.cli.printing:ago"), late("bot.cli.printing:printable")
number = click.argument("id", type=int)


@click.group(cls=Group)
def queue() -> None:
    """List messages that are not answered, try them again, or drop them.

    A running bot is asked; without one the database is opened.
    """


@queue.command("list")
@config_option
@json_option
def list_(path: Path | None, as_json: bool) -> None:
    """Show what waits, runs, rests after a failure, or was given up, in its order."""
    answer = _done(path, "list")
    entries = answer["entries"]
    if answer["cut"]:
        click.echo(f"parley: there are more than these {len(entries)}, the oldest", err=True)
    if as_json:
        show_json(entries)
    elif entries:
        head = ("ID", "STATE", "WRITTEN", "TRIED", "CONVERSATION", "WHY")
        show_table(head, [_row(entry) for entry in entries])
    else:
        click.echo("Everything is answered.")


@queue.command()
@config_option
@number
@json_option
def show(path: Path | None, id: int, as_json: bool) -> None:
    """Show one message with its text; the way back to its author is left out."""
    answer = _done(path, "show", id=id)
    if as_json:
        show_json(answer)
        return
    for name, value in {**answer["entry"], **answer["event"], "id": id}.items():
        if value not in ("", None, [], ()):
            click.echo(f"{name}: {printable(str(value))}")


@queue.command()
@config_option
@number
@json_option
def retry(path: Path | None, id: int, as_json: bool) -> None:
    """Let a message that was given up be answered after all, at the end of its conversation."""
    _tell(_done(path, "retry", id=id), as_json, f"{id} waits to be answered.")


@queue.command()
@config_option
@number
@json_option
def drop(path: Path | None, id: int, as_json: bool) -> None:
    """Close a message without an answer, unless it is being answered at this moment."""
    _tell(_done(path, "drop", id=id), as_json, f"{id} is closed and will not be answered.")


def _done(path: Path | None, verb: str, **values: int) -> Any:
    place = place_in(found(path))
    return operate(place, verb, partial(beside, place.database, verb, values), **values)


def _row(entry: dict[str, Any]) -> tuple[object, ...]:
    return (entry["id"], entry["state"], ago(entry["at"]), entry["attempts"], entry["lane"],
            entry["reason"])  # fmt: skip


def _tell(answer: dict[str, Any], as_json: bool, sentence: str) -> None:
    if as_json:
        show_json(answer)
    else:
        click.echo(sentence)
