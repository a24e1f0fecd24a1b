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
from bot.domain.events import Event

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

    async def fetch(self, conversation: Conversation, after: int) -> list[Event]:
        """Return the events of messages newer than `after`, oldest first.

        A channel that is gone or closed to the bot has none.

        Raises:
            DeliveryError: Discord does not answer now.
        """
        async with self._gate:
            try:
                messages = await self._messages(conversation, after)
                await self._complete(conversation.workspace, messages)
            except Refused as refusal:
                _log.info("discord: %s cannot be read back: %s", conversation, refusal)
                return []
        now = time.time()
        events = (event_from("MESSAGE_CREATE", message, self.places, now) for message in messages)
        return [event for event in events if event is not None]

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
            page.sort(key=lambda message: int(message["id"]))
            found += page
            if len(page) < _PAGE:
                return found[: settings.backfill_messages]
            after = int(page[-1]["id"])
        _log.warning("discord: %s has more missed messages than are read", conversation)
        return found[: settings.backfill_messages]

    async def _complete(self, guild: str, messages: list[Message]) -> None:
        """Add what the gateway would have sent along: the server, and its members' roles."""
        if not guild:
            return
        members: dict[str, Any] = {}
        for message in messages:
            author = message["author"]
            message["guild_id"] = guild
            if author.get("bot") or "webhook_id" in message:
                continue
            if author["id"] not in members:
                members[author["id"]] = await self._member(guild, author["id"])
            message["member"] = members[author["id"]]

    async def _member(self, guild: str, user: str) -> dict[str, Any]:
        try:
            member: dict[str, Any] = await self.session.call(
                "GET", "/guilds/{guild_id}/members/{user_id}", guild_id=guild, user_id=user
            )
        except Refused:  # has left since
            return {}
        return member
