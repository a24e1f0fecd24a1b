"""Commands and buttons: stored, then deferred within Discord's three seconds.

They bypass the lanes, since nothing may delay them. The order is store, then defer: an interaction
that could not be stored is left alone, and Discord tells the person that it failed. When storing is
slow, deferring does not wait for its end.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from adapters.discord.session import Session
from bot.domain.errors import DeliveryError, StoreError
from bot.domain.events import CommandGiven, Pressed
from bot.ports.platform import Inbox

_log = logging.getLogger(__name__)
_DEFER_WITHIN: Final = 2.0  # seconds; Discord waits three
_RETRY_EVERY: Final = 0.2
EPHEMERAL: Final = 1 << 6
_THINKING = {"type": 5, "data": {"flags": EPHEMERAL}}  # "… is thinking", for the asker alone
_UNCHANGED = {"type": 6}  # the message with the button stays as it is


@dataclass(slots=True)
class Interactions:
    """Takes interactions from the gateway to the inbox."""

    session: Session
    inbox: Inbox

    async def take(self, event: CommandGiven | Pressed) -> None:
        """Hand one interaction over and tell Discord that an answer will follow."""
        deferred = asyncio.get_running_loop().create_future()
        self.session.deferrals[event.reply_via] = deferred
        storing = asyncio.ensure_future(self._store(event))
        try:
            await asyncio.wait({storing}, timeout=_DEFER_WITHIN)
            if not storing.done() or await storing is not None:
                await self._defer(event)
        except DeliveryError as error:
            _log.warning("discord: %s could not be deferred: %s", event.id, error)
        except asyncio.CancelledError:
            storing.cancel()
            raise
        finally:
            del self.session.deferrals[event.reply_via]
            deferred.set_result(None)
        if await storing is False and isinstance(event, CommandGiven):
            await self._take_back(event)

    async def _store(self, event: CommandGiven | Pressed) -> bool | None:
        """Return what the inbox says, or None when it could not store the event in time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _DEFER_WITHIN
        while True:
            try:
                return await self.inbox.accept(event)
            except StoreError as error:
                if loop.time() + _RETRY_EVERY > deadline:
                    _log.warning("discord: %s could not be stored: %s", event.id, error)
                    return None
                await asyncio.sleep(_RETRY_EVERY)

    async def _defer(self, event: CommandGiven | Pressed) -> None:
        await self.session.call(
            "POST",
            "/interactions/{webhook_id}/{webhook_token}/callback",
            json=_THINKING if isinstance(event, CommandGiven) else _UNCHANGED,
            webhook_id=event.id.rpartition(":")[2],
            webhook_token=event.reply_via.split("/")[1],
        )

    async def _take_back(self, event: CommandGiven) -> None:
        """Remove the "thinking" of a command that nobody will answer."""
        application, token = event.reply_via.split("/")[:2]
        try:
            await self.session.call(
                "DELETE",
                "/webhooks/{webhook_id}/{webhook_token}/messages/@original",
                webhook_id=application,
                webhook_token=token,
            )
        except DeliveryError as error:
            _log.info("discord: %s: %s", event.id, error)
