"""What was said in a thread before the bot was first mentioned there, brought into its memory.

The platform tells it; only the words of people who may talk to the bot here are kept. An answer
waits a few seconds for it at most, and comes without it when the platform does not tell.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.core.admission import Admission
from bot.core.inbox import as_seen
from bot.core.journal import TurnJournal
from bot.core.overhearing import heard
from bot.core.policies import Policies
from bot.domain.errors import DeliveryError
from bot.domain.events import Event, MessageReceived
from bot.domain.policy import Policy
from bot.ports.platform import History
from bot.ports.store import Intake, Turn

log = logging.getLogger(__name__)
MESSAGES = 50  # of a thread, at most: the newest ones
PATIENCE_S = 3.0  # for the platform
MOST_DAYS = 365  # for so long it is known who was forgotten
DAY_S = 86400.0


@dataclass(slots=True, kw_only=True)
class Importing:
    """Asks a platform for what was said in a thread."""

    histories: Mapping[str, History]  # by platform
    admission: Admission
    policies: Policies
    intake: Intake
    came_back: Callable[[Event], bool] = lambda _: False  # whether its author was forgotten since
    overtaken: Callable[[Event], bool] = lambda _: False  # whether it was deleted meanwhile

    async def imported(
        self, turn: Turn, event: MessageReceived, policy: Policy, journal: TurnJournal
    ) -> None:
        """Bring what was said before into the memory; a resumed turn does not ask again."""
        history = self.histories.get(event.conversation.platform)
        if history is None or not self._wanted(turn, event, policy):
            return
        if journal.found(turn, "imported") is not None:
            return
        said: Sequence[MessageReceived] = ()
        try:
            async with asyncio.timeout(PATIENCE_S):
                said = await history.before(event.conversation, event.message, MESSAGES)
        except (DeliveryError, TimeoutError) as error:
            log.warning("%s: what was said before cannot be read: %r", turn.lane, error)
        oldest = event.at - min(policy.memory.retention_days, MOST_DAYS) * DAY_S
        for one in map(as_seen, said):
            if not isinstance(one, MessageReceived) or one.conversation != event.conversation:
                continue
            if one.at >= oldest and self._may_be_kept(one):
                await self.intake.overhear(one, heard(one), lane=turn.lane, memory=turn.memory)
        journal.keep(turn, "imported", {"messages": len(said)})

    def _wanted(self, turn: Turn, event: MessageReceived, policy: Policy) -> bool:
        thread, memory = event.conversation.thread, policy.memory
        begins = thread in ("", event.message)  # nothing was said before
        if not policy.access.require_mention:  # all that is said there comes as a question
            return False
        if turn.epoch:  # somebody has let this memory begin anew: nothing older comes back
            return False
        kept = memory.imports and memory.scope != "person" and memory.retention_days > 0
        return kept and not event.private and not begins and turn.lane not in self.policies.joined

    def _may_be_kept(self, said: MessageReceived) -> bool:
        """Leave out what is for the bot, too: it may still come, and is answered then."""
        if said.addressed or said.author.bot or self.came_back(said) or self.overtaken(said):
            return False
        return self.admission.may_talk(said.conversation, said.author, private=False)
