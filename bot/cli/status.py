"""`parley status`: what the running bot does."""

from pathlib import Path
from typing import Any

import click

from bot.cli.late import late
from bot.cli.options import config_option, found, json_option
from bot.cli.place import place_in
from bot.ops.asking import ask
from bot.ops.place import Place

show_json, show_table = late("bot.cli.printing:show_json"), late("bot.cli.printing:show_table")
ago, duration = late("bot.cli.printing:ago"), late("bot.cli.printing:duration")
look = late("bot.backends.sqlite.backup:look")


@click.command()
@config_option
@json_option
def status(path: Path | None, as_json: bool) -> None:
    """Show which platforms are heard, what waits, and what happened since the start.

    Exits with 1 when no bot runs.
    """
    place = place_in(found(path))
    answer = ask(place.socket, "status")
    if as_json:
        show_json({"running": answer is not None, **(answer or _at_rest(place))})
    elif answer is None:
        left = _at_rest(place)
        click.echo(f"No bot answers on {place.socket}: none runs, or it is just starting.")
        click.echo(f"Waiting for an answer: {left['open']}; given up: {left['dead']}.")
    else:
        _show(answer)
    if answer is None:
        raise SystemExit(1)


def _at_rest(place: Place) -> dict[str, int]:
    """Count what a stopped bot has left."""
    if not place.database.exists():
        return {"open": 0, "dead": 0}
    facts = look(place.database)
    return {"open": facts.waiting, "dead": facts.dead}


def _show(answer: dict[str, Any]) -> None:
    up = duration(answer["uptime_s"])
    click.echo(f"Parley {answer['version']}, process {answer['process']}, up for {up}.")
    click.echo("\n".join(answer["complaints"]) or "Everything is well.")
    click.echo()
    head = ("PLATFORM", "STATE", "SINCE", "WHY")
    show_table(head, [_row(name, one) for name, one in answer["platforms"].items()])
    click.echo()
    for model, complaint in answer["models"].items():
        click.echo(f"Model {model} {complaint}.")
    turns = ", ".join(f"{count} {outcome}" for outcome, count in answer["turns"].items()) or "none"
    oldest = f", the oldest for {duration(answer['oldest_s'])}" if answer["open"] else ""
    click.echo(f"Waiting for an answer: {answer['open']}{oldest}; given up: {answer['dead']}.")
    click.echo(
        f"Since the start: turns: {turns}; events that came again: {answer['duplicates']}; "
        f"turns that were resumed: {answer['resumed']}."
    )


def _row(name: str, platform: dict[str, Any]) -> tuple[object, ...]:
    state = "up" if platform["up"] else "down"
    return name, state, ago(platform["since"]), platform["reason"]
