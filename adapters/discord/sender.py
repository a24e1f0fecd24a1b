"""Shows replies on Discord: plain web calls, so it also works without the gateway."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from adapters.discord.bubbles import ChannelBubbles, InteractionBubbles
from adapters.discord.commands import publish
from adapters.discord.descriptor import ABILITIES
from adapters.discord.markup import render
from adapters.discord.session import Session
from adapters.kit.live import Manner, deliver
from adapters.kit.split import utf16
from bot.domain.commands import Catalogue
from bot.domain.conversation import Address
from bot.domain.replies import Piece, Receipt
from bot.ports.platform import Outbox


def measure(shown: str) -> int:
    """Return a message's length as Discord counts it, after rendering."""
    return utf16(render(shown))


@dataclass(slots=True)
class DiscordSender:
    """The speaking side of Discord."""

    session: Session
    edits: bool = True  # False: an answer is shown once, when it is complete
    _open: bool = False
    _publishing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Log in.

        Raises:
            ConfigError: Discord refuses the token.
            Unreachable: Discord does not answer; open again later.
        """
        await self.session.login()
        self.session.hold()
        self._open = True

    async def deliver(self, to: Address, reply: AsyncIterator[Piece], outbox: Outbox) -> Receipt:
        """Show a reply; see `adapters.kit.live`.

        Raises:
            Gone: the channel is closed to the bot for good.
            DeliveryError: Discord cannot be reached now.
        """
        client = await self.session.login()
        channel = ChannelBubbles(self.session, to, str(client.user.id) if client.user else "")
        bubbles = InteractionBubbles(self.session, to, channel) if to.reply_via else channel
        manner = Manner(limit=ABILITIES.text_limit, measure=measure, edits=self.edits)
        return await deliver(reply, bubbles, manner, outbox)

    async def publish(self, catalogue: Catalogue) -> None:
        """Register the commands, beside everything else."""
        application = str((await self.session.login()).application_id)
        self._publishing = asyncio.create_task(
            publish(self.session.call, application, catalogue), name="discord-commands"
        )

    async def close(self) -> None:
        """Stop registering and let the client go."""
        if self._publishing is not None:
            self._publishing.cancel()
            await asyncio.gather(self._publishing, return_exceptions=True)
        if self._open:
            self._open = False
            await self.session.release()
