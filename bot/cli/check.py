"""`parley check`: everything that can be wrong with a configuration, found offline."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from bot.cli.late import late
from bot.cli.options import config_option, found, json_option
from bot.domain.errors import ConfigError

platforms, load = late("bot.app.platforms:platforms"), late("bot.config:load")
remarks = late("bot.config.moderation:remarks")
sizes = late("bot.config.contradictions:remarks")
demo = late("bot.cli.chatting:demo")
sections = late("bot.backends.documents.reading:read")
missing_secrets, secrets = late("bot.cli.running:missing_secrets"), late("bot.config:Secrets")


@click.command()
@config_option
@json_option
def check(path: Path | None, as_json: bool) -> None:
    """Validate the configuration; one line for each problem, exit code 2 when there is any."""
    file = found(path)
    problems: list[str] = []
    notes: list[str] = []
    try:
        config = load(file, platforms())
        problems = missing_secrets(config, secrets())
        notes = [*remarks(config, platforms()), *sizes(config), *demo(config)]
        problems += _unreadable(config)
        if not config.models:
            problems.append("models: none is configured; add a table like [models.main]")
        if not any(settings.enabled for settings in config.adapters.values()):
            problems.append("adapters: none is enabled; set `enabled = true` below one of them")
    except ConfigError as error:
        problems = str(error).splitlines()
    if as_json:
        click.echo(json.dumps(problems))
    else:
        fine = (*(f"Note: {note}" for note in notes), f"{file or 'The environment'} is fine.")
        click.echo("\n".join(problems or fine))  # what must be mended comes first
    if problems:
        raise SystemExit(2)


def _unreadable(config: Any) -> Iterator[str]:
    """Yield a line for each model whose documents cannot be read."""
    for name, model in config.models.items():
        if place := getattr(model, "documents", ""):
            try:
                sections(Path(place).expanduser())
            except ConfigError as error:
                yield f"models.{name}.{error}"
