"""Answers that only the asking person sees: by response URL, else as an ephemeral message.

A response URL works five times within half an hour
(https://docs.slack.dev/interactivity/handling-user-interaction). After that an ephemeral message
takes its place, and where we may not write, a direct message; never one that others can read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from adapters.slack import markup
from adapters.slack.web import QUIET, Rejected, SlackWeb
from bot.domain.conversation import Address
from bot.domain.errors import Gone, Unformattable
from bot.domain.replies import Button


@dataclass(slots=True)
class WhisperBubbles:
    """The messages of one hidden reply; they have no ids, so none is edited or found again."""

    web: SlackWeb
    to: Address

    async def post(
        self,
        index: int,
        shown: str,
        *,
        final: bool,  # noqa: ARG002
        buttons: Sequence[Button] = (),
    ) -> str:
        """Show one message to one person."""
        if not (self.to.reply_via and await self._respond(shown, buttons)):
            await self._whisper(shown, buttons)
        return f"hidden-{index}"

    async def edit(
        self, id: str, shown: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> None:
        """Do nothing: what an earlier attempt showed was final."""

    async def delete(self, id: str) -> None:
        """Do nothing: the message vanishes by itself."""

    async def find(self, index: int) -> str | None:  # noqa: ARG002
        """Find nothing: Slack keeps no hidden messages."""
        return None

    async def typing(self) -> None:
        """Show nothing: whoever gave a command sees that it was taken."""

    @property
    def _thread(self) -> dict[str, str]:
        """Name the thread, if it is one: in a thread that nobody has begun, no whisper is shown."""
        thread = self.to.conversation.thread
        return {"thread_ts": thread} if thread not in {"", self.to.answers} else {}

    async def _respond(self, shown: str, buttons: Sequence[Button]) -> bool:
        private = {"response_type": "ephemeral", "replace_original": False, **self._thread}
        for form in markup.forms(shown, blocks=True, buttons=buttons):
            body = form() | private | QUIET
            try:
                return await self.web.respond(self.to.reply_via, body)
            except Unformattable:
                continue
        return False

    async def _whisper(self, shown: str, buttons: Sequence[Button]) -> None:
        to, client = self.to, self.web.client
        write = partial(self.web.write, shown=shown, buttons=buttons)
        try:
            place: dict[str, Any] = {"channel": to.conversation.channel, **self._thread}
            await write(client.chat_postEphemeral, user=to.person, **place)
        except (Gone, Rejected):
            await write(client.chat_postMessage, channel=to.person)
