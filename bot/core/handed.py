"""Which conversations are in people's hands: what the store says, ready in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from bot.core.policies import Policies
from bot.core.staffed import StaffPosts
from bot.domain.conversation import Conversation
from bot.ports.handovers import Handover, Handovers


@dataclass(slots=True, kw_only=True)
class Handed:
    """The open handovers, and the bot's messages in the staff's place."""

    store: Handovers
    policies: Policies
    threads: frozenset[str]  # platforms where a reply to a message opens a thread
    posts: StaffPosts = field(default_factory=StaffPosts)
    _open: dict[str, Handover] = field(default_factory=dict)  # by the customer's lane

    async def load(self) -> None:
        """Read what is open."""
        self._open = {handover.lane: handover for handover in await self.store.open()}
        self.posts.load(await self.store.posts())

    def __iter__(self) -> Iterator[Handover]:
        """Walk over a copy, which may be ended meanwhile."""
        return iter(tuple(self._open.values()))

    def add(self, handover: Handover) -> None:
        """Take one in."""
        self._open[handover.lane] = handover

    def drop(self, handover: Handover) -> bool:
        """Let one go; False when it is gone already."""
        return self._open.pop(handover.lane, None) is not None

    async def touch(self, handover: Handover, at: float) -> None:
        """Note that somebody has written."""
        if handover.lane in self._open:
            self.add(replace(handover, heard=at))
        await self.store.touch(handover.id, at)

    def numbered(self, id: int) -> Handover | None:
        """Return an open one by its number."""
        return next((handover for handover in self if handover.id == id), None)

    def taken(self, lane: str) -> Handover | None:
        """Return what is handed over in a lane, which may have had another name."""
        found = self._open.get(lane)
        if found is None and self.policies.moves:
            moved = (one for one in self if self.policies.moves.get(one.lane) == lane)
            found = next(moved, None)
        return found

    def at(self, place: Conversation) -> list[Handover]:
        """Return what is handed over in a place, where commands name no thread in all of its."""
        if place.platform in self.threads and not place.thread:
            return [one for one in self if Conversation.parse(one.lane).within(place)]
        found = self.taken(str(place))
        return [found] if found else []

    def present(self, lane: str) -> Conversation:
        """Return a place by its present name."""
        return Conversation.parse(self.policies.moves.get(lane, lane))
