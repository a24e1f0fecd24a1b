"""Answers that only the asking person sees: by response URL, else as an ephemeral message.

A response URL works five times within half an hour
(https://docs.slack.dev/interactivity/handling-user-interaction). After that an ephemeral message
takes its place, and where we may not write, a direct message; never one that others can read.
"""

from dataclasses import dataclass
from typing import Any

from adapters.slack import markup
from adapters.slack.web import QUIET, Rejected, SlackWeb
from bot.domain.conversation import Address
from bot.domain.errors import Gone, Unformattable


@dataclass(slots=True)
class WhisperBubbles:
    """The messages of one hidden reply; they have no ids, so none is edited or found again."""

    web: SlackWeb
    to: Address

    async def post(self, index: int, shown: str, *, final: bool) -> str:  # noqa: ARG002
        """Show one message to one person."""
        if not (self.to.reply_via and await self._respond(shown)):
            await self._whisper(shown)
        return f"hidden-{index}"

    async def edit(self, id: str, shown: str, *, final: bool) -> None:
        """Do nothing: what an earlier attempt showed was final."""

    async def delete(self, id: str) -> None:
        """Do nothing: the message vanishes by itself."""

    async def find(self, index: int) -> str | None:  # noqa: ARG002
        """Find nothing: Slack keeps no hidden messages."""
        return None

    async def typing(self) -> None:
        """Show nothing: whoever gave a command sees that it was taken."""

    async def _respond(self, shown: str) -> bool:
        for form in markup.forms(shown, blocks=True):
            body = form() | {"response_type": "ephemeral", "replace_original": False} | QUIET
            try:
                return await self.web.respond(self.to.reply_via, body)
            except Unformattable:
                continue
        return False

    async def _whisper(self, shown: str) -> None:
        place, client = self.to.conversation, self.web.client
        thread: dict[str, Any] = {"thread_ts": place.thread} if place.thread else {}
        try:
            await self.web.write(client.chat_postEphemeral, shown, channel=place.channel,
                                 user=self.to.person, **thread)  # fmt: skip
        except (Gone, Rejected):
            await self.web.write(client.chat_postMessage, shown, channel=self.to.person)
