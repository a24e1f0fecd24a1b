"""Memory as the configuration wants it: what is read back, and who sums it up."""

from collections.abc import Mapping

from bot.app.models import rooms, with_fallbacks
from bot.backends.openai.settings import OpenAISettings
from bot.backends.sqlite.store import SqliteStore
from bot.config import Config
from bot.core.memory import Recall, Summarising
from bot.core.memory.meaning import ByMeaning
from bot.ports.embedder import Embedder
from bot.ports.model import Model
from bot.ports.tokens import TokenCounter


def summarising_of(
    config: Config, store: SqliteStore, models: Mapping[str, Model], tokens: TokenCounter,
    embedder: Embedder | None,
) -> Summarising:  # fmt: skip
    """Let models that write sum up, also as fallbacks; one that only quotes documents cannot."""
    writing = {
        name: model
        for name, model in models.items()
        if isinstance(config.models[name], OpenAISettings)
    }
    return Summarising(
        recall=Recall(
            memory=store.records,
            tokens=tokens,
            summaries=store.summaries,
            meaning=ByMeaning(lines=store.meanings, embedder=embedder) if embedder else None,
        ),
        summaries=store.summaries,
        models=with_fallbacks(config, writing),
        timeout_s=config.turns.timeout_s,
        rooms=rooms(config),
    )
