"""The one door inward: admit, store, and only then let the platform be acknowledged."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from bot.core import sentences
from bot.core.admission import Admission
from bot.core.changes import Changes
from bot.core.draft import Draft
from bot.core.journal import Answered
from bot.core.metrics import Metrics
from bot.core.places import PlaceKeeper
from bot.core.policies import Policies, memory_key
from bot.domain.errors import StoreBusy
from bot.domain.events import (
    Event,
    Joined,
    Left,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    Moved,
)
from bot.ports.clock import Clock
from bot.ports.store import Crowd, Intake, Lanes, Turn

log = logging.getLogger(__name__)
MOST_WAITING = 20_000  # turns in all lanes; beyond it platforms are told to send again
BUSY_EVERY = 60.0  # seconds in which a person hears once that the bot is busy


@dataclass(slots=True, kw_only=True)
class StoringInbox:
    """Stores what concerns the bot; hands events of the control track over at once."""

    admission: Admission
    policies: Policies
    changes: Changes
    places: PlaceKeeper
    intake: Intake
    lanes: Lanes
    crowd: Crowd
    control: Callable[[Turn], None]  # begins an event that runs beside the lanes
    metrics: Metrics
    drafts: Mapping[str, Draft]  # answers that are being written, by lane
    clock: Clock
    waiting: int = 100  # messages per conversation
    while_busy: Literal["queue", "merge", "interrupt"] = "queue"
    _told: dict[str, float] = field(default_factory=dict)  # person → when they heard "busy"

    async def accept(self, event: Event) -> bool:
        """See `bot.ports.platform.Inbox`: the event is queued before the first await."""
        event = self.places.followed(event)
        match event:
            case MessageEdited() | MessageDeleted():
                return await self.changes.take(event)
            case Moved() | Left() | Joined():
                return await self.places.take(event)
        if not self.admission.admits(event) or self.changes.overtaken(event):
            return False
        self.metrics.received(event)
        if isinstance(event, MessageReceived) and self._crowded(event):
            return await self._refuse(event)
        turn = await self._store(event)
        if turn and event.track == "control":
            self.control(turn)
        elif turn and self.while_busy == "interrupt":
            await self._interrupt(turn)
        return turn is not None

    async def _store(self, event: Event, answered: Answered | None = None) -> Turn | None:
        turn = await self.intake.ingest(
            event,
            lane=str(event.conversation),
            memory=self._memory_of(event),
            answered=asdict(answered) if answered else None,
        )
        if turn is None:
            self.metrics.duplicates += 1
            log.info("known already: %s", event.id)
        return turn

    async def _interrupt(self, turn: Turn) -> None:
        """End the running answer of somebody who writes again; durable, like a stop."""
        draft = self.drafts.get(turn.lane)
        author = getattr(turn.event, "author", None)
        if draft and draft.turn.id != turn.id and getattr(draft.turn.event, "author", 0) == author:
            draft.stop()
            await self.lanes.cancel(draft.turn)

    def _crowded(self, event: MessageReceived) -> bool:
        if self.crowd.count() >= MOST_WAITING:
            raise StoreBusy(f"{MOST_WAITING} messages wait already")
        return self.crowd.count(str(event.conversation)) >= self.waiting

    async def _refuse(self, event: MessageReceived) -> bool:
        """Tell the person that the bot is busy, once in a while; the message is not kept."""
        now, person = self.clock.now(), str(event.author)
        self.metrics.refused += 1
        if now - self._told.get(person, 0.0) < BUSY_EVERY:
            return False
        self._told = {who: at for who, at in self._told.items() if now - at < BUSY_EVERY}
        self._told[person] = now
        busy = Answered(text=sentences.BUSY, reason="declined", remembered=False)
        turn = await self._store(event, busy)
        if turn:
            self.control(turn)
        return turn is not None

    def _memory_of(self, event: Event) -> str:
        author = getattr(event, "author", None)
        scope = self.policies.resolve(event.conversation).memory.scope
        private = getattr(event, "private", False)
        return memory_key(event.conversation, str(author or ""), scope=scope, private=private)
