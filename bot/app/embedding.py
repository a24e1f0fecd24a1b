"""The embedder as the configuration names it: imported late, wrapped, priced."""

import asyncio
import importlib
from contextlib import AsyncExitStack
from types import ModuleType

from bot.app.models import redacts
from bot.backends.embeddings import MINILM
from bot.backends.openai.settings import OpenAISettings, address, vectors_name
from bot.config import Config, Secrets
from bot.config.knowledge import INSTALL_LOCAL
from bot.core.embedders import (
    DeferredEmbedder,
    MeteredEmbedder,
    RedactedEmbedder,
    RestingEmbedder,
)
from bot.core.metering import Metering
from bot.domain.budgets import Tariff
from bot.domain.errors import ConfigError
from bot.ports.embedder import Embedder, PaidEmbedder


def embedder_of(
    config: Config, secrets: Secrets, metering: Metering, stack: AsyncExitStack
) -> DeferredEmbedder | None:
    """Begin to open the configured embedder; `stack` closes it. None: there is none.

    Its `ready` raises ConfigError when it cannot work. The local one is not metered: it costs
    nothing, and nothing that it reads leaves the machine.
    """
    name = config.library.embedder
    if name == "none":
        return None
    if name == "local":
        return local()
    settings = config.models[name]
    if not isinstance(settings, OpenAISettings):
        raise ConfigError(f"knowledge.embedder: {name!r} makes no vectors")
    tariff = Tariff(model=name, price_input=settings.price_input, longest=0)

    async def metered() -> Embedder:
        server = await _server(name, settings, secrets, stack)
        hides = redacts(config, address(settings, secrets.find))
        paid = MeteredEmbedder(RedactedEmbedder(server) if hides else server, tariff, metering)
        return RestingEmbedder(paid)

    return DeferredEmbedder(vectors_name(settings), metered())


def local() -> DeferredEmbedder:
    """Begin to open the embedder of this machine."""
    return DeferredEmbedder(MINILM, _local())


async def _server(
    name: str, settings: OpenAISettings, secrets: Secrets, stack: AsyncExitStack
) -> PaidEmbedder:
    module = await _imported("bot.backends.openai.embedder")
    server = module.OpenAIEmbedder(name, settings, look_up=secrets.find)
    await server.open()
    stack.push_async_callback(server.close)
    return server  # type: ignore[no-any-return]


async def _local() -> Embedder:
    try:
        module = await _imported("bot.backends.embeddings.minilm")
    except ImportError as cause:
        raise ConfigError(f"knowledge.embedder: {cause}; {INSTALL_LOCAL}") from cause
    return await asyncio.to_thread(module.MiniLM.read)


async def _imported(name: str) -> ModuleType:
    """Import in a thread, since the platforms connect meanwhile."""
    return await asyncio.to_thread(importlib.import_module, name)
