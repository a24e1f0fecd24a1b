"""What was said in a thread before a message, for a bot that is mentioned there at last."""

from dataclasses import dataclass

from adapters.slack.history import History
from adapters.slack.payloads import seconds
from bot.domain.conversation import Conversation
from bot.domain.events import MessageReceived


@dataclass(slots=True)
class SlackBefore:
    """Reads a thread by `conversations.replies`, which begins with the oldest, up to a limit."""

    history: History

    async def before(
        self, conversation: Conversation, message: str, limit: int
    ) -> list[MessageReceived]:
        """See `bot.ports.platform.History`."""
        said = await self.history.thread(conversation)
        earlier = [one for one in said if seconds(one.message) < seconds(message)]
        return sorted(earlier, key=lambda one: seconds(one.message))[-limit:]
