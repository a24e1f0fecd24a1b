"""The one door inward: admit, store, and only then let the platform be acknowledged."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from bot.core import sentences
from bot.core.admission import Admission
from bot.core.albums import Albums
from bot.core.changes import Changes
from bot.core.draft import Draft
from bot.core.journal import Answered
from bot.core.metrics import Metrics
from bot.core.overhearing import Overhearing
from bot.core.pace import Pace
from bot.core.places import PlaceKeeper
from bot.core.policies import Policies, memory_key
from bot.domain.errors import StoreBusy
from bot.domain.events import (
    CommandGiven,
    Event,
    Joined,
    Left,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    Moved,
)
from bot.domain.text import visible
from bot.ports.clock import Clock
from bot.ports.store import Crowd, Intake, Lanes, Turn

log = logging.getLogger(__name__)
MOST_WAITING = 20_000  # turns in all lanes; beyond it platforms are told to send again
REFUSED_EVERY = 60.0  # seconds in which a person hears once that a message was not taken


@dataclass(slots=True, kw_only=True)
class StoringInbox:
    """Stores what concerns the bot; hands events of the control track over at once."""

    admission: Admission
    overhearing: Overhearing
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
    came_back: Callable[[Event], bool]  # whether its author was forgotten since it was written
    pace: Pace
    albums: Albums
    waiting: int = 100  # messages per conversation
    while_busy: Literal["queue", "merge", "interrupt"] = "queue"
    _told: dict[str, float] = field(default_factory=dict)  # person → when they heard so

    async def accept(self, event: Event) -> bool:
        """See `bot.ports.platform.Inbox`: the event is queued before the first await."""
        event = self.albums.addressed(as_seen(self.places.followed(event)))
        match event:
            case MessageEdited() | MessageDeleted():
                return await self._changed(event)
            case Moved() | Left() | Joined():
                return await self.places.take(event)
        if self.changes.overtaken(event) or self.came_back(event):
            return False
        if not self.admission.admits(event):
            await self.overhearing.take(event, self._memory_of(event))
            return False
        event = self.admission.readable(event)
        self.metrics.received(event)
        sentence = self._refusal(event)
        if sentence:
            return await self._refuse(event, sentence)
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

    async def _changed(self, event: MessageEdited | MessageDeleted) -> bool:
        """Follow a change; an edit counts like a message, for it lets a model answer once more."""
        if isinstance(event, MessageDeleted):
            return await self.changes.take(event)
        person = str(event.author)
        if not self.pace.allows(person, event.at):
            return False
        followed = await self.changes.take(event)
        if not followed:
            self.pace.give_back(person)
        return followed

    async def _interrupt(self, turn: Turn) -> None:
        """End the running answer of somebody who writes again; durable, like a stop."""
        draft = self.drafts.get(turn.lane)
        if draft and draft.turn.id != turn.id and _author(draft.turn.event) == _author(turn.event):
            draft.stop()
            await self.lanes.cancel(draft.turn)

    def _refusal(self, event: Event) -> str:
        """Return why a message is not taken, or nothing."""
        if not isinstance(event, MessageReceived):
            return ""
        if self.crowd.count() >= MOST_WAITING:
            raise StoreBusy(f"{MOST_WAITING} messages wait already")
        if self.admission.staffed(event):  # who answers many customers costs no model's time
            return ""
        if self.albums.continues(event):  # it is one message, however many parts it has
            return ""
        if not self.pace.allows(str(event.author), event.at):
            return sentences.TOO_FAST
        full = self.crowd.count(str(event.conversation)) >= self.waiting
        return sentences.BUSY if full else ""

    async def _refuse(self, event: Event, sentence: str) -> bool:
        """Tell the person why, once in a while; the message is not kept."""
        now, person = self.clock.now(), _author(event)
        self.metrics.refused += 1
        if isinstance(event, MessageReceived):
            self.albums.refused(event)
        if now - self._told.get(person, 0.0) < REFUSED_EVERY:
            return False
        self._told.pop(person, None)
        self._told[person] = now  # behind all others: the first ones are the oldest
        while now - next(iter(self._told.values())) >= REFUSED_EVERY:
            del self._told[next(iter(self._told))]
        refusal = Answered(text=sentence, reason="declined", remembered=False)
        turn = await self._store(event, refusal)
        if turn:
            self.control(turn)
        return turn is not None

    def _memory_of(self, event: Event) -> str:
        scope = self.policies.resolve(event.conversation).memory.scope
        return memory_key(
            event.conversation, _author(event), scope=scope,
            private=getattr(event, "private", False), closed=getattr(event, "closed", False),
        )  # fmt: skip


def _author(event: Event) -> str:
    """Name who did something by id: what else is known of them changes from event to event."""
    return str(getattr(event, "author", None) or "")


def as_seen(event: Event) -> Event:
    """Return an event with the words that people see: guards and models read the same ones."""
    match event:
        case MessageReceived(text=text, quoted=quoted):
            shown, other = visible(text), visible(quoted)
            if shown is not text or other is not quoted:
                return replace(event, text=shown, quoted=other)
        case MessageEdited(text=text):
            return replace(event, text=visible(text))
        case CommandGiven(words=words):
            return replace(event, words=visible(words))
    return event
