"""Everything that settings say about one event, resolved once at admission."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.domain.moderation import Action, Category, Rule
from bot.domain.outgoing import OutgoingPolicy

MemoryKind = Literal["buffer", "window", "tokens", "summary", "recall"]
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
    summary_model: str = ""  # makes the summaries of kind `summary`; empty: whichever answers
    overhears: bool = False  # what is not said to the bot is remembered too, and the place is told
    imports: bool = True  # a first mention in a thread brings what was said there before
    when_left: Literal["forget", "keep"] = "forget"  # what was said where the bot is no more
    retention_days: int = 30  # after which a line is deleted; 0: nothing is remembered

    @property
    def listens(self) -> bool:
        """Whether what people say to each other is kept: in a memory that they share, or not."""
        return self.overhears and self.scope != "person" and self.retention_days > 0


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
class ModerationPolicy:
    """Who judges what is said to the bot and by it, and what is done then."""

    provider: str | tuple[str, ...] = "none"  # "local", "openai", "judge": one or several
    inbound: bool = True
    outbound: bool = True
    mode: Literal["shadow", "enforce"] = "shadow"  # shadow: decisions are only noted
    shadow_days: int = 7  # after which shadow becomes enforce by itself; 0: it never does
    on_flag: Action = "block"  # what is done where `categories` say nothing else
    threshold: float = 0.5
    on_error: Literal["allow", "block"] = "allow"  # when no guard can tell
    categories: Mapping[Category, Rule] = field(default_factory=dict)

    @property
    def guards(self) -> tuple[str, ...]:
        """The names of the guards to ask, in their order."""
        named = (self.provider,) if isinstance(self.provider, str) else self.provider
        return tuple(name for name in named if name != "none")

    def rule(self, category: Category) -> Rule:
        """Return what is done about one category."""
        return self.categories.get(category) or Rule(action=self.on_flag, threshold=self.threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgePolicy:
    """How much of the documents an answer may lean on in one place."""

    collections: tuple[str, ...] = ()  # which ones are searched here; empty: all
    top_k: int = 4  # passages that a model is shown; 0: none
    min_score: float = 0.55  # from here on a passage answers; a bit below it is only offered


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What holds for one event: a resumed turn keeps the model and persona it started with."""

    model: str
    persona: str = "default"
    system_prompt: str = ""
    chain: str = ""  # which of [chains.…] answers; empty: the model alone
    memory: MemoryPolicy = field(default_factory=MemoryPolicy)
    access: AccessPolicy = field(default_factory=AccessPolicy)
    moderation: ModerationPolicy = field(default_factory=ModerationPolicy)
    outgoing: OutgoingPolicy = field(default_factory=OutgoingPolicy)
    knowledge: KnowledgePolicy = field(default_factory=KnowledgePolicy)
    paused: bool = False  # only those who steer the bot are answered
