"""Which messages in the staff's places belong to whom: in memory, known as soon as they appear."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.domain.conversation import Conversation
from bot.domain.events import Announced, MessageReceived
from bot.ports.handovers import Post


@dataclass(slots=True)
class StaffPosts:
    """The bot's messages by place and id, of ended handovers too: who answers late is told so."""

    requests: dict[int, str] = field(default_factory=dict)  # the first message of each handover
    _handovers: dict[tuple[str, str], int] = field(default_factory=dict)

    def load(self, posts: Sequence[Post]) -> None:
        """Take in what earlier processes have posted."""
        for post in posts:
            self._note(post.handover, post.lane, post.message, request=post.request)

    def appeared(self, said: Announced, message: str) -> None:
        """Take in a message that has just been posted."""
        kind, id, *_ = said.id.split(":")
        self._note(int(id), str(said.conversation), message, request=kind == "handover")

    def answered(self, event: MessageReceived) -> int | None:
        """Return the handover that a message of the staff, who are people, belongs to."""
        if event.author.bot:
            return None
        parent, thread = str(event.conversation.parent), event.conversation.thread
        found = self._handovers.get((parent, thread))
        return found or self._handovers.get((parent, event.answers))

    def _note(self, id: int, lane: str, message: str, *, request: bool) -> None:
        self._handovers[(str(Conversation.parse(lane).parent), message)] = id
        if request:
            self.requests.setdefault(id, message)
