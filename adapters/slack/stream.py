"""Replies as Slack's native streams, which people see growing word by word.

A stream takes more text but no other text, refuses updates while it is open, needs a thread, may be
started about twenty times a minute, and is closed by Slack after some five minutes (or half a
minute of silence: https://github.com/slackapi/python-slack-sdk/issues/1859). So it is only the way
that a message first grows: whatever a stream cannot do is done by stopping it and updating the
message, and a stream that cannot start is an ordinary message.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from adapters.slack import markup
from adapters.slack.bubbles import MessageBubbles
from adapters.slack.payloads import text
from adapters.slack.web import Rejected
from bot.domain.errors import RetryLater, Unformattable
from bot.domain.replies import Button

REST = 60.0  # seconds without a new try after Slack refused a stream

_BEGUN = re.compile(r"[<&][^\s<>&]{0,40}\Z")


@dataclass(slots=True)
class Gate:
    """When streams may be started again; one for the whole process."""

    opens: float = 0.0  # on the loop's clock

    @property
    def open(self) -> bool:
        """Tell whether a start may be tried now."""
        return asyncio.get_running_loop().time() >= self.opens

    def shut(self, seconds: float) -> None:
        """Start none for so many seconds."""
        self.opens = asyncio.get_running_loop().time() + seconds


@dataclass(slots=True)
class StreamBubbles:
    """The messages of one reply in a thread; those that grow do so as streams."""

    messages: MessageBubbles
    gate: Gate
    _open: dict[str, tuple[str, str]] = field(default_factory=dict, init=False)  # streamed, shown

    async def post(
        self, index: int, shown: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> str:
        """Start a stream; post what is complete already, or what no stream can be had for."""
        if not final and self.gate.open:
            try:
                return await self._start(index, shown)
            except RetryLater as wait:
                self.gate.shut(wait.seconds)
            except (Rejected, Unformattable):
                self.gate.shut(REST)
        return await self.messages.post(index, shown, final=final, buttons=buttons)

    async def edit(
        self, id: str, shown: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> None:
        """Append what is new; a text that is no continuation replaces the whole message."""
        if not await self._continue(id, shown, final=final, buttons=buttons):
            await self.messages.edit(id, shown, final=final, buttons=buttons)

    async def delete(self, id: str) -> None:
        """Take a message away."""
        self._open.pop(id, None)
        await self.messages.delete(id)

    async def find(self, index: int) -> str | None:
        """Look for a part of this reply; a stream that was interrupted has no metadata yet."""
        found = await self.messages.find(index) or await self.messages.find_unnamed()
        if found:
            self.messages.indexes[found] = index
        return found

    async def typing(self) -> None:
        """Show that the bot is busy."""
        await self.messages.typing()

    async def end(self) -> None:
        """Stop the streams whose whole text was given to `edit` before it was final."""
        for id_, (_, shown) in list(self._open.items()):
            while id_ in self._open:
                try:
                    await self.edit(id_, shown, final=True)
                except RetryLater as wait:
                    await asyncio.sleep(wait.seconds)

    async def _start(self, index: int, shown: str) -> str:
        to, client, new = self.messages.to, self.messages.web.client, settled(shown)
        answer = await self.messages.web.call(
            client.chat_startStream, channel=to.conversation.channel,
            thread_ts=to.conversation.thread, recipient_team_id=to.conversation.workspace,
            recipient_user_id=to.person, markdown_text=new or None,
        )  # fmt: skip
        started = text(answer, "ts")
        self.messages.indexes[started] = index
        self._open[started] = (new, shown)
        return started

    async def _continue(
        self, id: str, shown: str, *, final: bool, buttons: Sequence[Button]
    ) -> bool:
        """Append to an open stream; False when that is not enough to make it show this text."""
        before = self._open.pop(id, None)  # so that it is no more to be trusted if this fails
        new = markup.disarm(shown) if final else settled(shown)
        if before is None or not new.startswith(before[0]):
            return False
        try:
            words = new[len(before[0]) :]
            await (self._stop(id, words, buttons) if final else self._append(id, words))
        except RetryLater:
            self._open[id] = before
            raise
        except (Rejected, Unformattable):
            return False
        if not final:
            self._open[id] = (new, shown)
        return True

    async def _append(self, id: str, words: str) -> None:
        web, channel = self.messages.web, self.messages.to.conversation.channel
        if words:
            append = web.client.chat_appendStream
            await web.call(append, channel=channel, ts=id, markdown_text=words)

    async def _stop(self, id: str, words: str, buttons: Sequence[Button]) -> None:
        web, channel = self.messages.web, self.messages.to.conversation.channel
        await web.call(
            web.client.chat_stopStream, channel=channel, ts=id, markdown_text=words or None,
            blocks=markup.actions(buttons) or None,  # shown below all words
            metadata=self.messages.metadata(self.messages.indexes[id]),
        )  # fmt: skip


def settled(shown: str) -> str:
    """Return as much of a growing text as a later one will surely begin with.

    The fence that the splitter closes at the end may go on, and what looks like the beginning of a
    mention has to be whole before it can be disarmed.
    """
    end = len(shown.rstrip(" \t\n`~"))
    line_end = shown.find("\n", end)
    kept = shown if line_end < 0 else shown[:line_end]
    return markup.disarm(_BEGUN.sub("", kept)) if end else ""
