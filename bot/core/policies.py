"""Which policy holds where: defaults, then the channel settings, then what was changed in chat."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from bot.domain.conversation import KNOWN, Conversation
from bot.domain.policy import Policy
from bot.ports.store import Settings
from bot.ports.upkeep import Places

EVERYWHERE = "*"  # the key of what was changed for all places
RESOLVED_AT_ONCE = 4096  # conversations whose policy is kept ready


@dataclass(slots=True, kw_only=True)
class Policies:
    """Resolves the policy of a conversation; everything is in memory, so admission stays pure."""

    default: Policy
    channels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    personas: Mapping[str, str] = field(default_factory=dict)  # name → system prompt
    models: tuple[str, ...] = ()
    chains: tuple[str, ...] = ()
    settings: Settings
    places: Places
    joined: set[str] = field(default_factory=set)  # threads in which the bot has answered
    moves: dict[str, str] = field(default_factory=dict)  # old name → new one
    _changed: dict[str, dict[str, str]] = field(default_factory=dict)
    _former: dict[str, Conversation] = field(default_factory=dict)  # new name → the old place
    _resolved: dict[str, Policy] = field(default_factory=dict)

    async def load(self) -> None:
        """Read what was changed in chat and which threads the bot has joined."""
        self._changed = {
            lane: dict(names) for lane, names in (await self.settings.overrides()).items()
        }
        self.joined = set(await self.settings.joined())
        self.moves = dict(await self.places.moves())
        self._former = {new: Conversation.parse(old) for old, new in self.moves.items()}
        self._resolved.clear()

    def follow(self, old: Conversation, new: Conversation) -> None:
        """Let what holds in a conversation hold under its new name."""
        lane, moved = str(old), str(new)
        self.moves[lane], self._former[moved] = moved, old
        if lane in self._changed:
            self._changed[moved] = self._changed.pop(lane)
        self._resolved.clear()

    def replace_rules(self, new: "Policies") -> None:
        """Let the rules of a configuration that was read again hold, with the models there are."""
        self.default = replace(new.default, model=self.default.model)
        self.channels, self.personas, self.chains = new.channels, new.personas, new.chains
        self._resolved.clear()

    def forget(self, place: Conversation) -> None:
        """Drop what was changed in a thread, a channel or a workspace, and the threads joined."""
        gone = [lane for lane in (*self._changed, *self.joined)
                if lane != EVERYWHERE and Conversation.parse(lane).within(place)]  # fmt: skip
        for lane in gone:
            self._changed.pop(lane, None)
            self.joined.discard(lane)
        self._resolved.clear()

    def resolve(self, conversation: Conversation) -> Policy:
        """Return what holds in a conversation; a thread inherits from its channel."""
        if not self.channels and not self._changed:
            return self.default
        lane = str(conversation)
        if lane not in self._resolved:
            if len(self._resolved) >= RESOLVED_AT_ONCE:
                self._resolved.clear()
            self._resolved[lane] = self._resolve(conversation)
        return self._resolved[lane]

    async def change(self, conversation: Conversation | None, name: str, value: str | None) -> None:
        """Keep a change that somebody made in chat, for a place or for all; None takes it back."""
        lane = str(conversation) if conversation else EVERYWHERE
        await self.settings.override(lane, name, value)
        changed = self._changed.setdefault(lane, {})
        changed.pop(name, None) if value is None else changed.update({name: value})
        self._resolved.clear()

    def names(self, conversation: Conversation) -> tuple[str, ...]:
        """Return the patterns that match a conversation, also by the name that it had before."""
        former = self._former.get(str(conversation.parent))
        return (*(ancestry(former) if former else ()), *ancestry(conversation))

    def _resolve(self, conversation: Conversation) -> Policy:
        policy = self.default
        for pattern in self.names(conversation):
            policy = self._apply(policy, self.channels.get(pattern, {}))
        for place in (EVERYWHERE, str(conversation.parent), str(conversation)):
            policy = self._apply(policy, self._changed.get(place, {}))
        return policy

    def _apply(self, policy: Policy, changes: Mapping[str, Any]) -> Policy:
        for name, value in changes.items():
            if name == "persona":
                prompt = self.personas.get(value, policy.system_prompt)
                policy = replace(policy, persona=value, system_prompt=prompt)
            elif (name == "model" and value not in self.models) or (
                name == "chain" and value not in ("", *self.chains)
            ):
                continue  # it was chosen in chat and has left the configuration since
            elif name == "paused":
                policy = replace(policy, paused=value == "yes")
            elif "." in name:  # one setting of a table, as an order in chat has it
                policy = _with_setting(policy, name, value)
            elif name in ("memory", "access", "moderation", "outgoing", "knowledge"):
                policy = replace(policy, **{name: replace(getattr(policy, name), **value)})
            else:
                policy = replace(policy, **{name: value})
        return policy


def _with_setting(policy: Policy, name: str, value: str) -> Policy:
    table, _, key = name.partition(".")
    settings = getattr(policy, table)
    before = getattr(settings, key)
    read = (value == "on") if isinstance(before, bool) else type(before)(value)
    return replace(policy, **{table: replace(settings, **{key: read})})


@lru_cache(KNOWN)
def ancestry(conversation: Conversation) -> tuple[str, ...]:
    """Return the patterns that match a conversation, from the widest to the narrowest.

    `slack`, `slack:T1`, `slack:T1:C1`, `slack:T1:C1:1718.22`.
    """
    platform, workspace, channel, thread = str(conversation).split(":")
    patterns = [platform, f"{platform}:{workspace}", f"{platform}:{workspace}:{channel}"]
    if thread:
        patterns.append(f"{platform}:{workspace}:{channel}:{thread}")
    return tuple(patterns)


def memory_key(
    conversation: Conversation, person: str, *, scope: str, private: bool, closed: bool
) -> str:
    """Name the memory that an exchange belongs to; what not all of a channel read stays apart."""
    if private or scope == "thread":
        return str(conversation)
    shared = str(conversation if closed else conversation.parent)
    return shared if scope == "channel" else f"{shared}|{person}"
