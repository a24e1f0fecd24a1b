"""The sections of the configuration: frozen dataclasses, declared beside what they configure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bot.backends.openai.settings import OpenAISettings
from bot.domain.policy import AccessPolicy, MemoryPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsSettings:
    """A model that answers by quoting the operator's documents."""

    documents: str = ""  # a Markdown file or a folder of them; empty: the bundled handbook


ModelSettings = OpenAISettings | DocumentsSettings
MODEL_KINDS: Mapping[str, type[ModelSettings]] = {
    "openai": OpenAISettings,
    "documents": DocumentsSettings,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BotSettings:
    """Who the bot is and who runs it."""

    name: str = "Parley"
    system_prompt: str = (
        "You are {name}, a helpful assistant in a chat. Answer in the language of the question, "
        "briefly and correctly. Say so when you do not know something."
    )
    admins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """Where everything is stored."""

    url: str = ""  # empty: sqlite:///<data_dir>/parley.db


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings:
    """Which model answers, and how answers appear."""

    model: str = ""  # empty: the only model there is
    fallbacks: tuple[str, ...] = ()
    streaming: Literal["native", "edit", "off"] = "edit"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSettings:
    """How messages wait, and how long and how often an answer is tried."""

    timeout_s: float = 300.0
    attempts: int = 5
    debounce_ms: int = 0  # quick messages of one person within it are taken as one
    while_busy: Literal["queue", "merge", "interrupt"] = "queue"
    waiting: int = 100  # per conversation; further ones are told that the bot is busy
    edits_within_s: float = 600.0  # an edit of an answered message within it changes the answer
    stale_after_s: float = 21600.0  # what is older when its turn comes is not answered any more
    when_stale: Literal["say", "silent"] = "say"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModerationSettings:
    """Nothing is moderated yet; the key stands so that a configuration can say so."""

    provider: Literal["none"] = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Where health and metrics are shown; port 0 opens none."""

    host: str = "127.0.0.1"
    port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggingSettings:
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "text"] = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaSettings:
    """Another way to talk, chosen with `/persona` or per channel."""

    system_prompt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A checked configuration."""

    data_dir: Path = Path("data")
    database: DatabaseSettings = DatabaseSettings()
    bot: BotSettings = BotSettings()
    models: Mapping[str, ModelSettings] = field(default_factory=dict)
    chat: ChatSettings = ChatSettings()
    memory: MemoryPolicy = MemoryPolicy()
    turns: TurnSettings = TurnSettings()
    access: AccessPolicy = AccessPolicy()
    moderation: ModerationSettings = ModerationSettings()
    http: HttpSettings = HttpSettings()
    logging: LoggingSettings = LoggingSettings()
    personas: Mapping[str, PersonaSettings] = field(default_factory=dict)
    channels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    adapters: Mapping[str, Any] = field(default_factory=dict)  # settings by platform


SECTIONS: Mapping[str, type[Any]] = {
    "database": DatabaseSettings,
    "bot": BotSettings,
    "chat": ChatSettings,
    "memory": MemoryPolicy,
    "turns": TurnSettings,
    "access": AccessPolicy,
    "moderation": ModerationSettings,
    "http": HttpSettings,
    "logging": LoggingSettings,
}
CHANNEL_KEYS = ("persona", "model", "memory", "access")
