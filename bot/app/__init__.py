"""The composition root: the only place that names concrete classes.

Everything is opened in order and closed in reverse. Only what is configured is imported.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from bot.app.assembly import Outside
from bot.app.engine import DRAIN_S, assemble
from bot.app.operations import Operations, operated
from bot.app.platforms import platforms
from bot.app.policies import asks_for_roles
from bot.backends.sqlite.store import SqliteStore, opened
from bot.config import Config, Secrets
from bot.core.commands import CATALOGUE
from bot.core.health import Health
from bot.core.metrics import Metrics
from bot.domain.errors import ConfigError
from bot.ops.place import Place
from bot.ops.watchdog import watching
from bot.ports.platform import Adapter, Surroundings

__all__ = ["CATALOGUE", "place_of", "platforms", "serve"]


def place_of(config: Config) -> Place:
    """Return where the configuration lets files be."""
    return Place(data_dir=config.data_dir, url=config.database.url)


async def serve(
    config: Config,
    secrets: Secrets,
    stop: asyncio.Event,
    *,
    drain_s: float = DRAIN_S,
    library: Path | None = None,
    reread: Callable[[], Config] | None = None,
) -> Metrics:
    """Run every enabled adapter until `stop` is set or none is left; then drain and count.

    With `reread`, which reads its configuration again when an admin asks for it, a bot has a
    control socket, and a port for health and metrics if one is set; `library` is a database whose
    documents it leans on, if not its own.

    Raises:
        ConfigError: no adapter is enabled, the last one's token is refused, a port is taken.
        StoreError: the store cannot be opened, or was moved or deleted.
    """
    enabled = [name for name, settings in config.adapters.items() if settings.enabled]
    if not enabled:
        raise ConfigError(
            "adapters: none is enabled; set `enabled = true` below [adapters.slack], "
            "[adapters.discord] or [adapters.telegram]"
        )
    place = place_of(config)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(place.database, library=library))
        health = Health(now=time.time)
        adapters = _built(enabled, config, secrets, store, health)
        for adapter in adapters.values():
            stack.push_async_callback(adapter.sender.close)
        outside = Outside(
            health=health, reread=reread, secrets=secrets.seen, descriptors=platforms()
        )
        engine = await assemble(config, secrets, store, adapters, stack, outside)
        engine.drain_s = drain_s
        metrics = engine.dispatcher.metrics
        if reread:
            operations = Operations(
                store=store, health=health, metrics=metrics, stop=stop,
                forget=engine.keeping.forgetting.forget,
                knowledge=engine.knowledge,
            )  # fmt: skip
            running = operated(operations, engine, place, config.http)
            await stack.enter_async_context(running)
        with watching():
            await engine.run(stop)
        return metrics


def _built(
    enabled: list[str], config: Config, secrets: Secrets, store: SqliteStore, health: Health
) -> dict[str, Adapter]:
    known = platforms()
    surroundings = partial(
        Surroundings,
        bot_name=config.bot.name,
        streaming=config.chat.streaming,
        marks=store.records,
        secret=secrets.get,
    )
    return {
        name: known[name].build(
            config.adapters[name],
            surroundings(pulse=health.pulse(name), roles=asks_for_roles(config, name)),
        )
        for name in enabled
    }
