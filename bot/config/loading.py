"""From file and environment to one checked `Config`."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from bot.backends.openai import settings as openai_settings
from bot.backends.openai.settings import OpenAISettings
from bot.config import reader as reading
from bot.config.reader import Reader
from bot.config.sections import MODEL_KINDS, SECTIONS, Config, ModelSettings, PersonaSettings
from bot.domain.errors import ConfigError
from bot.domain.policy import AccessPolicy, MemoryPolicy
from bot.ports.platform import Descriptor

CHANNEL_KEYS = ("persona", "model", "memory", "access")


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
    reading.overlay(raw, environment)
    reader = Reader()
    reader.refuse_tokens(raw)
    config = _read(raw, reader, platforms)
    reader.problems += _contradictions(config)
    if reader.problems:
        raise ConfigError("\n".join(reader.problems))
    return config


def _read(raw: Mapping[str, Any], reader: Reader, platforms: Mapping[str, Descriptor]) -> Config:
    top = reader.known(raw, ("config_version", *(f.name for f in fields(Config))), "")
    if top.pop("config_version", 1) != 1:
        reader.problems.append("config_version: only 1 is known; update Parley or write 1")
    values: dict[str, Any] = {
        name: reader.section(kind, top.get(name, {}), name) or kind()
        for name, kind in SECTIONS.items()
    }
    if "data_dir" in top:
        values["data_dir"] = Path(str(top["data_dir"])).expanduser()
    values["models"] = _present(
        (name, _model(reader, table, f"models.{name}"))
        for name, table in reader.tables(top, "models").items()
    )
    values["personas"] = _present(
        (name, reader.section(PersonaSettings, table, f"personas.{name}"))
        for name, table in reader.tables(top, "personas").items()
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


def _present(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in pairs if value is not None}


def _model(reader: Reader, raw: Any, key: str) -> ModelSettings | None:
    table = dict(raw) if isinstance(raw, Mapping) else {}
    kind = table.pop("kind", None)
    if kind not in MODEL_KINDS:
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
    kinds: Mapping[str, type[Any]] = {"memory": MemoryPolicy, "access": AccessPolicy}
    for name, kind in kinds.items():
        if name in table:
            read = reader.section(kind, table[name], f"{key}.{name}")
            given = table[name] if read is not None else ()
            table[name] = {setting: getattr(read, setting) for setting in given}
    return table


def _contradictions(config: Config) -> Iterable[str]:
    models = ", ".join(config.models) or "none"
    chosen = [("chat.model", config.chat.model)]
    chosen += [("chat.fallbacks", name) for name in config.chat.fallbacks]
    for pattern, table in config.channels.items():
        key = reading.join("channels", pattern)
        chosen.append((f"{key}.model", table.get("model", "")))
        persona = table.get("persona", "default")
        if persona != "default" and persona not in config.personas:
            yield f"{key}.persona: there is no persona {persona!r}; add [personas.{persona}]"
    for key, name in chosen:
        if name and name not in config.models:
            yield f"{key}: there is no model {name!r}; known are {models}"
    if not config.chat.model and len(config.models) > 1:
        yield f"chat.model: several models are configured; name one of {models}"
    if config.database.url and not config.database.url.startswith("sqlite:///"):
        yield "database.url: only sqlite:///PATH is supported; leave it out for the default"
    if config.memory.max_tokens < 64:
        yield f"memory.max_tokens: {config.memory.max_tokens} is too small; write 64 or more"
