"""Shadow or not: at first decisions are only noted, so that an operator sees what they would do."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.domain.policy import ModerationPolicy
from bot.ports.cases import Penalties

DAY = 86400.0


@dataclass(slots=True, kw_only=True)
class Modes:
    """Knows since when this installation moderates."""

    penalties: Penalties
    now: Callable[[], float]  # seconds since 1970
    _since: float = 0.0

    async def load(self) -> None:
        """Begin to count, or learn when that was."""
        self._since = await self.penalties.since(self.now())

    async def enforces(self, policy: ModerationPolicy) -> bool:
        """Tell whether decisions are carried out."""
        if policy.mode == "enforce":
            return True
        if not self._since:
            await self.load()
        end = self.until(policy)
        return end is not None and self.now() >= end

    def until(self, policy: ModerationPolicy) -> float | None:
        """Return when decisions begin to be carried out, in seconds since 1970; None: never."""
        if policy.mode == "enforce":
            return 0.0
        return self._since + policy.shadow_days * DAY if policy.shadow_days else None
