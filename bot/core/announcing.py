"""What the bot says without being asked: alerts, notices, what a person of the house answers.

It goes in by the same door as everything that happens, so it is said once, in spite of kills.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.core.journal import TurnOutbox
from bot.domain.events import Announced
from bot.domain.replies import Part
from bot.ports.store import Intake, Journal, Turn

Appeared = Callable[[Announced, str], object]


class AnnouncedOutbox(TurnOutbox):
    """Tells in which messages an announcement stands, before anybody answers them."""

    def __init__(self, store: Journal, turn: Turn, appeared: Callable[[str], object]) -> None:
        super().__init__(store, turn)
        self._appeared = appeared

    def sent(self, part: Part) -> Awaitable[None]:
        """Journal the platform's id of a part."""
        self._appeared(part.id)
        return super().sent(part)


@dataclass(slots=True, kw_only=True)
class Announcing:
    """Stores an announcement and lets it be said, at once or in its order."""

    intake: Intake
    appeared: dict[str, Appeared] = field(default_factory=dict)  # by the first word of an id
    control: Callable[[Turn], None] = field(init=False)  # set once there are lanes to run beside

    async def say(self, announcement: Announced, *, memory: str = "") -> None:
        """Say something; what was said before under the same id is not said again."""
        lane = str(announcement.conversation)
        turn = await self.intake.ingest(announcement, lane=lane, memory=memory or lane)
        if turn is not None and announcement.track == "control":
            self.control(turn)

    def outbox(self, journal: Journal, turn: Turn, event: Announced) -> TurnOutbox:
        """Make the outbox of an announcement."""
        appeared = self.appeared.get(event.id.partition(":")[0])
        if appeared is None:
            return TurnOutbox(journal, turn)
        return AnnouncedOutbox(journal, turn, lambda message: appeared(event, message))
