"""What people say to each other where the bot may listen: lines of the memory, and nothing else.

No turn comes of it, so no model is asked and nobody is answered or punished: guards judge what is
said to the bot. The place is told when the bot begins to listen, and when it no longer does.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.core import sentences
from bot.core.admission import Admission
from bot.core.announcing import Announcing
from bot.core.policies import Policies
from bot.domain.attachments import noted
from bot.domain.commands import slash
from bot.domain.conversation import Conversation
from bot.domain.events import Announced, Event, MessageReceived
from bot.domain.text import display_name
from bot.domain.untrusted import roleless
from bot.ports.privacy import Notices
from bot.ports.store import Intake, NewLine


@dataclass(slots=True, kw_only=True)
class Overhearing:
    """Stores what is overheard; which places were told is in memory, as most say nothing new."""

    admission: Admission
    policies: Policies
    intake: Intake
    notices: Notices
    announcing: Announcing
    now: Callable[[], float]  # seconds since 1970
    _told: dict[str, float] = field(default_factory=dict)  # "overhears PLACE" → when it was told

    async def load(self) -> None:
        """Read which places were told."""
        told = await self.notices.noticed()
        self._told = {name: at for name, at in told.items() if name.startswith("overh")}

    async def take(self, event: Event, memory: str) -> None:
        """Keep a message that is not for the bot, where it may listen; else leave no trace.

        Raises:
            StoreBusy: it could not be stored.
        """
        if not isinstance(event, MessageReceived) or event.private:
            return
        if self.admission.overhears(event):
            await self._keep(event, memory)  # first: it is queued before anything waits
        elif self.policies.resolve(event.conversation.parent).memory.listens:
            return  # nobody need be told of the words of who may not talk here
        await self.tell(event.conversation.parent)

    async def _keep(self, event: MessageReceived, memory: str) -> None:
        lane = str(event.conversation)
        await self.intake.overhear(event, heard(event), lane=lane, memory=memory)

    async def tell(self, place: Conversation) -> None:
        """Tell a place that the bot listens there, or no longer does, if it does not know.

        Raises:
            StoreBusy: it could not be stored.
        """
        memory = self.policies.resolve(place).memory
        began = self._told.get(f"overhears {place}", 0.0)
        ended = self._told.get(f"overheard {place}", 0.0)
        if memory.listens == (began > ended):
            return
        name = f"overhears {place}" if memory.listens else f"overheard {place}"
        before, now = max(began, ended), self.now()
        self._told[name] = max(now, before + 1)  # before anybody else writes here
        sentence = sentences.OVERHEARS if memory.listens else sentences.OVERHEARS_NO_MORE
        text = sentence.format(days=memory.retention_days, slash=slash(place.platform))
        try:
            await self.announcing.say(
                Announced(id=f"overhears:{place}:{before}", at=now, conversation=place, text=text)
            )
            await self.notices.notice(name, self._told[name])
        except BaseException:  # also when it is cancelled: nobody was told
            self._told[name] = ended if name.startswith("overheard") else began
            raise


def heard(event: MessageReceived) -> NewLine:
    """Return what somebody has said to others as a line: files by name, no roles but our own."""
    return NewLine(
        role="user",
        text=roleless(noted(event.words, event.attachments)),
        person=str(event.author),
        name=display_name(event.author.name or event.author.user),
        message=event.message,
    )
