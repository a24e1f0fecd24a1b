"""The way out: one reply as messages, as native streams, or for one person's eyes only."""

import logging
from collections.abc import AsyncIterator
from dataclasses import InitVar, dataclass, field, replace
from typing import Literal

from adapters.kit.live import Manner, deliver
from adapters.slack import markup
from adapters.slack.bubbles import Indicator, MessageBubbles
from adapters.slack.stream import Gate, StreamBubbles
from adapters.slack.web import SlackWeb
from adapters.slack.whispers import WhisperBubbles
from bot.domain.commands import Catalogue
from bot.domain.conversation import Address
from bot.domain.errors import ConfigError, DeliveryError
from bot.domain.replies import Piece, Receipt
from bot.ports.platform import Outbox

_log = logging.getLogger(__name__)

UPDATED = Manner(  # chat.update: 50/min
    limit=markup.LIMIT, measure=markup.measure, interval=1.2, announces=True
)
STREAMED = replace(UPDATED, interval=0.6)  # chat.appendStream: 100/min


@dataclass(slots=True)
class SlackSender:
    """Shows replies in one workspace or organisation."""

    web: SlackWeb
    streaming: Literal["native", "edit", "off"]
    settle: InitVar[float]  # seconds from the start of a post until Slack surely shows it
    updated: Manner = UPDATED
    streamed: Manner = STREAMED
    _indicator: Indicator = field(default_factory=Indicator, init=False)
    _gate: Gate = field(default_factory=Gate, init=False)

    def __post_init__(self, settle: float) -> None:
        """Let both manners wait for posts to land."""
        self.updated = replace(self.updated, settle=settle)
        self.streamed = replace(self.streamed, settle=settle)

    async def open(self) -> None:
        """Create the client and try the token. Raises ConfigError when Slack refuses it."""
        self.web.open()
        try:
            await self.web.identify()
        except ConfigError:
            await self.web.close()
            raise
        except DeliveryError as error:
            _log.warning("the Slack token could not be tried: %s", error)

    async def deliver(self, to: Address, reply: AsyncIterator[Piece], outbox: Outbox) -> Receipt:
        """Show a reply.

        Raises:
            Gone: the channel or the token is closed to us.
            DeliveryError: Slack does not take it now.
        """
        whole = replace(self.updated, edits=False)
        if to.hidden and (to.reply_via or not to.private):
            unseen = replace(whole, settle=0.0)  # there is nothing to wait for
            return await deliver(reply, WhisperBubbles(self.web, to), unseen, outbox)
        indexes = {part.id: index for index, part in outbox.known.items() if part.id}
        messages = MessageBubbles(self.web, to, self._indicator, indexes,
                                  settle=self.updated.settle, resumed=outbox.resumed)  # fmt: skip
        if self.streaming != "native" or not (to.conversation.thread and to.person):
            manner = whole if self.streaming == "off" else self.updated
            return await deliver(reply, messages, manner, outbox)
        streams = StreamBubbles(messages, self._gate)
        receipt = await deliver(reply, streams, self.streamed, outbox)
        await streams.end()
        return receipt

    async def publish(self, catalogue: Catalogue) -> None:
        """Do nothing: Slack knows the slash command from the app's manifest."""

    async def close(self) -> None:
        """Close the session."""
        await self.web.close()
