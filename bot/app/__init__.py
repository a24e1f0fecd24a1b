"""The composition root: the only place that names concrete classes.

Everything is opened in order and closed in reverse. Only what is configured is imported.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from bot.app.engine import DRAIN_S, assemble
from bot.app.platforms import platforms
from bot.backends.sqlite.store import opened
from bot.config import Config, Secrets
from bot.core.commands import CATALOGUE
from bot.core.health import Health
from bot.core.metrics import Metrics
from bot.domain.errors import ConfigError
from bot.ports.platform import Surroundings

__all__ = ["CATALOGUE", "database_path", "platforms", "serve"]


def database_path(config: Config) -> Path:
    """Return the file that the configuration names."""
    named = config.database.url.removeprefix("sqlite:///")
    return Path(named) if named else config.data_dir / "parley.db"


async def serve(
    config: Config, secrets: Secrets, stop: asyncio.Event, *, drain_s: float = DRAIN_S
) -> Metrics:
    """Run every enabled adapter until `stop` is set or none is left; then drain and count.

    Raises:
        ConfigError: no adapter is enabled, or the last one's token is refused.
        StoreError: the store cannot be opened.
    """
    known = platforms()
    enabled = [name for name, settings in config.adapters.items() if settings.enabled]
    if not enabled:
        raise ConfigError(
            "adapters: none is enabled; set `enabled = true` below [adapters.slack], "
            "[adapters.discord] or [adapters.telegram]"
        )
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(database_path(config)))
        health = Health(now=time.time)
        surroundings = partial(
            Surroundings,
            bot_name=config.bot.name,
            streaming=config.chat.streaming,
            marks=store.records,
            secret=secrets.get,
        )
        adapters = {
            name: known[name].build(config.adapters[name], surroundings(pulse=health.pulse(name)))
            for name in enabled
        }
        for adapter in adapters.values():
            stack.push_async_callback(adapter.sender.close)
        engine = await assemble(config, secrets, store, adapters, stack)
        engine.drain_s = drain_s
        await engine.run(stop)
        return engine.dispatcher.metrics
