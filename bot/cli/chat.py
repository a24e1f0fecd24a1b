"""`parley chat`: talk to the bot in this terminal, with or without a configuration."""

from pathlib import Path

import click

from bot.cli.late import late
from bot.cli.options import config_option

talk = late("bot.cli.chatting:talk")


def _question(_: click.Context, __: click.Parameter, value: str | None) -> str:
    """Refuse to ask nothing."""
    if value is not None and not value.strip():
        raise click.BadParameter("there is no question in it")
    return value or ""


@click.command()
@config_option
@click.option("--once", metavar="TEXT", callback=_question, help="Print one answer and end.")
@click.option(
    "--as",
    "name",
    metavar="NAME",
    default="",
    help="What you are called; your rights are those of console::me.",
)
def chat(path: Path | None, once: str, name: str) -> None:
    """Talk to the bot here. Without a configuration it answers about Lisa's Boutique, a demo."""
    debug = click.get_current_context().find_root().params.get("debug")
    if not talk(path, once, name, debug=debug):
        raise SystemExit(1)
