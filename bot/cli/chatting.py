"""The work of `parley chat`: a configuration or the demo, then a conversation until its end."""

import asyncio
import os
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bot.app import platforms, serve
from bot.backends.openai.settings import OpenAISettings
from bot.cli.options import found, run_until_done
from bot.config import Config, DocumentsSettings, Secrets, load
from bot.config.sections import DatabaseSettings
from bot.core.metrics import Metrics
from bot.domain.policy import AccessPolicy
from bot.ops import logs

OPEN = AccessPolicy(dm_policy="open", group_policy="open")


def talk(path: Path | None, once: str, name: str, *, debug: bool) -> bool:
    """Talk until the input ends; returns False when the one question was declined.

    Raises:
        ConfigError: with one line for each problem.
        StoreError: the store cannot be used.
    """
    config = with_models(load(found(path), platforms()))
    logs.configure("debug" if debug else "error", "text")
    console: Any = platforms()["console"].settings(enabled=True, once=once, name=name)
    config = replace(config, adapters={"console": console}, access=OPEN)
    if sys.stdin.isatty() and not once:
        greet(config)
    with tempfile.TemporaryDirectory() as scratch:
        # One answer needs no memory. A conversation keeps its own, beside that of `parley run`, and
        # the demo's refusals are nothing that a language model should read later.
        kept = config.data_dir / ("chat-demo" if is_demo(config) else "chat")
        folder = Path(scratch) if once else kept
        config = replace(config, data_dir=folder, database=DatabaseSettings())
        metrics = run_until_done(_serve(config))
    return not (once and metrics.turns["declined"])


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


def greet(config: Config) -> None:
    """Say what answers here."""
    if is_demo(config):
        click.echo(
            "No language model is configured: I answer only by quoting the handbook of "
            "Lisa's Boutique, a demo. Try: when are you open?"
        )


async def _serve(config: Config) -> Metrics:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return await serve(config, Secrets(), stop, drain_s=0.0)  # who leaves does not want to wait
