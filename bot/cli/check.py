"""`parley check`: everything that can be wrong with a configuration, found offline."""

import json
from pathlib import Path

import click

from bot.cli.late import late
from bot.cli.options import config_option, found, json_option
from bot.domain.errors import ConfigError

platforms, load = late("bot.app.platforms:platforms"), late("bot.config:load")
missing_secrets, secrets = late("bot.cli.running:missing_secrets"), late("bot.config:Secrets")


@click.command()
@config_option
@json_option
def check(path: Path | None, as_json: bool) -> None:
    """Validate the configuration; one line for each problem, exit code 2 when there is any."""
    file = found(path)
    problems: list[str] = []
    try:
        config = load(file, platforms())
        problems = missing_secrets(config, secrets())
        if not config.models:
            problems.append("models: none is configured; add a table like [models.main]")
        if not any(settings.enabled for settings in config.adapters.values()):
            problems.append("adapters: none is enabled; set `enabled = true` below one of them")
    except ConfigError as error:
        problems = str(error).splitlines()
    if as_json:
        click.echo(json.dumps(problems))
    else:
        click.echo("\n".join(problems) or f"{file or 'The environment'} is fine.")
    if problems:
        raise SystemExit(2)
