"""`parley manifest`: what to paste into a platform's own settings."""

import click

from bot.app import CATALOGUE, platforms
from bot.domain.errors import ConfigError


@click.command()
@click.argument("platform", type=click.Choice(["slack", "discord", "telegram"]))
def manifest(platform: str) -> None:
    """Print what to paste or upload: a Slack manifest, Discord commands, Telegram's menu."""
    descriptor = platforms().get(platform)
    if descriptor is None or descriptor.manifest is None:
        raise ConfigError(f"{platform}: there is nothing to paste for this platform")
    click.echo(descriptor.manifest(CATALOGUE).rstrip("\n"))
