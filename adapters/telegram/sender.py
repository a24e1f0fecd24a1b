"""Replies as Telegram messages: a placeholder that is only ever edited.

A bot cannot read back what it has sent, so a post whose outcome is unknown could double an answer.
Hence a message is posted as a placeholder, its id is journaled, and words come by editing, which
may be repeated at will.
"""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

from telegram.error import TelegramError

from adapters.kit.live import Manner, deliver
from adapters.telegram.account import Account
from adapters.telegram.bubbles import PLACEHOLDER, ChatBubbles
from adapters.telegram.commands import names, publish
from adapters.telegram.markup import measure
from adapters.telegram.settings import TEXT_LIMIT
from adapters.telegram.trouble import unreachable
from bot.domain.commands import Catalogue
from bot.domain.conversation import Address
from bot.domain.replies import Piece, Receipt
from bot.ports.platform import Outbox

log = logging.getLogger(__name__)

# Telegram allows about one message a second in a chat and 20 a minute in a group.
PRIVATE_INTERVAL, GROUP_INTERVAL = 1.2, 3.0  # seconds between edits
SETTLE = 0.3  # seconds before a call with unknown outcome is repeated: edits do no harm


@dataclass(slots=True, kw_only=True)
class TelegramSender:
    """The way out to Telegram."""

    account: Account
    edits: bool = True  # False: answers are shown when they are complete

    async def open(self) -> None:
        """See `bot.ports.platform.Sender`; an unreachable Telegram is left to the receiver."""
        try:
            await self.account.open()
        except TelegramError as error:
            log.warning("telegram: %s", unreachable(error))

    async def deliver(self, to: Address, reply: AsyncIterator[Piece], outbox: Outbox) -> Receipt:
        """See `bot.ports.platform.Sender`."""
        manner = Manner(
            limit=TEXT_LIMIT,
            measure=measure,
            interval=PRIVATE_INTERVAL if to.private else GROUP_INTERVAL,
            placeholder=PLACEHOLDER,
            edits=self.edits,
            settle=SETTLE,
        )
        return await deliver(reply, ChatBubbles.of(self.account, to), manner, outbox)

    async def publish(self, catalogue: Catalogue) -> None:
        """Set the command menus; from now on other commands are plain messages."""
        self.account.commands = names(catalogue)
        await publish(catalogue, self.account.attempt)

    async def close(self) -> None:
        """Close the connection, which the receiver shares."""
        await self.account.close()
