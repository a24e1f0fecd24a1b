"""Models as the configuration names them: imported late, wrapped, priced."""

import asyncio
import importlib
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from types import ModuleType

from bot.backends.openai.settings import OpenAISettings, address, host_of, loopback
from bot.config import Config, Secrets
from bot.config.sections import ModelSettings
from bot.core.health import Health
from bot.core.models import Breaker, Deferred, Fallback, Redacted
from bot.ports.model import Model

ANSWER_ROOM = 1024  # tokens of a model's context that are kept for an answer of unknown length


def deferred(config: Config, secrets: Secrets, stack: AsyncExitStack) -> dict[str, Deferred]:
    """Begin to open every configured model; `stack` closes them."""
    return {name: Deferred(_opened(name, config, secrets, stack)) for name in config.models}


def with_breakers(models: Mapping[str, Model], health: Health) -> dict[str, Model]:
    """Let each model rest while it fails, and let operators see it."""
    breakers = {name: Breaker(name, model) for name, model in models.items()}
    health.models = breakers
    return dict(breakers)


def with_fallbacks(config: Config, models: Mapping[str, Model]) -> dict[str, Model]:
    """Wrap each model with those of the configured fallbacks behind it that are among them."""
    chain = [(name, models[name]) for name in config.chat.fallbacks if name in models]
    if not chain:
        return dict(models)
    return {
        name: Fallback([(name, model), *(pair for pair in chain if pair[0] != name)])
        for name, model in models.items()
    }


def redacts(config: Config, url: str) -> bool:
    """Tell whether personal data is hidden from a server."""
    redact = config.privacy.redact
    return redact == "always" or (redact == "remote" and not loopback(host_of(url)))


def rooms(config: Config) -> dict[str, int]:
    """Return how many tokens of prompt each model takes, where its context is configured."""
    return {
        name: settings.context_tokens - (settings.max_output_tokens or ANSWER_ROOM)
        for name, settings in config.models.items()
        if isinstance(settings, OpenAISettings) and settings.context_tokens
    }


def about(settings: ModelSettings) -> str:
    """Describe a model in one line, for people."""
    if isinstance(settings, OpenAISettings):
        return ", ".join(_facts(settings))
    return (
        "no language model, only quotes; to connect one: "
        "`OPENAI_BASE_URL=http://127.0.0.1:11434/v1 OPENAI_MODEL=llama3.2 make chat`"
    )


def _facts(settings: OpenAISettings) -> Iterator[str]:
    """Yield what people may want to know before they choose a model."""
    yield settings.model or "the first model that the server lists"
    if settings.context_tokens:
        yield f"{settings.context_tokens:,} tokens"
    if settings.vision:
        yield "sees pictures"
    if settings.price_input or settings.price_output:
        prices = f"{settings.price_input:g} USD in and {settings.price_output:g} USD out"
        yield f"{prices} per million tokens"


async def _opened(name: str, config: Config, secrets: Secrets, stack: AsyncExitStack) -> Model:
    settings = config.models[name]
    if isinstance(settings, OpenAISettings):
        module = await _imported("bot.backends.openai.model")
        model = module.OpenAIModel(name, settings, look_up=secrets.find)
        await model.open()
        stack.push_async_callback(model.close)
        hides = redacts(config, address(settings, secrets.find))
        return Redacted(model) if hides else model
    module = await _imported("bot.backends.documents")
    return module.DocumentsModel.read(settings.documents)  # type: ignore[no-any-return]


async def _imported(name: str) -> ModuleType:
    """Import in a thread: an SDK takes up to a second, and the platforms connect meanwhile."""
    return await asyncio.to_thread(importlib.import_module, name)
