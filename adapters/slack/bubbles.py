"""One reply as Slack messages: posted, updated, deleted, and found again by their metadata.

Arguments and errors: https://docs.slack.dev/reference/methods/chat.postMessage and chat.update.
Every app of a workspace may read metadata, so it holds a key that means nothing to others.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from typing import Any

from adapters.slack.payloads import Payload, seconds, table, tables, text
from adapters.slack.web import Rejected, SlackWeb
from bot.domain.conversation import Address
from bot.domain.errors import DeliveryError, Gone
from bot.domain.replies import Button

EVENT_TYPE = "parley_reply"
THINKING = "is thinking…"

_UNEDITABLE = {"cant_update_message", "edit_window_closed", "message_not_found"}
_STREAMING = {"cant_delete_message", "streaming_state_conflict"}  # what an open stream answers
_PAGE, _PAGES = 200, 5  # how far back `find` reads


@dataclass(slots=True)
class Indicator:
    """Whether this app may show that it is busy; found out once for the whole process."""

    allowed: bool = True


@dataclass(slots=True)
class MessageBubbles:
    """The messages of one reply in a channel, a thread or a direct message.

    `find` sees a post only after it has landed: its caller waits for that.
    """

    web: SlackWeb
    to: Address
    indicator: Indicator
    indexes: dict[str, int]  # of the messages that exist, by id
    _: KW_ONLY
    settle: float  # seconds from the start of a post until `find` surely sees it
    resumed: bool  # an earlier process may have posted something a moment ago
    _landed: dict[str, float] = field(default_factory=dict, init=False)  # loop's clock, by id
    _thinks: bool = field(default=False, init=False)
    _named: set[str] = field(default_factory=set, init=False)  # messages that surely carry metadata

    async def post(
        self,
        index: int,
        shown: str,
        *,
        final: bool,  # noqa: ARG002
        buttons: Sequence[Button] = (),
    ) -> str:
        """Post a message whose metadata lets `find` know it again."""
        thread = self.to.conversation.thread
        arguments = {"thread_ts": thread} if thread else {}
        answer = await self.web.write(
            self.web.client.chat_postMessage, shown, channel=self.to.conversation.channel,
            buttons=buttons, metadata=self.metadata(index), **arguments,
        )  # fmt: skip
        posted = text(answer, "ts")
        self.indexes[posted] = index
        self._named.add(posted)
        return posted

    async def edit(
        self, id: str, shown: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> None:
        """Replace a message's text; one that nobody can edit any more is posted anew at the end.

        A text without blocks takes the buttons of an earlier one away.
        """
        try:
            await self._out_of_stream(id, partial(self._update, id, shown, buttons))
        except Rejected as error:
            if error.name not in _UNEDITABLE:
                raise
            if final:
                await self._replace(id, shown, buttons)

    async def delete(self, id: str) -> None:
        """Take a message away; one that Slack does not let us delete stays."""
        channel = self.to.conversation.channel
        remove = partial(self.web.call, self.web.client.chat_delete, channel=channel, ts=id)
        try:
            await self._out_of_stream(id, remove)
        except Rejected as error:
            if error.name not in {"message_not_found", "cant_delete_message"}:
                raise

    async def find(self, index: int) -> str | None:
        """Look for a part of this reply among what was said since the question.

        None also where we may not read: there a message of unknown fate may come twice.
        """
        return await self._find(index, without="")

    async def find_unnamed(self) -> str | None:
        """Look for a message of ours that says nothing about what it is a part of."""
        async for message in self._said():
            ours = text(message, "bot_id") == self.web.account.bot != ""
            if ours and not table(message, "metadata") and text(message, "ts") not in self.indexes:
                return text(message, "ts")
        return None

    async def typing(self) -> None:
        """Show that the bot is busy, once: Slack shows it until the answer comes."""
        channel, thread = self.to.conversation.channel, self.to.conversation.thread
        if self._thinks or not thread or not self.indicator.allowed:
            return
        self._thinks = True
        show = self.web.client.assistant_threads_setStatus
        try:
            await self.web.call(show, channel_id=channel, thread_ts=thread, status=THINKING)
        except (Rejected, Gone):
            self.indicator.allowed = False
        except DeliveryError:
            return

    def metadata(self, index: int) -> dict[str, Any]:
        """Name one part of this reply."""
        return {"event_type": EVENT_TYPE, "event_payload": {"key": self.to.key, "part": index}}

    async def _update(self, id: str, shown: str, buttons: Sequence[Button]) -> Payload:
        """Show a text; what began as a stream is named, lest another reply takes it for its own."""
        arguments: dict[str, Any] = {"channel": self.to.conversation.channel, "ts": id}
        if id not in self._named:
            arguments["metadata"] = self.metadata(self.indexes.get(id, 0))
        update = self.web.client.chat_update
        answer = await self.web.write(update, shown, buttons=buttons, **arguments)
        self._named.add(id)
        return answer

    async def _out_of_stream(self, id: str, act: Callable[[], Awaitable[object]]) -> None:
        """Do what Slack refuses while a message is an open stream; if it is one, stop it first."""
        try:
            await act()
        except Rejected as error:
            if error.name not in _STREAMING:
                raise
            await self._end_stream(id)
            await act()

    async def _end_stream(self, id: str) -> None:
        stop, channel = self.web.client.chat_stopStream, self.to.conversation.channel
        try:
            await self.web.call(stop, channel=channel, ts=id)
        except Rejected as error:  # one that has expired counts as stopped
            if error.name != "message_not_in_streaming_state":
                raise

    async def _replace(self, id: str, shown: str, buttons: Sequence[Button]) -> None:
        """Put a new message in the place of one that cannot be edited, but only one."""
        index, clock = self.indexes.get(id, 0), asyncio.get_running_loop().time
        landed = self._landed.get(id, clock() + (self.settle if self.resumed else 0.0))
        await asyncio.sleep(max(0.0, landed - clock()))
        other = await self._find(index, without=id)
        if other:
            await self._update(other, shown, buttons)
        else:
            self._landed[id] = clock() + self.settle
            await self.post(index, shown, final=True, buttons=buttons)
        await self.delete(id)

    async def _find(self, index: int, *, without: str) -> str | None:
        wanted = self.metadata(index)["event_payload"]
        async for message in self._said():
            kept = table(table(message, "metadata"), "event_payload")
            if kept == wanted and text(message, "ts") != without:
                self.indexes[text(message, "ts")] = index
                return text(message, "ts")
        return None

    async def _said(self) -> AsyncIterator[Payload]:
        place, client = self.to.conversation, self.web.client
        read = client.conversations_replies if place.thread else client.conversations_history
        arguments: dict[str, Any] = {"ts": place.thread} if place.thread else {}
        if seconds(self.to.answers):
            arguments["oldest"] = self.to.answers
        arguments |= {"channel": place.channel, "limit": _PAGE, "include_all_metadata": True}
        for _ in range(_PAGES):
            try:
                page = await self.web.call(read, **arguments)
            except (Rejected, Gone):
                return
            for message in tables(page, "messages"):
                yield message
            arguments["cursor"] = text(table(page, "response_metadata"), "next_cursor")
            if not arguments["cursor"]:
                return
