"""The verbs of the `parley` command; each is imported when it is called, so that help is quick."""

import gc
import importlib
import sys

import click

from bot.domain.errors import ConfigError, ParleyError

VERBS = {
    "chat": "Talk to the bot here.",
    "run": "Answer on every enabled platform until it is told to stop.",
    "init": "Write a configuration after a few questions.",
    "check": "Validate the configuration; one line for each problem.",
    "manifest": "Print what to paste into Slack, Discord or Telegram.",
    "status": "Show what the running bot does.",
    "health": "Tell whether the running bot can do its work, for health checks.",
    "knowledge": "Add documents to answer from, list them, search them, remove them.",
    "queue": "List messages that are not answered, try them again, or drop them.",
    "audit": "Show what was decided, by whom, and whether that log is whole.",
    "export": "Show everything that is stored about a person.",
    "forget": "Delete everything that is stored about a person.",
    "backup": "Copy the database, also while the bot runs.",
    "restore": "Check a backup, or put it in the place of the database.",
    "migrate": "Bring the database up to date.",
}


class Verbs(click.Group):
    """Finds verbs by name, and turns expected errors into one sentence and the right exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the verbs in the order in which one needs them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the module of one verb."""
        if cmd_name not in VERBS:
            return None
        gc.disable()  # what imports make stays: looking for garbage in it is a tenth of the start
        command: click.Command = getattr(importlib.import_module(f"bot.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def invoke(self, ctx: click.Context) -> object:
        """Exit 2 when the configuration is wrong, 1 when the work failed."""
        try:
            return super().invoke(ctx)
        except ParleyError as error:
            if ctx.params.get("debug"):
                raise
            click.echo(f"parley: {error}" if "\n" not in str(error) else str(error), err=True)
            sys.exit(2 if isinstance(error, ConfigError) else 1)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            name = type(error).__name__
            click.echo(f"parley: an unexpected {name}; `parley --debug` shows where", err=True)
            sys.exit(1)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="parley-bot", prog_name="parley")
@click.option("--debug", is_flag=True, help="Show tracebacks and log everything.")
def main(debug: bool) -> None:
    """One assistant for Slack, Discord, Telegram and this terminal."""
