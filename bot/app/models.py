"""Models as the configuration names them: imported late, wrapped, priced."""

import asyncio
import importlib
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from types import ModuleType

from bot.backends.openai.settings import OpenAISettings
from bot.config import Config, Secrets
from bot.config.sections import ModelSettings
from bot.core.models import Deferred, Fallback
from bot.domain.replies import Usage
from bot.ports.model import Model

ANSWER_ROOM = 1024  # tokens of a model's context that are kept for an answer of unknown length


def deferred(config: Config, secrets: Secrets, stack: AsyncExitStack) -> dict[str, Deferred]:
    """Begin to open every configured model; `stack` closes them."""
    return {
        name: Deferred(_opened(name, settings, secrets, stack))
        for name, settings in config.models.items()
    }


def with_fallbacks(config: Config, models: Mapping[str, Deferred]) -> dict[str, Model]:
    """Wrap each model with the configured fallbacks behind it."""
    if not config.chat.fallbacks:
        return dict(models)
    chain = [(name, models[name]) for name in config.chat.fallbacks]
    return {
        name: Fallback([(name, model), *(pair for pair in chain if pair[0] != name)])
        for name, model in models.items()
    }


def prices(config: Config) -> Callable[[Usage], float]:
    """Return a function from usage to USD."""
    table = {
        name: (settings.price_input, settings.price_output)
        for name, settings in config.models.items()
        if isinstance(settings, OpenAISettings)
    }

    def price(usage: Usage) -> float:
        given, said = table.get(usage.model, (0.0, 0.0))
        return (usage.input_tokens * given + usage.output_tokens * said) / 1_000_000

    return price


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
        return settings.model or "the first model that the server lists"
    return (
        "no language model, only quotes; to connect one: "
        "`OPENAI_BASE_URL=http://127.0.0.1:11434/v1 OPENAI_MODEL=llama3.2 make chat`"
    )


async def _opened(
    name: str, settings: ModelSettings, secrets: Secrets, stack: AsyncExitStack
) -> Model:
    if isinstance(settings, OpenAISettings):
        module = await _imported("bot.backends.openai.model")
        model = module.OpenAIModel(name, settings, look_up=secrets.find)
        await model.open()
        stack.push_async_callback(model.close)
        return model  # type: ignore[no-any-return]
    module = await _imported("bot.backends.documents")
    return module.DocumentsModel.read(settings.documents)  # type: ignore[no-any-return]


async def _imported(name: str) -> ModuleType:
    """Import in a thread: an SDK takes up to a second, and the platforms connect meanwhile."""
    return await asyncio.to_thread(importlib.import_module, name)
