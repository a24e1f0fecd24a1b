"""The verbs of the `parley` command; importing this package imports no SDK."""

import sys

import click

from bot.cli import chat, check, manifest, run
from bot.domain.errors import ConfigError, ParleyError


class Verbs(click.Group):
    """Turns expected errors into one sentence and the right exit code."""

    def invoke(self, ctx: click.Context) -> object:
        """Exit 2 when the configuration is wrong, 1 when the work failed."""
        try:
            return super().invoke(ctx)
        except ParleyError as error:
            if ctx.params.get("debug"):
                raise
            click.echo(f"parley: {error}" if "\n" not in str(error) else str(error), err=True)
            sys.exit(2 if isinstance(error, ConfigError) else 1)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="parley-bot", prog_name="parley")
@click.option("--debug", is_flag=True, help="Show tracebacks and log everything.")
def main(debug: bool) -> None:
    """One assistant for Slack, Discord, Telegram and this terminal."""


main.add_command(chat.chat)
main.add_command(run.run)
main.add_command(check.check)
main.add_command(manifest.manifest)
