"""Reads conversations back over the Web API, as the events that would have told of them.

Slack sends an event again about three times within some five minutes; what is older has to be read:
https://docs.slack.dev/reference/methods/conversations.history and conversations.replies. Pages of a
channel come newest first and tell of each thread when it was last replied to, so one call shows
which threads are worth another one.
"""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from adapters.slack.inbound import convert
from adapters.slack.marks import PLATFORM
from adapters.slack.payloads import Payload, seconds, table, tables, text
from adapters.slack.web import Method, Rejected, SlackWeb
from bot.domain.conversation import Conversation
from bot.domain.errors import RetryLater
from bot.domain.events import MessageReceived

_PAGE: Final = 200  # the most that Slack recommends
_CHANNELS: Final = 1000  # conversations that are known at most
_KINDS: Final = "public_channel,private_channel,mpim,im"
_SHORTEST_WAIT: Final = 0.05  # seconds, for a Slack that asks to wait for none


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a channel holds behind a mark."""

    events: tuple[MessageReceived, ...]  # of people, oldest first
    newest: str  # the newest message of all, ours included; empty without any
    cut: bool  # whether there is more than was read


@dataclass(slots=True)
class History:
    """Looks up what was written; waits when Slack asks for that."""

    web: SlackWeb
    messages: int  # read at most per channel
    hours: float  # how far back

    async def since(
        self, channel: Conversation, after: str, threads: Iterable[Conversation]
    ) -> News:
        """Return what people wrote in a channel and its threads after a message.

        Args:
            channel: a channel or direct conversation.
            after: the timestamp of the message.
            threads: known threads of it, so that old ones are looked into, too.

        Raises:
            Rejected, Gone: it may not be read.
            Unreachable: Slack does not answer.
        """
        limit = self.messages
        floor = f"{time.time() - self.hours * 3600:.6f}"
        after = max(after, floor, key=seconds)
        said = await self._history(channel, floor, limit)
        found = {text(message, "ts"): message for message in said}
        cut = len(said) >= limit and seconds(text(said[-1], "ts")) > seconds(after)
        for thread in _active(said, after, threads):
            replies = await self._replies(channel, thread, after, limit)
            found |= {text(message, "ts"): message for message in replies}
        fresh = sorted((ts for ts in found if seconds(ts) > seconds(after)), key=seconds)
        events = (self._event(channel, found[ts]) for ts in fresh[-limit:])
        return News(
            events=tuple(event for event in events if event),
            newest=fresh[-1] if fresh else "",
            cut=cut or len(fresh) > limit,
        )

    async def thread(self, place: Conversation) -> list[MessageReceived]:
        """Return what people wrote in a thread, oldest first.

        Raises:
            DeliveryError: Slack does not tell.
        """
        said = await self._replies(place, place.thread, "0", self.messages)
        found = (self._event(place, message) for message in said)
        return [event for event in found if event]

    async def channels(self) -> list[Conversation]:
        """Return the conversations that the bot is a member of.

        Raises:
            DeliveryError: Slack does not tell.
        """
        found = await self._pages(
            self.web.client.users_conversations, "channels", _CHANNELS, types=_KINDS,
            exclude_archived=True,
        )  # fmt: skip
        team = self.web.account.team
        return [
            Conversation(
                platform=PLATFORM,
                workspace=text(each, "context_team_id") or team,
                channel=text(each, "id"),
            )
            for each in found
            if text(each, "id")
        ]

    async def _history(self, channel: Conversation, oldest: str, limit: int) -> list[Payload]:
        read = self.web.client.conversations_history
        where = {"channel": channel.channel, "oldest": oldest}
        return await self._pages(read, "messages", limit, **where)

    async def _replies(
        self, channel: Conversation, thread: str, after: str, limit: int
    ) -> list[Payload]:
        read = self.web.client.conversations_replies
        where = {"channel": channel.channel, "ts": thread, "oldest": after}
        try:
            return await self._pages(read, "messages", limit, **where)
        except Rejected:  # the thread is gone
            return []

    async def _pages(
        self, method: Method, items: str, limit: int, **arguments: Any
    ) -> list[Payload]:
        found: list[Payload] = []
        while len(found) < limit:
            page = await self._call(method, limit=min(_PAGE, limit), **arguments)
            found += tables(page, items)
            arguments["cursor"] = text(table(page, "response_metadata"), "next_cursor")
            if not arguments["cursor"]:
                break
        return found[:limit]

    async def _call(self, method: Method, **arguments: Any) -> Payload:
        while True:
            try:
                return await self.web.call(method, **arguments)
            except RetryLater as wait:
                await asyncio.sleep(max(wait.seconds, _SHORTEST_WAIT))

    def _event(self, channel: Conversation, message: Payload) -> MessageReceived | None:
        """Read a message as the inbound reader does; None for ours, other bots' and notices."""
        told = {**message, "type": "message", "channel": channel.channel}
        event = convert(
            {"context_team_id": channel.workspace, "event": told}, self.web.account, at=0.0
        )
        return event if isinstance(event, MessageReceived) and not event.author.bot else None


def _active(said: list[Payload], after: str, known: Iterable[Conversation]) -> list[str]:
    """Name the threads in which something may have been written after a message."""
    latest = {text(message, "ts"): text(message, "latest_reply") for message in said}
    told = [ts for ts, reply in latest.items() if seconds(reply) > seconds(after)]
    return told + [place.thread for place in known if not latest.get(place.thread)]
