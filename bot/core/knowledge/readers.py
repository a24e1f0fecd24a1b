"""Which collections may be quoted to somebody where they ask, and what may leave of a quotation.

Both are asked anew at every question.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.core.outgoing import Outgoing
from bot.core.permissions import Permissions
from bot.core.policies import Policies
from bot.domain.conversation import Conversation, Person
from bot.domain.knowledge import CollectionSettings, Passage, readable
from bot.domain.policy import Policy
from bot.ports.library import Library

OPEN = CollectionSettings()  # of a collection that the configuration does not name


@dataclass(slots=True, kw_only=True)
class Readers:
    """Knows who may read what."""

    library: Library
    permissions: Permissions
    policies: Policies
    settings: Mapping[str, CollectionSettings]
    outgoing: Callable[[Policy], Outgoing]  # the filter that answers leave through

    async def collections(
        self, person: Person, place: Conversation, *, private: bool
    ) -> tuple[str, ...]:
        """Return the collections that have documents and may be quoted to a person in a place."""
        known = await self.library.collections()
        if not known:
            return ()
        wanted = self.policies.resolve(place).knowledge.collections
        principal = self.permissions.principal(person, place)
        names, places = self.permissions.names(person, place), self.policies.names(place)
        return tuple(
            name
            for name in known
            if (not wanted or name in wanted)
            and readable(
                self.settings.get(name, OPEN),
                principal, names=names, places=places, private=private,
            )
        )  # fmt: skip

    async def passages(
        self, ids: Sequence[int], person: Person, place: Conversation, *, private: bool
    ) -> Sequence[Passage]:
        """Return those passages that a person may be quoted in a place, in the given order."""
        collections = await self.collections(person, place, private=private)
        return await self.library.passages(ids, collections)

    def quoted(self, words: str, place: Conversation) -> str:
        """Return what a command may show in a place of words that are not the bot's own."""
        outgoing = self.outgoing(self.policies.resolve(place))
        return outgoing.feed(words) + outgoing.close()
