"""What is right in each section by itself and yet cannot work: names, places, sizes, addresses."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from bot.backends.openai.settings import host_of, loopback
from bot.config.reader import advice, join
from bot.config.sections import Config, TurnSettings
from bot.domain.policy import AccessPolicy, MemoryPolicy

YEAR = 31_536_000  # seconds
LEAST_MEMORY = 64  # tokens: less does not hold one exchange
EXAMPLE = 'platform:workspace:user, like "slack:T012:U345" or "telegram::42"'


def contradictions(
    config: Config, raw: Mapping[str, Any], platforms: Iterable[str]
) -> Iterator[str]:
    """Yield one line per problem; `raw` still has the names of tables that could not be read."""
    known = tuple(platforms)
    yield from _models(config, _names(raw, "models"))
    yield from _personas(config, _names(raw, "personas"))
    yield from _sizes(config)
    yield from _people(config, known)
    yield from _channels(config, known)
    yield from _clear_text(config)
    if config.database.url and not config.database.url.startswith("sqlite:///"):
        yield "database.url: only sqlite:///PATH is supported; leave it out for the default"


def _names(raw: Mapping[str, Any], key: str) -> tuple[str, ...]:
    table = raw.get(key)
    return tuple(table) if isinstance(table, Mapping) else ()


def _models(config: Config, names: tuple[str, ...]) -> Iterator[str]:
    chosen = [("chat.model", config.chat.model)]
    chosen += [("chat.fallbacks", name) for name in config.chat.fallbacks]
    for pattern, table in config.channels.items():
        chosen.append((f"{join('channels', pattern)}.model", table.get("model", "")))
    known = ", ".join(names) or "none"
    for key, name in chosen:
        if name and name not in names:
            yield f"{key}: there is no model {name!r}; known are {known}"
    if not config.chat.model and len(names) > 1:
        yield f"chat.model: several models are configured; name one of {known}"


def _personas(config: Config, names: tuple[str, ...]) -> Iterator[str]:
    for pattern, table in config.channels.items():
        persona = table.get("persona", "default")
        if persona not in ("default", *names):
            key = join("channels", pattern)
            yield f"{key}.persona: there is no persona {persona!r}; add [personas.{persona}]"


def _sizes(config: Config) -> Iterator[str]:
    for key, memory in _everywhere(config, "memory", MemoryPolicy()):
        if memory["max_tokens"] < LEAST_MEMORY:
            size = memory["max_tokens"]
            yield f"{key}.max_tokens: {size} is too small; write {LEAST_MEMORY} or more"
        if memory["window"] < 1:
            yield f"{key}.window: {memory['window']} is too small; write 1 or more"
    yield from _turns(config.turns)
    if not 0 <= config.http.port <= 65535:
        yield f"http.port: {config.http.port} is no port; write 1 to 65535, or 0 for none"
    if not config.http.host:
        yield "http.host: is empty; write 127.0.0.1 for this machine, 0.0.0.0 for everybody"


def _turns(turns: TurnSettings) -> Iterator[str]:
    if not turns.timeout_s > 0:
        yield f"turns.timeout_s: {turns.timeout_s:g} is not above 0; 300 is usual"
    for name in ("attempts", "waiting"):
        if getattr(turns, name) < 1:
            yield f"turns.{name}: {getattr(turns, name)} is too small; write 1 or more"
    for name, most in (("debounce_ms", 60_000), ("edits_within_s", YEAR), ("stale_after_s", YEAR)):
        value = getattr(turns, name)
        if not 0 <= value <= most:
            yield f"turns.{name}: {value:g} is not between 0 and {most}"


def _people(config: Config, platforms: tuple[str, ...]) -> Iterator[str]:
    """A name that never matches anybody is a mistake, and a silent one."""
    named = [("bot.admins", admin, admin.count(":") == 2) for admin in config.bot.admins]
    for key, access in _everywhere(config, "access", AccessPolicy()):
        named += [(f"{key}.{name}", entry, True)
                  for name in ("allow", "block") for entry in access[name]]  # fmt: skip
    for key, name, whole in named:
        if not whole or name.endswith(":") or name.partition(":")[0] not in platforms:
            yield f"{key}: {name!r} names nobody; write {EXAMPLE}"


def _channels(config: Config, platforms: tuple[str, ...]) -> Iterator[str]:
    for pattern in config.channels:
        key, (platform, *rest) = join("channels", pattern), pattern.split(":")
        if platform not in platforms:
            yield f"{key}: there is no platform {platform!r}; {advice(platform, platforms)}"
        elif len(rest) > 3 or (rest and not rest[-1]):
            yield f"{key}: is no place; write platform:workspace:channel, without a colon behind it"


def _clear_text(config: Config) -> Iterator[str]:
    """Tokens travel to every address that an adapter is given: in clear only on this machine."""
    for name, settings in config.adapters.items():
        for key, value in asdict(settings).items():
            clear = isinstance(value, str) and value.startswith(("http://", "ws://"))
            if clear and not loopback(host_of(value)):
                secure = value.split("://")[0] + "s://"
                yield f"adapters.{name}.{key}: would send the token in clear; use {secure}"


def _everywhere(config: Config, name: str, default: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a policy with its key: that of all channels, then what single channels change."""
    yield name, asdict(getattr(config, name))
    for pattern, table in config.channels.items():
        if name in table:
            yield f"{join('channels', pattern)}.{name}", {**asdict(default), **table[name]}
