"""Reads over REST what the gateway could not deliver.

Discord replays missed events only to a session that resumes; after a restart, or when a session was
dropped, the messages of each channel after its mark are fetched, oldest first, within bounds.
"""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.discord.inbound import earliest, event_from
from adapters.discord.places import Places
from adapters.discord.session import Refused, Session
from bot.domain.conversation import Conversation
from bot.domain.errors import Unreachable
from bot.domain.events import Event, MessageReceived

_log = logging.getLogger(__name__)
_PAGE: Final = 100  # the most that Discord returns
_SIDE_BY_SIDE: Final = 12  # channels that are read at the same time

Message = dict[str, Any]


@dataclass(slots=True)
class Backfill:
    """Fetches the missed messages of one conversation at a time."""

    session: Session
    places: Places
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_SIDE_BY_SIDE))

    async def fetch(self, conversation: Conversation, after: int) -> tuple[list[Event], int]:
        """Return the events of messages newer than `after`, oldest first, and the last id read.

        A channel that is gone or closed to the bot has none.

        Raises:
            DeliveryError: Discord does not answer now.
        """
        async with self._gate:
            try:
                messages = await self._messages(conversation, after)
                events = await self.events(conversation.workspace, messages)
            except Refused as refusal:
                _log.info("discord: %s cannot be read back: %s", conversation, refusal)
                return [], after
        return events, int(messages[-1]["id"]) if messages else after

    async def _messages(self, conversation: Conversation, after: int) -> list[Message]:
        settings = self.session.settings
        channel = conversation.thread or conversation.channel
        after = max(after, earliest(time.time() - settings.backfill_hours * 3600))
        found: list[Message] = []
        while len(found) < settings.backfill_messages:
            page = await self.session.call(
                "GET",
                "/channels/{channel_id}/messages",
                params={"after": after, "limit": _PAGE},
                channel_id=channel,
            )
            if not isinstance(page, list):
                raise Unreachable("something else than Discord answers")
            page.sort(key=lambda message: int(message["id"]))
            found += page
            if len(page) < _PAGE:
                return found[: settings.backfill_messages]
            after = int(page[-1]["id"])
        _log.warning("discord: %s has more missed messages than are read", conversation)
        return found[: settings.backfill_messages]

    async def events(self, guild: str, messages: list[Message]) -> list[Event]:
        """Read messages, with what the gateway would have sent along: server and member's roles."""
        now = time.time()
        members: dict[str, Any] = {}
        events = []
        for message in messages:
            if guild:
                message["guild_id"] = guild
            event = event_from("MESSAGE_CREATE", message, self.places, now)
            if isinstance(event, MessageReceived) and guild and not event.author.bot:
                user = event.author.user
                if user not in members:
                    members[user] = await self._member(guild, user)
                message["member"] = members[user]
                event = event_from("MESSAGE_CREATE", message, self.places, now)
            if event is not None:
                events.append(event)
        return events

    async def _member(self, guild: str, user: str) -> dict[str, Any]:
        try:
            member: dict[str, Any] = await self.session.call(
                "GET", "/guilds/{guild_id}/members/{user_id}", guild_id=guild, user_id=user
            )
        except Refused:  # has left since
            return {}
        return member
