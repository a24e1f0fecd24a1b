"""The sections of the configuration: frozen dataclasses, declared beside what they configure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bot.backends.openai.settings import OpenAISettings
from bot.domain.attachments import FileSettings
from bot.domain.budgets import Budgets
from bot.domain.chains import ChainSettings
from bot.domain.handovers import HandoverSettings
from bot.domain.knowledge import CollectionSettings
from bot.domain.outgoing import OutgoingPolicy
from bot.domain.permissions import Roles
from bot.domain.policy import AccessPolicy, KnowledgePolicy, MemoryPolicy, ModerationPolicy


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
    chain: str = ""  # one of [chains.…]; empty: the model alone
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
    """Where the guards are and what follows from what they find; one for all places."""

    base_url: str = ""  # up to and with /v1; empty: OpenAI itself
    api_key_env: str = "OPENAI_API_KEY"
    model: str = "omni-moderation-latest"
    timeout_s: float = 5.0  # for one judgement
    judge_model: str = ""  # one of [models.…], for provider "judge"
    judge_policy: str = ""  # what it is told to report; empty: what most communities forbid
    channel: str = ""  # where moderators hear of it: platform:workspace:channel
    strikes: int = 3  # blocked messages until a time-out; 0: there is none
    strike_days: int = 30  # after which a strike is forgotten
    timeout_minutes: int = 60  # the first one; each further one is twice as long


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeSettings:
    """How documents are searched; one for all places."""

    embedder: str = "none"  # "local", or one of [models.…] whose server makes vectors
    rerank: str = ""  # one of [models.…] that chooses among what was found; empty: none


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacySettings:
    """What people are told of what is kept about them, and what is hidden from servers."""

    notice: bool = True  # when the bot answers them for the first time
    contact: str = ""  # whom they ask: a name, an address
    # Personal data is replaced by placeholders for models and guards on other machines, or on all.
    redact: Literal["off", "remote", "always"] = "off"


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
    roles: Roles = Roles()
    moderation: ModerationPolicy = ModerationPolicy()
    moderating: ModerationSettings = ModerationSettings()  # the rest of the same table
    budgets: Budgets = Budgets()
    outgoing: OutgoingPolicy = OutgoingPolicy()
    handover: HandoverSettings = HandoverSettings()
    knowledge: KnowledgePolicy = KnowledgePolicy()
    library: KnowledgeSettings = KnowledgeSettings()  # the rest of the same table
    collections: Mapping[str, CollectionSettings] = field(default_factory=dict)
    privacy: PrivacySettings = PrivacySettings()
    files: FileSettings = FileSettings()
    http: HttpSettings = HttpSettings()
    logging: LoggingSettings = LoggingSettings()
    personas: Mapping[str, PersonaSettings] = field(default_factory=dict)
    chains: Mapping[str, ChainSettings] = field(default_factory=dict)
    channels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    adapters: Mapping[str, Any] = field(default_factory=dict)  # settings by platform


SECTIONS: Mapping[str, type[Any]] = {
    "database": DatabaseSettings,
    "bot": BotSettings,
    "chat": ChatSettings,
    "memory": MemoryPolicy,
    "turns": TurnSettings,
    "access": AccessPolicy,
    "roles": Roles,
    "budgets": Budgets,
    "outgoing": OutgoingPolicy,
    "handover": HandoverSettings,
    "privacy": PrivacySettings,
    "files": FileSettings,
    "http": HttpSettings,
    "logging": LoggingSettings,
}
CHANNEL_KEYS = (
    "persona",
    "model",
    "chain",
    "memory",
    "access",
    "moderation",
    "outgoing",
    "knowledge",
)
