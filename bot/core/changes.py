"""Edits and deletions: they reach their message where it is, waiting, being answered or answered.

They act by id alone, so those of messages that never concerned the bot leave no trace.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.core.admission import Admission
from bot.core.draft import Draft
from bot.domain.events import Event, MessageDeleted, MessageEdited
from bot.ports.store import Intake, Turn

GONE_KEPT = 4096  # deleted messages that are kept in mind, by id


@dataclass(slots=True, kw_only=True)
class Changes:
    """Follows what people do to messages that they have sent."""

    admission: Admission
    intake: Intake
    control: Callable[[Turn], None]  # begins an event that runs beside the lanes
    drafts: Mapping[str, Draft]  # answers that are being written, by lane
    edits_within_s: float  # after an answer; later edits change nothing
    _gone: dict[tuple[str, str], None] = field(default_factory=dict)  # lane and deleted message

    async def take(self, event: MessageEdited | MessageDeleted) -> bool:
        """Follow one change; False when nothing is known of its message."""
        if isinstance(event, MessageEdited):
            return await self._amend(event)
        return await self._withdraw(event)

    def overtaken(self, event: Event) -> bool:
        """Tell whether a message was deleted before it came, as one that is sent again may be."""
        return (str(event.conversation), getattr(event, "message", "")) in self._gone

    async def _amend(self, event: MessageEdited) -> bool:
        if not self.admission.may_talk(event.conversation, event.author, private=event.private):
            return False
        turn = await self.intake.amend(event, within=self.edits_within_s)
        self._revise(turn)
        return turn is not None

    async def _withdraw(self, event: MessageDeleted) -> bool:
        """Forget deleted messages; their answers end, or are taken away."""
        lane = str(event.conversation)
        self._gone.update({(lane, message): None for message in event.messages})
        while len(self._gone) > GONE_KEPT:
            del self._gone[next(iter(self._gone))]
        withdrawn = await self.intake.withdraw(event)
        self._revise(withdrawn.running)
        if withdrawn.answers:
            self.control(withdrawn.answers)
        return withdrawn.changed

    def _revise(self, turn: Turn | None) -> None:
        draft = self.drafts.get(turn.lane) if turn else None
        if turn and draft and draft.turn.id == turn.id:
            draft.revise(turn)
