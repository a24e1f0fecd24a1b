"""Long polling that loses nothing: an update is confirmed only after it was stored.

Telegram keeps an update until `getUpdates` is called with a higher offset. The offset moves when
the whole batch was accepted; a batch that was not is fetched again, and the inbox knows those that
it has already. After an empty answer the offset is forgotten: after a quiet week Telegram numbers
updates anew, perhaps lower (core.telegram.org/bots/api#update), and an old offset would confirm
what nobody has read.

The loop ends only with a refused token, or when it is cancelled. Every step of it has a deadline or
says that it takes too long, so a platform that is not heard is known within a minute.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from telegram.error import Conflict, InvalidToken, TelegramError

from adapters.telegram.account import Account
from adapters.telegram.inbound import ALLOWED, read
from adapters.telegram.transport import Flooded
from adapters.telegram.trouble import Trouble, cancelled_from_outside, unreachable
from adapters.telegram.words import Plain
from bot.domain.errors import ConfigError, StoreError
from bot.domain.events import Event
from bot.ports.platform import Inbox, Pulse

log = logging.getLogger(__name__)

GRACE = 10.0  # seconds that the answer to a poll may come late
LONGEST_POLL = 45  # seconds: a poll that is never answered is to be known within a minute
STORING = 20.0  # seconds after which a store that has not taken an update counts as stuck
STUCK = f"the store has not taken an update for {STORING:g} s; Telegram keeps the rest meanwhile"
RIVAL = (
    "another process polls with this bot's token, so each of them misses messages; stop it, or "
    "give this one a token of its own"
)


@dataclass(slots=True, kw_only=True)
class Handover:
    """Hands updates to the core, and ends the spinner of buttons that were pressed."""

    account: Account
    pulse: Pulse
    _answers: set[asyncio.Task[None]] = field(default_factory=set)

    async def give(self, updates: Sequence[Plain], inbox: Inbox) -> None:
        """Store updates in their order; raises what `Inbox.accept` raises, when all were tried.

        `accept` queues an event before it first waits, and tasks start in the order in which they
        are made: so a batch shares one commit, and stays in order.
        """
        me = self.account.me
        events = [event for update in updates if (event := read(update, me))]
        with self._watched():
            await _accept(events, inbox)
        for update in updates:
            if "callback_query" in update:
                task = asyncio.create_task(self._answer(update["callback_query"]))
                self._answers.add(task)
                task.add_done_callback(self._answers.discard)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Tell when storing takes long; it is not broken off, since it may still succeed."""
        timer = asyncio.get_running_loop().call_later(STORING, self.pulse.down, STUCK)
        try:
            yield
        finally:
            timer.cancel()

    async def _answer(self, query: Plain) -> None:
        try:
            await self.account.call("answerCallbackQuery", {"callback_query_id": query.get("id")})
        except TelegramError as error:  # the spinner ends by itself, later
            log.info("telegram: a button press was not answered: %s", type(error).__name__)


@dataclass(slots=True, kw_only=True)
class PollingReceiver:
    """Fetches updates by long polling."""

    account: Account
    pulse: Pulse
    poll_timeout: float  # seconds that Telegram waits for news
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def listen(self, inbox: Inbox) -> None:
        """See `bot.ports.platform.Receiver`; cancelling it confirms nothing that is not stored."""
        handover = Handover(account=self.account, pulse=self.pulse)
        trouble = Trouble(self.pulse, self.sleep)
        offset, heard = 0, False
        while True:
            patience, heard = self.poll_timeout if heard else 0.0, False
            try:
                await self.account.open()
                updates = await self._poll(offset, patience)
                await handover.give(updates, inbox)
                offset, heard = updates[-1]["update_id"] + 1 if updates else 0, True
            except (ConfigError, InvalidToken):
                refusal = self.account.refusal()
                self.pulse.down(str(refusal))
                raise refusal from None
            except asyncio.CancelledError as error:
                if cancelled_from_outside():
                    raise
                await self._recover(error, trouble)
            except Exception as error:  # noqa: BLE001 - nothing but the token ends a platform
                await self._recover(error, trouble)
            else:
                trouble.over()

    async def _poll(self, offset: int, patience: float) -> list[Plain]:
        """Fetch updates; the first poll, also after trouble, does not wait, to be heard at once."""
        seconds = min(patience, LONGEST_POLL)
        wait = {"offset": offset, "timeout": int(seconds), "allowed_updates": ALLOWED}
        updates: list[Plain] = await self.account.call("getUpdates", wait, seconds + GRACE)
        return updates

    async def _recover(self, error: BaseException, trouble: Trouble) -> None:
        match error:
            case Flooded():
                await trouble.wait("Telegram asks to poll less often", error.seconds)
            case Conflict() if "webhook" in error.message:
                await trouble.wait("a webhook is set for this bot; it is removed to poll")
                await self._drop_webhook()
            case Conflict():
                await trouble.wait(RIVAL, random.uniform(5, 10))  # noqa: S311 - no secret
            case TelegramError():
                await trouble.wait(unreachable(error))
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


async def _accept(events: Sequence[Event], inbox: Inbox) -> None:
    if len(events) == 1:
        await inbox.accept(events[0])
        return
    given = (inbox.accept(event) for event in events)
    for result in await asyncio.gather(*given, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
