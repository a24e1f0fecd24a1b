"""The work of `parley run`: a checked configuration, then the bot until it is told to stop."""

import asyncio
import logging
import os
import signal
from pathlib import Path

from bot.app import platforms, serve
from bot.backends.openai.settings import OFFICIAL, OpenAISettings, address
from bot.cli.options import found, run_until_done
from bot.config import Config, Secrets, load
from bot.domain.errors import ConfigError
from bot.ops import logs
from bot.ports.platform import Secret

log = logging.getLogger(__name__)


def run_adapters(path: Path | None, role: str, *, debug: bool) -> None:
    """Run every enabled adapter.

    Raises:
        ConfigError: with one line for each problem.
        StoreError: the store cannot be used.
    """
    if role != "all":
        raise ConfigError(f"--role {role}: the SQLite store has one process; use --role all")
    config = load(found(path), platforms())
    secrets = Secrets()
    problems = missing_secrets(config, secrets)
    if problems:
        raise ConfigError("\n".join(problems))
    if not config.models:
        raise ConfigError("models: none is configured; add a table like [models.main]")
    logs.configure("debug" if debug else config.logging.level, config.logging.format)
    run_until_done(_serve(config, secrets))


def missing_secrets(config: Config, secrets: Secrets) -> list[str]:
    """Return one line for each token that an enabled adapter or a model needs and does not find."""
    known = platforms()
    problems = [
        problem
        for name, settings in config.adapters.items()
        if settings.enabled
        for problem in secrets.problems(known[name].secrets(settings))
    ]
    for name, model in config.models.items():
        if isinstance(model, OpenAISettings) and address(model, secrets.find) == OFFICIAL:
            needed = Secret(
                key=f"models.{name}.api_key_env",
                variable=model.api_key_env,
                hint="put the key into it, or set base_url for a server without keys",
            )
            problems += secrets.problems((needed,))
    return problems


async def _serve(config: Config, secrets: Secrets) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _end, stop, number)
    await serve(config, secrets, stop, controlled=True)


def _end(stop: asyncio.Event, number: int) -> None:
    """Begin to drain; who asks a second time does not want to wait, and nothing is lost by it."""
    if stop.is_set():
        log.warning("stopping at once; what is not answered yet is answered after the next start")
        os._exit(128 + number)
    stop.set()
