"""From file and environment to one checked `Config`."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from bot.backends.openai import settings as openai_settings
from bot.backends.openai.settings import OpenAISettings
from bot.config import reader as reading
from bot.config.contradictions import contradictions
from bot.config.reader import Reader
from bot.config.sections import (
    CHANNEL_KEYS,
    MODEL_KINDS,
    SECTIONS,
    Config,
    KnowledgeSettings,
    ModelSettings,
    ModerationSettings,
    PersonaSettings,
)
from bot.domain.chains import ChainSettings
from bot.domain.errors import ConfigError
from bot.domain.knowledge import CollectionSettings
from bot.domain.outgoing import OutgoingPolicy
from bot.domain.policy import AccessPolicy, KnowledgePolicy, MemoryPolicy, ModerationPolicy
from bot.ports.platform import Descriptor

BOTH: Mapping[str, tuple[str, type[Any], type[Any]]] = {  # and where the rest of the table goes
    "moderation": ("moderating", ModerationPolicy, ModerationSettings),
    "knowledge": ("library", KnowledgePolicy, KnowledgeSettings),
}
TABLES = tuple(f.name for f in fields(Config) if f.name not in ("moderating", "library"))


def load(
    path: Path | None,
    platforms: Mapping[str, Descriptor],
    environment: Mapping[str, str] = os.environ,
) -> Config:
    """Read and check a configuration; without a file the defaults and the environment count.

    Raises:
        ConfigError: with one line for each problem.
    """
    raw = reading.parsed(path)
    reader = Reader()
    reader.problems += reading.overlay(raw, environment)
    raw = reader.without_tokens(raw)
    config = _read(raw, reader, platforms)
    reader.problems += contradictions(config, raw, platforms)
    if reader.problems:
        raise ConfigError("\n".join(reader.problems))
    return config


def _read(raw: Mapping[str, Any], reader: Reader, platforms: Mapping[str, Descriptor]) -> Config:
    top = reader.known(raw, ("config_version", *TABLES), "")
    if str(top.pop("config_version", 1)) != "1":
        reader.problems.append("config_version: only 1 is known; update Parley or write 1")
    values: dict[str, Any] = {
        name: reader.section(kind, top.get(name, {}), name) or kind()
        for name, kind in SECTIONS.items()
    }
    if "data_dir" in top:
        values["data_dir"] = Path(reader.text(top["data_dir"], "data_dir") or "data").expanduser()
    for key, (rest, *_) in BOTH.items():
        values[key], values[rest] = _both(reader, top.get(key, {}), key)
    values["models"] = _present(
        (name, _model(reader, table, reading.join("models", name)))
        for name, table in reader.tables(top, "models").items()
    )
    values["personas"] = _present(
        (name, reader.section(PersonaSettings, table, reading.join("personas", name)))
        for name, table in reader.tables(top, "personas").items()
    )
    values["chains"] = _present(
        (name, reader.section(ChainSettings, table, reading.join("chains", name)))
        for name, table in reader.tables(top, "chains").items()
    )
    values["collections"] = _present(
        (name, reader.section(CollectionSettings, table, reading.join("collections", name)))
        for name, table in reader.tables(top, "collections").items()
    )
    adapters = reader.known(reader.tables(top, "adapters"), platforms, "adapters")
    values["adapters"] = _present(
        (name, reader.section(platforms[name].settings, table, f"adapters.{name}"))
        for name, table in adapters.items()
    )
    values["channels"] = {
        pattern: _channel(reader, table, reading.join("channels", pattern))
        for pattern, table in reader.tables(top, "channels").items()
    }
    return Config(**values)


def _both(reader: Reader, raw: Any, key: str) -> tuple[Any, Any]:
    """Read one table as two: what may differ from place to place, and what is one for all."""
    policy, settings = BOTH[key][1:]
    names = {kind: [f.name for f in fields(kind)] for kind in (policy, settings)}
    if not isinstance(raw, Mapping):
        reader.section(policy, raw, key)
        return policy(), settings()
    table = reader.known(raw, [name for known in names.values() for name in known], key)

    def part(kind: type[Any]) -> Any:
        own = {name: table[name] for name in table if name in names[kind]}
        return reader.section(kind, own, key) or kind()

    return part(policy), part(settings)


def _present(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in pairs if value is not None}


def _model(reader: Reader, raw: Any, key: str) -> ModelSettings | None:
    table = dict(raw) if isinstance(raw, Mapping) else {}
    kind = table.pop("kind", None)
    if not isinstance(kind, str) or kind not in MODEL_KINDS:
        reader.problems.append(f"{key}.kind: is {kind!r}; write one of {', '.join(MODEL_KINDS)}")
        return None
    settings = reader.section(MODEL_KINDS[kind], table, key)
    if isinstance(settings, OpenAISettings):
        reader.problems += [f"{key}.{line}" for line in openai_settings.problems(settings)]
    return settings


def _channel(reader: Reader, raw: Any, key: str) -> dict[str, Any]:
    """Check one channel's overrides; of its tables only the keys that are given stay."""
    if not isinstance(raw, Mapping):
        reader.problems.append(f"{key}: should be a table; write [{key}] above its keys")
        return {}
    table = reader.known(raw, CHANNEL_KEYS, key)
    kinds: Mapping[str, type[Any]] = {
        "memory": MemoryPolicy,
        "access": AccessPolicy,
        "moderation": ModerationPolicy,
        "outgoing": OutgoingPolicy,
        "knowledge": KnowledgePolicy,
    }
    checked: dict[str, Any] = {}
    for name, value in table.items():
        if name in kinds:
            read = reader.section(kinds[name], value, f"{key}.{name}")
            given = [f.name for f in fields(kinds[name]) if f.name in value] if read else ()
            checked[name] = {setting: getattr(read, setting) for setting in given}
        elif (text := reader.text(value, f"{key}.{name}")) is not None:
            checked[name] = text
    return checked
