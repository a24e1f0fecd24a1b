"""What is right in each section by itself and yet cannot work: names, places, sizes, addresses."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.backends.openai.settings import OpenAISettings, host_of, loopback
from bot.config import budgets, chains, knowledge, moderation
from bot.config.reader import advice, join
from bot.config.sections import Config, TurnSettings
from bot.domain.attachments import FileSettings
from bot.domain.hours import Spell
from bot.domain.outgoing import OutgoingPolicy
from bot.domain.permissions import ROLES
from bot.domain.policy import AccessPolicy, MemoryPolicy
from bot.ports.platform import Descriptor

YEAR = 31_536_000  # seconds
LARGEST_FILE = 100_000_000  # bytes: each is held in memory
LEAST_MEMORY = 64  # tokens: less does not hold one exchange
HOST = re.compile(r"(?:\*\.)?(?:[\w-]+\.)+[\w-]+", re.ASCII)
PLACE_EXAMPLE = 'platform:workspace:channel, like "slack:T012:C345"'
ROLE_EXAMPLE = 'platform:place:@role, like "discord:99:@1234" or "telegram::-100:@administrator"'
EXAMPLE = 'platform:workspace:user, like "slack:T012:U345" or "telegram::42"'


def contradictions(
    config: Config, raw: Mapping[str, Any], platforms: Mapping[str, Descriptor]
) -> Iterator[str]:
    """Yield one line per problem; `raw` still has the names of tables that could not be read."""
    known = tuple(platforms)
    yield from _models(config, _names(raw, "models"))
    yield from _personas(config, _names(raw, "personas"))
    yield from _sizes(config)
    yield from _people(config, known)
    yield from _handover(config, known)
    yield from _channels(config, known)
    yield from _clear_text(config)
    yield from moderation.problems(config, _names(raw, "models"), platforms)
    yield from budgets.problems(config)
    yield from chains.problems(config, _names(raw, "models"), _names(raw, "chains"))
    yield from knowledge.problems(config, _names(raw, "models"))
    if config.database.url and not config.database.url.startswith("sqlite:///"):
        yield "database.url: only sqlite:///PATH is supported; leave it out for the default"


def remarks(config: Config) -> Iterator[str]:
    """Yield one line for what works, but hardly as it was meant."""
    wanted = config.memory.max_tokens
    for name, model in config.models.items():
        room = model.context_tokens if isinstance(model, OpenAISettings) else None
        if room is not None and wanted > room:
            yield (
                f"memory.max_tokens: {wanted} tokens do not fit into models.{name}, which takes "
                f"{room}; it is shown less"
            )
    yield from _memories(config)


def _memories(config: Config) -> Iterator[str]:
    """A kind of memory that lacks what makes it one behaves like another, and is to be known."""
    places = [("memory", {}), *((join("channels", p), t) for p, t in config.channels.items())]
    for key, table in places:
        if table and not {"memory", "model"} & table.keys():
            continue
        memory = asdict(config.memory) | table.get("memory", {})
        name = memory["summary_model"] or table.get("model") or config.chat.model
        name = name or next(iter(config.models), "")
        writes = isinstance(config.models.get(name), OpenAISettings)
        if memory["kind"] == "summary" and name in config.models and not writes:
            yield f"{key}: models.{name} cannot sum up; kind summary shows the newest lines only"
        if memory["kind"] == "recall" and config.library.embedder == "none":
            yield (
                f"{key}: kind recall finds older lines by their words alone; "
                "set knowledge.embedder to find them by meaning"
            )


def _names(raw: Mapping[str, Any], key: str) -> tuple[str, ...]:
    table = raw.get(key)
    return tuple(table) if isinstance(table, Mapping) else ()


def _models(config: Config, names: tuple[str, ...]) -> Iterator[str]:
    chosen = [("chat.model", config.chat.model)]
    chosen += [("chat.fallbacks", name) for name in config.chat.fallbacks]
    for pattern, table in config.channels.items():
        chosen.append((f"{join('channels', pattern)}.model", table.get("model", "")))
    for key, memory in _everywhere(config, "memory", MemoryPolicy()):
        chosen.append((f"{key}.summary_model", memory["summary_model"]))
    chosen.append(("files.transcriber", config.files.transcriber))
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
        if memory["retention_days"] < 0:
            days = memory["retention_days"]
            yield f"{key}.retention_days: {days} is below 0; write 0 to remember nothing"
    for key, outgoing in _everywhere(config, "outgoing", OutgoingPolicy()):
        yield from _outgoing(key, outgoing)
    yield from _turns(config.turns)
    yield from _files(config.files)
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


def _files(files: FileSettings) -> Iterator[str]:
    for name, most in (("max_files", 100), ("max_bytes", LARGEST_FILE)):
        value = getattr(files, name)
        if not 1 <= value <= most:
            yield f"files.{name}: {value} is not between 1 and {most}"
    if files.enabled and not files.types:
        yield "files.types: is empty; write some, or enabled = false"


def _outgoing(key: str, outgoing: Mapping[str, Any]) -> Iterator[str]:
    if outgoing["limit"] < 1:
        yield f"{key}.limit: {outgoing['limit']} is too small; write 1 or more"
    for host in outgoing["hosts"]:
        if not HOST.fullmatch(host):
            yield f"{key}.hosts: {host!r} is no host; write it like example.com"


def _people(config: Config, platforms: tuple[str, ...]) -> Iterator[str]:
    """A name that never matches anybody is a mistake, and a silent one."""
    named = [("bot.admins", admin, admin.count(":") == 2) for admin in config.bot.admins]
    for key, access in _everywhere(config, "access", AccessPolicy()):
        named += [(f"{key}.{name}", entry, True)
                  for name in ("allow", "block") for entry in access[name]]  # fmt: skip
    for role in ROLES:
        named += [(f"roles.{role}", entry, entry.count(":") == 2 or ":@" in entry)
                  for entry in getattr(config.roles, role)]  # fmt: skip
    for collection, settings in config.collections.items():
        named += [(f"{join('collections', collection)}.readers", entry,
                   entry.count(":") == 2 or ":@" in entry)
                  for entry in settings.readers if entry not in ROLES]  # fmt: skip
    for key, name, whole in named:
        place, _, given = name.partition(":@")
        if given and not place.partition(":")[2].strip(":"):
            yield f"{key}: {name!r} would hold in every workspace; write {ROLE_EXAMPLE}"
        elif not whole or name.endswith(":") or not _matches(name, platforms):
            also = 'a role like "member", or ' if key.endswith(".readers") else ""
            yield f"{key}: {name!r} names nobody; write {also}{EXAMPLE}"


def _matches(name: str, platforms: tuple[str, ...]) -> bool:
    """Tell whether a name can be anybody's; Telegram has no workspaces that could be named."""
    platform, *rest = name.split(":")
    return platform in platforms and not (platform == "telegram" and rest and rest[0])


def _handover(config: Config, platforms: tuple[str, ...]) -> Iterator[str]:
    settings = config.handover
    platform, *rest = settings.channel.split(":")
    if settings.channel and (platform not in platforms or not 2 <= len(rest) <= 3 or not rest[1]):
        yield f"handover.channel: {settings.channel!r} is no place; write {PLACE_EXAMPLE}"
    elif settings.channel and not getattr(config.adapters.get(platform), "enabled", False):
        enable = f"set adapters.{platform}.enabled = true"
        yield f"handover.channel: {platform} is not enabled; {enable}"
    for line in settings.hours:
        try:
            Spell.read(line)
        except ValueError as error:
            yield f"handover.hours: {line!r}: {error}"
    try:
        ZoneInfo(settings.timezone)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        yield f"handover.timezone: {settings.timezone!r} is unknown; write one like Europe/Berlin"
    if not settings.timeout_h > 0:
        yield f"handover.timeout_h: {settings.timeout_h:g} is not above 0; 24 is usual"


def _channels(config: Config, platforms: tuple[str, ...]) -> Iterator[str]:
    places = [(join("channels", pattern), pattern) for pattern in config.channels]
    places += [(f"{join('collections', name)}.places", place)
               for name, settings in config.collections.items()
               for place in settings.places]  # fmt: skip
    for key, pattern in places:
        platform, *rest = pattern.split(":")
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
