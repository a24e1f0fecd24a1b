"""The work of `parley run`: a checked configuration, then the bot until it is told to stop."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.app import platforms, serve
from bot.app.engine import DRAIN_S
from bot.backends.openai.settings import OFFICIAL, OpenAISettings, address
from bot.cli.options import found, run_until_done
from bot.config import Config, Secrets, load
from bot.config.moderation import guards_of
from bot.domain.errors import ConfigError
from bot.ops import logs
from bot.ports.platform import Secret

log = logging.getLogger(__name__)
SAME = 0.5  # seconds in which several signals count as one: some tools send two


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
    reread = partial(load, found(path), platforms())
    run_until_done(_serve(config, secrets, reread))


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
    if "openai" in guards_of(config) and not config.moderating.base_url:
        needed = Secret(
            key="moderation.api_key_env",
            variable=config.moderating.api_key_env,
            hint="put the key into it, or set moderation.base_url for a server without keys",
        )
        problems += secrets.problems((needed,))
    return problems


async def _serve(config: Config, secrets: Secrets, reread: Callable[[], Config]) -> None:
    ending = _Ending(asyncio.Event())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.ask, number)
    await serve(config, secrets, ending.stop, reread=reread)


@dataclass(slots=True)
class _Ending:
    """The end as people ask for it."""

    stop: asyncio.Event
    asked: float = 0.0  # on the monotonic clock

    def ask(self, number: int) -> None:
        """Begin to drain; who asks again later does not want to wait, and loses nothing by it."""
        if not self.stop.is_set():
            log.info("stopping; running answers have %g s to end", DRAIN_S)
            self.asked = time.monotonic()
            self.stop.set()
        elif time.monotonic() - self.asked > SAME:
            log.warning("stopping at once; what is not answered now is answered after the start")
            os._exit(128 + number)
