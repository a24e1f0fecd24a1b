"""The configuration read again while the bot runs: what can hold at once does."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace

from bot.app.policies import asks_for_roles, default_policies, roles_of
from bot.config import Config
from bot.config.moderation import guards_of
from bot.core.chains import Chains
from bot.core.knowledge.readers import Readers
from bot.core.limits import LimitKeeper
from bot.core.pace import Pace
from bot.core.permissions import Permissions
from bot.core.policies import Policies
from bot.domain.errors import ConfigError

AT_ONCE = (
    "bot", "memory", "access", "roles", "moderation", "outgoing", "budgets", "personas", "channels",
    "chains", "knowledge", "collections",
)  # fmt: skip
SHOWN = {"moderating": "moderation (servers, channel, strikes)"}  # as the file has it


@dataclass(slots=True, kw_only=True)
class Reloading:
    """Swaps rules; what was changed in chat goes on to hold above them."""

    config: Config  # whose rules hold
    policies: Policies
    permissions: Permissions
    limits: LimitKeeper
    pace: Pace
    chains: Chains
    readers: Readers
    reread: Callable[[], Config] | None  # None: nobody knows where the configuration came from
    _started: Config = field(init=False)  # all else is as it was then

    def __post_init__(self) -> None:
        """Remember what was opened."""
        self._started = self.config

    async def reload(self) -> str:
        """Let a changed configuration hold; raises ConfigError when it is wrong."""
        if self.reread is None:
            raise ConfigError("this bot was not started from a file that could be read again")
        new = self.reread()
        at_once = [name for name in AT_ONCE if getattr(new, name) != getattr(self.config, name)]
        at_once += ["chat.chain"] * (new.chat.chain != self.config.chat.chain)
        later = list(self._later(new))
        fresh = default_policies(new, self.policies.settings, self.policies.places)
        self.policies.replace_rules(fresh)
        self.permissions.roles = roles_of(new)
        self.limits.replace(new.budgets)
        self.chains.settings = new.chains
        self.readers.settings = new.collections
        self.pace.per_minute = new.budgets.rate_per_minute
        self.config = new
        holds = f"Now in force: {', '.join(at_once)}." if at_once else ""
        waits = f"Needs a restart: {', '.join(later)}." if later else ""
        return " ".join(filter(None, (holds, waits))) or "The configuration has not changed."

    def _later(self, new: Config) -> Iterator[str]:
        """Name what differs from what was opened at the start."""
        old = self._started
        fixed = replace(new, chat=replace(new.chat, chain=old.chat.chain))
        for setting in fields(Config):
            name = setting.name
            if name not in AT_ONCE and getattr(fixed, name) != getattr(old, name):
                yield SHOWN.get(name, name)
        for guard in sorted(guards_of(new) - guards_of(old)):
            yield f"the guard {guard}"
        for name in new.adapters:
            if asks_for_roles(new, name) and not asks_for_roles(old, name):
                yield f"roles of {name}"
