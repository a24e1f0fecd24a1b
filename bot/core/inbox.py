"""The one door inward: admit, store, and only then let the platform be acknowledged."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.core.admission import Admission
from bot.core.draft import Draft
from bot.core.metrics import Metrics
from bot.core.policies import Policies, memory_key
from bot.domain.events import Event, MessageDeleted, MessageEdited
from bot.ports.store import Intake, Turn

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class StoringInbox:
    """Stores what concerns the bot; hands events of the control track over at once."""

    admission: Admission
    policies: Policies
    intake: Intake
    control: Callable[[Turn], None]  # begins an event that runs beside the lanes
    metrics: Metrics
    drafts: Mapping[str, tuple[Turn, Draft]]  # answers that are being written, by lane

    async def accept(self, event: Event) -> bool:
        """See `bot.ports.platform.Inbox`: the event is queued before the first await."""
        match event:
            case MessageEdited():
                return await self.intake.amend(str(event.conversation), event.message, event.text)
            case MessageDeleted():
                return await self._withdraw(event)
        if not self.admission.admits(event):
            return False
        self.metrics.received(event)
        turn = await self.intake.ingest(
            event, lane=str(event.conversation), memory=self._memory_of(event)
        )
        if turn is None:
            self.metrics.duplicates += 1
            log.info("known already: %s", event.id)
        elif event.track == "control":
            self.control(turn)
        return turn is not None

    async def _withdraw(self, event: MessageDeleted) -> bool:
        """Forget deleted messages; an answer to one of them ends, and is not remembered."""
        lane = str(event.conversation)
        if lane in self.drafts:
            turn, draft = self.drafts[lane]
            if getattr(turn.event, "message", None) in event.messages:
                draft.forgotten = True
                draft.stop()
        return bool(await self.intake.withdraw(lane, event.messages))

    def _memory_of(self, event: Event) -> str:
        author = getattr(event, "author", None)
        scope = self.policies.resolve(event.conversation).memory.scope
        private = getattr(event, "private", False)
        return memory_key(event.conversation, str(author or ""), scope=scope, private=private)
