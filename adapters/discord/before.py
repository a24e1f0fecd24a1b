"""What was said in a thread before a message, for a bot that is mentioned there at last."""

from dataclasses import dataclass
from typing import Final

from adapters.discord.backfill import Backfill, Message
from adapters.discord.session import Session
from bot.domain.conversation import Conversation
from bot.domain.errors import Unreachable
from bot.domain.events import MessageReceived

_PAGE: Final = 100  # the most that Discord returns
_STARTER: Final = 21  # the first one of a thread: it only refers to the message in the channel


@dataclass(slots=True)
class DiscordBefore:
    """Reads one page of a thread, the newest messages before one."""

    session: Session
    backfill: Backfill

    async def before(
        self, conversation: Conversation, message: str, limit: int
    ) -> list[MessageReceived]:
        """See `bot.ports.platform.History`."""
        page = await self.session.call(
            "GET",
            "/channels/{channel_id}/messages",
            params={"before": message, "limit": min(limit, _PAGE)},
            channel_id=conversation.thread,
        )
        if not isinstance(page, list):
            raise Unreachable("something else than Discord answers")
        self.backfill.places.recall(conversation)
        page.sort(key=lambda one: int(one["id"]))
        said = [_begun(one, conversation.thread) for one in page]
        events = await self.backfill.events(conversation.workspace, said)
        return [event for event in events if isinstance(event, MessageReceived)]


def _begun(message: Message, thread: str) -> Message:
    """Return the message that a thread was begun from in the place of its stand-in."""
    started = message.get("referenced_message")
    if message.get("type") != _STARTER or not isinstance(started, dict):
        return message
    return {**started, "channel_id": thread}
