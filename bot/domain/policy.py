"""Everything that settings say about one event, resolved once at admission."""

from dataclasses import dataclass, field
from typing import Literal

MemoryKind = Literal["buffer", "window", "tokens"]
MemoryScope = Literal["channel", "thread", "person"]
DmPolicy = Literal["pairing", "allowlist", "open", "disabled"]
GroupPolicy = Literal["allowlist", "open", "disabled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPolicy:
    """How much of a conversation is remembered, and for whom."""

    kind: MemoryKind = "tokens"
    scope: MemoryScope = "thread"
    max_tokens: int = 4000
    window: int = 12  # exchanges, for kind `window`
    when_left: Literal["forget", "keep"] = "forget"  # what was said where the bot is no more


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPolicy:
    """Who may talk to the bot, and when it feels addressed."""

    dm_policy: DmPolicy = "pairing"
    group_policy: GroupPolicy = "allowlist"
    allow: tuple[str, ...] = ()  # persons and conversation patterns
    block: tuple[str, ...] = ()
    require_mention: bool = True
    allow_bots: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What holds for one event: a resumed turn keeps the model and persona it started with."""

    model: str
    persona: str = "default"
    system_prompt: str = ""
    memory: MemoryPolicy = field(default_factory=MemoryPolicy)
    access: AccessPolicy = field(default_factory=AccessPolicy)
