"""The work of `parley chat`: a configuration or the demo, then a conversation until its end."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bot.app import place_of, platforms, serve
from bot.backends.openai.settings import OpenAISettings
from bot.backends.sqlite.store import documents
from bot.cli.options import found, run_until_done
from bot.config import Config, DocumentsSettings, Secrets, load
from bot.config.sections import DatabaseSettings, PrivacySettings
from bot.core.metrics import Metrics
from bot.domain.policy import AccessPolicy
from bot.ops import logs

OPEN = AccessPolicy(dm_policy="open", group_policy="open")
AT_HOME = PrivacySettings(notice=False)  # who runs the bot knows what it keeps


def talk(path: Path | None, once: str, name: str, *, debug: bool) -> bool:
    """Talk until the input ends; False: the one question was declined, or its answer broke off.

    Raises:
        ConfigError: with one line for each problem.
        StoreError: the store cannot be used.
    """
    config = with_models(load(found(path), platforms()))
    logs.configure("debug" if debug else "error", "text")
    console: Any = platforms()["console"].settings(enabled=True, once=once, name=name)
    config = replace(config, adapters={"console": console}, access=OPEN, privacy=AT_HOME)
    library = place_of(config).database
    if sys.stdin.isatty() and not once:
        greet(config, library)
    with tempfile.TemporaryDirectory() as scratch:
        # One answer needs no memory. A conversation keeps its own, beside that of `parley run`, and
        # the demo's refusals are nothing that a language model should read later.
        kept = config.data_dir / ("chat-demo" if is_demo(config) else "chat")
        folder = Path(scratch) if once else kept
        config = replace(config, data_dir=folder, database=DatabaseSettings())
        metrics = run_until_done(_serve(config, library))
    return not (once and (metrics.turns["declined"] or metrics.broken))


def with_models(config: Config) -> Config:
    """Add the embedded default where no model is configured: a server if one is named, else none.

    `OPENAI_API_KEY` or `OPENAI_BASE_URL` name a server, `OPENAI_MODEL` the model on it.
    """
    if config.models:
        return config
    if os.environ.get("OPENAI_API_KEY") or os.environ.get("OPENAI_BASE_URL"):
        model = OpenAISettings(model=os.environ.get("OPENAI_MODEL", ""))
        return replace(config, models={"main": model})
    return replace(config, models={"documents": DocumentsSettings()})


def is_demo(config: Config) -> bool:
    """Tell whether no language model answers."""
    return all(isinstance(model, DocumentsSettings) for model in config.models.values())


def demo(config: Config) -> Iterator[str]:
    """Yield a line where customers would be told the opening hours of a shop that is made up."""
    for name, model in config.models.items():
        own = not isinstance(model, DocumentsSettings) or model.documents
        if not own and not documents(place_of(config).database):
            yield (f"models.{name} quotes the handbook of Lisa's Boutique, a demo, until "
                   "`parley knowledge add` gives it other documents")  # fmt: skip


def greet(config: Config, library: Path) -> None:
    """Say what answers here."""
    if not is_demo(config):
        return
    named = [model.documents for model in config.models.values()
             if isinstance(model, DocumentsSettings) and model.documents]  # fmt: skip
    count = documents(library)
    if count and not named:
        quoted = "your document" if count == 1 else f"your {count} documents"
        click.echo(f"No language model is configured: I only quote {quoted}.")
    elif named:
        added = " and what you added" if count else ""
        click.echo(f"No language model is configured: I only quote {', '.join(named)}{added}.")
    else:
        click.echo(
            "No language model is configured: I answer only by quoting the handbook of "
            "Lisa's Boutique, a demo. Try: when are you open?"
        )


async def _serve(config: Config, library: Path) -> Metrics:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return await serve(
        config, Secrets(), stop, drain_s=0.0, library=library
    )  # who leaves does not want to wait
