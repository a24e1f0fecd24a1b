"""`parley check`: everything that can be wrong with a configuration, found offline."""

import json
from pathlib import Path

import click

from bot.app import platforms
from bot.cli.options import config_option, found
from bot.cli.run import missing_secrets
from bot.config import Secrets, load
from bot.domain.errors import ConfigError


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the problems as a JSON list.")
def check(path: Path | None, as_json: bool) -> None:
    """Validate the configuration; one line for each problem, exit code 2 when there is any."""
    file = found(path)
    problems: list[str] = []
    try:
        config = load(file, platforms())
        problems = missing_secrets(config, Secrets())
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
