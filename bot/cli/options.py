"""Options and other things that several verbs share."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click
import uvloop

T = TypeVar("T")

config_option = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration file; config.toml in this folder when there is one.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on one line.")


class Group(click.Group):
    """Lists its verbs with the whole sentence about each."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the first paragraph of each verb's help."""
        verbs = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, ((verb and verb.help) or "").partition("\n\n")[0]) for name, verb in verbs]
        with formatter.section("Commands"):
            formatter.write_dl([(name, " ".join(about.split())) for name, about in rows])


def found(path: Path | None) -> Path | None:
    """Return the named file, or `config.toml` here, or None."""
    default = Path("config.toml")
    return path or (default if default.exists() else None)


def run_until_done(work: Coroutine[Any, Any, T]) -> T:
    """Run on uvloop, which halves the cost of a message."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
