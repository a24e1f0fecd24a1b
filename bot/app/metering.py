"""Metering as the configuration wants it: who has which budget, what each model costs."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.backends.openai.settings import OpenAISettings
from bot.backends.sqlite.store import SqliteStore
from bot.backends.tokens.o200k import O200kCounter
from bot.config import Config
from bot.config.sections import ModelSettings
from bot.core.identity import Identity
from bot.core.limits import LimitKeeper
from bot.core.metering import Metering
from bot.core.metrics import Metrics
from bot.core.models import Deferred, Metered
from bot.core.reserving import Reserving
from bot.domain.budgets import Tariff
from bot.domain.dialogue import SOUND_TOKENS
from bot.ports.model import Model


async def metering_of(config: Config, store: SqliteStore) -> Metering:
    """Read which limits were set in chat, and meter every call by all of them."""
    limits = LimitKeeper(budgets=config.budgets, accounts=store.ledger)
    await limits.load()
    return Metering(
        reserving=Reserving(ledger=store.ledger),
        limits=limits,
        tokens=O200kCounter(),
        identity=Identity(await store.people.key("people")),
        metrics=Metrics(),
    )


def metered(config: Config, models: Mapping[str, Deferred], metering: Metering) -> dict[str, Model]:
    """Let every call of every model pass the ledger."""
    return {
        name: Metered(model, tariff(name, config.models[name]), metering)
        for name, model in models.items()
    }


def prices(config: Config) -> Callable[[str, int, int], float]:
    """Return what tokens in and out of a model cost, in USD; nothing for a model that is gone."""
    tariffs = {name: tariff(name, settings) for name, settings in config.models.items()}
    unknown = Tariff(model="")
    return lambda model, given, said: tariffs.get(model, unknown).cost(given, said)


def hearing_tariff(name: str, settings: ModelSettings) -> Tariff:
    """Return what it costs when a model writes recordings down: by the minute, else by tokens."""
    usual = tariff(name, settings)
    if not (isinstance(settings, OpenAISettings) and settings.price_minute):
        return usual
    per_million = settings.price_minute * 1_000_000 / (60 * SOUND_TOKENS)
    return replace(usual, price_input=per_million, price_output=0.0)


def tariff(name: str, settings: ModelSettings) -> Tariff:
    """Return what a model costs."""
    if not isinstance(settings, OpenAISettings):
        return Tariff(model=name, counts=False)
    return Tariff(
        model=name,
        price_input=settings.price_input,
        price_output=settings.price_output,
        longest=settings.max_output_tokens,
    )
