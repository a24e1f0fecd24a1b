"""`parley run`: every enabled adapter, until it is told to stop."""

from pathlib import Path

import click

from bot.cli.late import late
from bot.cli.options import config_option

run_adapters = late("bot.cli.running:run_adapters")


@click.command()
@config_option
@click.option("--role", type=click.Choice(["all", "gateway", "worker"]), default="all",
              help="What this process does; on SQLite only `all`.")  # fmt: skip
def run(path: Path | None, role: str) -> None:
    """Answer on every enabled platform until SIGTERM or SIGINT; then drain and exit.

    A second signal ends it at once; what is open then is answered after the next start.
    """
    debug = click.get_current_context().find_root().params.get("debug")
    run_adapters(path, role, debug=debug)
