"""How far each conversation was read, in memory and, a moment later, in the store.

Discord does not list a bot's direct conversations, so a new one is written down before its first
message is handed over. After that a mark follows the accepted messages and is written at most once
a second: one that lags after a crash costs a few messages read twice, which the inbox recognises; a
mark never runs ahead.
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

    def meet(self, conversation: Conversation, message: str) -> None:
        """Begin to keep a mark, just before this message, unless there is one."""
        if conversation not in self.newest:
            self.newest[conversation] = int(message) - 1
            self.store.put(PLATFORM, str(conversation), str(int(message) - 1))

    def note(self, conversation: Conversation, message: str) -> None:
        """Move a mark forward, after the message was accepted."""
        if int(message) > self.newest[conversation]:
            self.newest[conversation] = int(message)
            self._unwritten.add(conversation)

    def flush(self) -> None:
        """Write what moved since the last time; nothing is awaited."""
        moved, self._unwritten = self._unwritten, set()
        for conversation in moved:
            self.store.put(PLATFORM, str(conversation), str(self.newest[conversation]))


def _parsed(marks: Mapping[str, str]) -> Iterator[tuple[Conversation, int]]:
    for name, message in marks.items():
        yield Conversation.parse(name), int(message)
