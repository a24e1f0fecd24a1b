"""Conversations that get another name, or end: memory, policy and running answers follow."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from bot.core.draft import Draft
from bot.core.policies import Policies
from bot.domain.conversation import Conversation
from bot.domain.events import Event, Joined, Left, Moved
from bot.ports.upkeep import Places

log = logging.getLogger(__name__)
E = TypeVar("E", bound=Event)


@dataclass(slots=True, kw_only=True)
class PlaceKeeper:
    """Acts at once and by name alone; of places that were never served nothing is stored."""

    policies: Policies
    places: Places
    drafts: Mapping[str, Draft]

    def followed(self, event: E) -> E:
        """Return an event of a conversation that has moved as one of its new name."""
        moved = self.policies.moves.get(str(event.conversation)) if self.policies.moves else None
        if moved is None or isinstance(event, Moved | Left | Joined):
            return event
        return replace(event, conversation=Conversation.parse(moved))

    async def take(self, event: Moved | Left | Joined) -> bool:
        """Follow a move, or end what belongs to a place that the bot has left."""
        if isinstance(event, Moved):
            await self._move(event)
        elif isinstance(event, Left):
            await self._leave(event)
        return not isinstance(event, Joined)

    async def _move(self, event: Moved) -> None:
        self.policies.follow(event.conversation, event.to)  # also for what comes right behind it
        await self.places.move(event.conversation, event.to)
        log.warning(
            "%s is now called %s; what the configuration says of the old name goes on to hold, "
            "but write the new one there", event.conversation, event.to,
        )  # fmt: skip

    async def _leave(self, event: Left) -> None:
        place = event.conversation
        forget = self.policies.resolve(place).memory.when_left == "forget"
        await self.places.leave(place, forget=forget)
        for lane, draft in self.drafts.items():
            if Conversation.parse(lane).within(place):
                draft.forget()
        if forget:
            self.policies.forget(place)
        log.info("the bot has left %s", place)
