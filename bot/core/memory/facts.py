"""What people want to be known about them, where they have said so: nobody else is served by it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.domain.events import CommandGiven, MessageReceived, Pressed, audience
from bot.ports.memory import Fact, Facts

MOST = 30  # facts of one person
LONGEST = 400  # characters of one
Occasion = MessageReceived | CommandGiven | Pressed  # what happens in a place, or in private


@dataclass(slots=True, kw_only=True)
class Knowing:
    """Remembers who has said anything at all: for everybody else nothing is read."""

    facts: Facts
    _people: set[str] = field(default_factory=set)

    async def load(self) -> None:
        """Read who has."""
        self._people = set(await self.facts.people())

    async def of(self, event: Occasion, person: str) -> Sequence[Fact]:
        """Return what may be used when a person asks in the place of an event, oldest first."""
        if person not in self._people:
            return ()
        place = str(audience(event))
        return await self.facts.of(person, place, private=event.private)

    async def add(self, event: Occasion, person: str, text: str) -> bool:
        """Keep one more, for this place or for all direct messages; False: there are enough."""
        added = await self.facts.add(
            person, str(audience(event)), text, private=event.private, at=event.at, most=MOST
        )
        self._people.add(person)
        return added
