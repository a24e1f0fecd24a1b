"""`parley manifest`: what to paste into a platform's own settings."""

import importlib

import click

from bot.domain.errors import ConfigError


@click.command()
@click.argument("platform", type=click.Choice(["slack", "discord", "telegram"]))
def manifest(platform: str) -> None:
    """Print what to paste or upload: a Slack manifest, Discord commands, Telegram's menu."""
    app = importlib.import_module("bot.app")  # here, so that help need not wait for it
    descriptor = app.platforms().get(platform)
    if descriptor is None or descriptor.manifest is None:
        raise ConfigError(f"{platform}: there is nothing to paste for this platform")
    click.echo(descriptor.manifest(app.CATALOGUE).rstrip("\n"))
