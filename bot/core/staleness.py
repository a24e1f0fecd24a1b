"""Messages that waited so long that an answer would only disturb.

After an outage a channel must not fill with answers to what nobody asks any more: the first such
message of a conversation hears one sentence for all of them, or none does, as it is set. An age is
believed only when platform and machine were seen to agree on the time: a wrong clock must not
silence the bot.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from bot.core import sentences
from bot.ports.store import Crowd, Turn

ONCE_IN = 3600.0  # seconds in which a conversation hears the sentence once


@dataclass(slots=True, kw_only=True)
class Staleness:
    """Judges by the platform's time of a message."""

    after_s: float  # 0: nothing is ever too old
    say: Literal["say", "silent"]
    now: Callable[[], float]  # seconds since 1970
    agrees: bool = False  # a message was seen that was not too old
    _told: dict[str, float] = field(default_factory=dict)  # lane → when

    async def load(self, crowd: Crowd) -> None:
        """Learn from what was answered before whether the clocks agree."""
        lateness = await crowd.lateness()
        self.agrees = lateness is not None and lateness <= self.after_s

    def judge(self, turn: Turn) -> str | None:
        """Return what to say instead of an answer, perhaps nothing; None: answer it.

        What an earlier attempt has begun is finished, however late.
        """
        now = self.now()
        fresh = abs(now - turn.event.at) <= self.after_s
        self.agrees = self.agrees or fresh
        begun = turn.attempts or turn.steps or turn.parts
        if fresh or begun or not self.agrees or not self.after_s:
            return None
        if self.say == "silent" or now - self._told.get(turn.lane, 0.0) < ONCE_IN:
            return ""
        self._told = {lane: at for lane, at in self._told.items() if now - at < ONCE_IN}
        self._told[turn.lane] = now
        return sentences.STALE
