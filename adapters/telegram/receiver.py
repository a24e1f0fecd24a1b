"""Long polling that loses nothing: an update is confirmed only after it was stored.

Telegram keeps an update until `getUpdates` is called with a higher offset. The offset moves when
the whole batch was accepted; a batch that was not is fetched again, and the inbox knows those that
it has already. After an empty answer the offset is forgotten: after a quiet week Telegram numbers
updates anew, perhaps lower (core.telegram.org/bots/api#update), and an old offset would confirm
what nobody has read.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from telegram.error import Conflict, InvalidToken, TelegramError

from adapters.telegram.account import Account
from adapters.telegram.inbound import ALLOWED, read
from adapters.telegram.transport import Flooded
from adapters.telegram.trouble import Trouble
from adapters.telegram.words import Plain
from bot.domain.errors import ConfigError, StoreError
from bot.ports.platform import Inbox

log = logging.getLogger(__name__)

GRACE = 10.0  # seconds that the answer to a poll may come late
RIVAL = (
    "another process polls with this bot's token, so each of them misses messages; stop it, or "
    "give this one a token of its own"
)


@dataclass(slots=True, kw_only=True)
class Handover:
    """Hands updates to the core, and ends the spinner of buttons that were pressed."""

    account: Account
    _answers: set[asyncio.Task[None]] = field(default_factory=set)

    async def give(self, updates: Sequence[Plain], inbox: Inbox) -> None:
        """Store updates in their order; raises what `Inbox.accept` raises, when all were tried.

        `accept` queues an event before it first waits, and tasks start in the order in which they
        are made: so a batch shares one commit, and stays in order.
        """
        me = self.account.me
        events = [event for update in updates if (event := read(update, me))]
        if len(events) == 1:
            await inbox.accept(events[0])
        else:
            given = (inbox.accept(event) for event in events)
            for result in await asyncio.gather(*given, return_exceptions=True):
                if isinstance(result, BaseException):
                    raise result
        for update in updates:
            if "callback_query" in update:
                task = asyncio.create_task(self._answer(update["callback_query"]))
                self._answers.add(task)
                task.add_done_callback(self._answers.discard)

    async def _answer(self, query: Plain) -> None:
        try:
            await self.account.call("answerCallbackQuery", {"callback_query_id": query.get("id")})
        except TelegramError as error:  # the spinner ends by itself, later
            log.info("telegram: a button press was not answered: %s", type(error).__name__)


@dataclass(slots=True, kw_only=True)
class PollingReceiver:
    """Fetches updates by long polling."""

    account: Account
    poll_timeout: float  # seconds that Telegram waits for news
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def listen(self, inbox: Inbox) -> None:
        """See `bot.ports.platform.Receiver`; cancelling it confirms nothing that is not stored."""
        handover, trouble = Handover(account=self.account), Trouble(self.sleep)
        offset = 0
        while True:
            try:
                await self.account.open()
                updates = await self._poll(offset)
                await handover.give(updates, inbox)
                offset = updates[-1]["update_id"] + 1 if updates else 0
            except ConfigError:
                raise
            except InvalidToken:
                raise self.account.refusal() from None
            except Exception as error:  # noqa: BLE001 - nothing but the token ends a platform
                await self._recover(error, trouble)
            else:
                trouble.over()

    async def _poll(self, offset: int) -> list[Plain]:
        wait = {"offset": offset, "timeout": self.poll_timeout, "allowed_updates": ALLOWED}
        updates: list[Plain] = await self.account.call(
            "getUpdates", wait, self.poll_timeout + GRACE
        )
        return updates

    async def _recover(self, error: Exception, trouble: Trouble) -> None:
        match error:
            case Flooded():
                await trouble.wait("Telegram asks to poll less often", error.seconds)
            case Conflict() if "webhook" in error.message:
                await trouble.wait("a webhook is set for this bot; it is removed to poll")
                await self._drop_webhook()
            case Conflict():
                await trouble.wait(RIVAL, random.uniform(5, 10))  # noqa: S311 - no secret
            case TelegramError():
                await trouble.wait(f"Telegram cannot be reached ({type(error).__name__})")
            case StoreError():
                await trouble.wait("the store takes no events; Telegram keeps them meanwhile")
            case _:
                log.error("telegram: an update could not be handed over", exc_info=error)
                await trouble.wait("updates are fetched again after an unexpected error")

    async def _drop_webhook(self) -> None:
        try:
            await self.account.call("deleteWebhook", {"drop_pending_updates": False})
        except TelegramError as error:
            log.info("telegram: the webhook was not removed: %s", type(error).__name__)
