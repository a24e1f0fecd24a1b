"""How far each conversation was read, in memory and, a moment later, in the store.

Discord does not list a bot's direct conversations, so a new one is written down as soon as its
first message is heard. After that a mark follows the accepted messages and is written at most once
a second: one that lags after a crash costs a few messages read twice, which the inbox recognises; a
mark never runs ahead. A server has a mark too, with an empty channel: where its channels without a
mark begin to be read. Since a conversation gets one as soon as anything of it is heard or missed,
that mark need not move.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from adapters.discord.places import PLATFORM
from bot.domain.conversation import Conversation
from bot.ports.platform import Marks


@dataclass(slots=True)
class Bookmarks:
    """The newest handled message of each conversation, by its string form in the store."""

    store: Marks
    newest: dict[Conversation, int] = field(default_factory=dict)
    _unwritten: set[Conversation] = field(default_factory=set)

    async def load(self) -> None:
        """Read the marks that an earlier process left."""
        self.newest = dict(_parsed(await self.store.read(PLATFORM)))

    def meet(self, conversation: Conversation, after: int) -> None:
        """Begin to keep a mark at an id, unless there is one: what came until then was handled."""
        if conversation not in self.newest:
            self.newest[conversation] = after
            self.store.put(PLATFORM, str(conversation), str(after))

    def note(self, conversation: Conversation, message: int) -> None:
        """Move a mark forward, after all messages up to an id were accepted."""
        if message > self.newest.get(conversation, 0):
            self.newest[conversation] = message
            self._unwritten.add(conversation)

    def flush(self) -> None:
        """Write what moved since the last time; nothing is awaited."""
        moved, self._unwritten = self._unwritten, set()
        for conversation in moved:
            self.store.put(PLATFORM, str(conversation), str(self.newest[conversation]))


def _parsed(marks: Mapping[str, str]) -> Iterator[tuple[Conversation, int]]:
    for name, message in marks.items():
        yield Conversation.parse(name), int(message)
