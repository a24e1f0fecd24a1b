"""The way in: what Slack sends is stored before it is acknowledged.

Bolt acknowledges an event before its listener runs, and answers 404 where there is none. So there
are no listeners: one middleware converts, stores and answers for everything that comes, and any
answer but 200 means, over a socket as over HTTP, that Slack sends the event again. What Slack no
longer sends is read back (`catchup`), and a socket that goes silent is looked into (`watch`).
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.response import BoltResponse

from adapters.slack.catchup import Catchup
from adapters.slack.history import History
from adapters.slack.inbound import convert
from adapters.slack.marks import Bookmarks
from adapters.slack.payloads import Account
from adapters.slack.watch import EVERY, GRACE, Watch
from adapters.slack.web import SlackWeb
from bot.domain.errors import ConfigError, DeliveryError, RetryLater, StoreError
from bot.domain.events import Event, Joined, MessageReceived
from bot.ports.platform import Inbox, Marks, Pulse

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0  # seconds between two tries to connect
STEADY = 30.0  # seconds after which a connection counts as a good one
FLUSH_EVERY = 1.0  # seconds between two writes of marks

_log = logging.getLogger(__name__)
_bolt_log = logging.getLogger("adapters.slack.bolt")
_bolt_log.setLevel(logging.ERROR)  # below it logs bodies of requests


class Line(Protocol):
    """The way that Slack's requests take to us."""

    watched: bool  # whether silence on it may mean that it has to be opened anew

    async def serve(self, app: AsyncApp, connected: Callable[[], None]) -> None:
        """Let the app answer requests until the line is lost.

        `connected` is called before the first request of each connection is answered.

        Raises:
            ConfigError: it will never work like this.
            DeliveryError: it does not work now.
        """
        ...


@dataclass(slots=True)
class Intake:
    """Takes every request of Slack's."""

    inbox: Inbox
    account: Account
    catchup: Catchup
    watch: Watch

    def connected(self) -> None:
        """Begin to catch up, for nobody listened before this connection."""
        self.catchup.begin()
        self.watch.connected()

    async def take(
        self, body: dict[str, Any], next_: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse:
        """Store what concerns us, then acknowledge; do not acknowledge what could not be stored."""
        if body.get("type") == "url_verification":  # Bolt knows how to answer this one
            return await next_()
        self.watch.heard()
        event = convert(body, self.account, at=time.time())
        try:
            await self._accept(event)
        except StoreError as error:
            _log.warning("an event from Slack was left unacknowledged: %s", error)
            return BoltResponse(status=503)
        return BoltResponse(status=200)

    async def _accept(self, event: Event | None) -> None:
        if isinstance(event, MessageReceived):
            self.watch.received(event)
            bookmarks = self.catchup.bookmarks
            bookmarks.arrived(event)
            await self.catchup.wait(event)
            bookmarks.accepted(event, concerns_us=await self.inbox.accept(event))
        elif event is not None:
            if isinstance(event, Joined):
                self.catchup.joined(event.conversation, event.at)
            await self.inbox.accept(event)


@dataclass(slots=True, kw_only=True)
class SlackReceiver:
    """Listens to one workspace or organisation."""

    web: SlackWeb
    line: Line
    marks: Marks
    pulse: Pulse
    messages: int  # to be read back at most per channel
    hours: float  # how far back
    look_every: float = EVERY
    grace: float = GRACE

    async def listen(self, inbox: Inbox) -> None:
        """Hand events to the core until cancelled; what breaks is built up again.

        Raises:
            ConfigError: Slack refuses a token, or the port cannot be opened.
        """
        self.web.open()
        bookmarks = Bookmarks(self.marks)
        history = History(self.web, self.messages, self.hours)
        catchup = Catchup(history, bookmarks, inbox.accept)
        watch = Watch(catchup, self.pulse, self.look_every, self.grace)
        try:
            await bookmarks.load()
            flushing = asyncio.create_task(_flush_often(catchup))
            try:
                await self._keep_listening(Intake(inbox, Account(), catchup, watch))
            finally:
                flushing.cancel()
        finally:
            await catchup.close()
            bookmarks.flush()
            await self.web.close()

    async def _keep_listening(self, intake: Intake) -> None:
        clock, pause, told = asyncio.get_running_loop().time, FIRST_PAUSE, ""
        while True:
            began = clock()
            reason, least = await self._serve_until_lost(intake)
            self.pulse.down(reason)
            if clock() - began > STEADY:
                pause, told = FIRST_PAUSE, ""
            if reason != told:
                _log.warning("not connected to Slack: %s; trying again", reason)
                told = reason
            await asyncio.sleep(max(least, pause * random.uniform(0.5, 1)))  # noqa: S311
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _serve_until_lost(self, intake: Intake) -> tuple[str, float]:
        """Return why the line was lost, and for how many seconds at least to leave Slack alone."""
        try:
            await self._serve(intake)
        except ConfigError as error:
            self.pulse.down(str(error))
            raise
        except RetryLater as error:
            return str(error), error.seconds
        except DeliveryError as error:
            return str(error), 0.0
        except Exception as error:  # noqa: BLE001 - nothing but a refused token ends a platform
            _log.exception("an unexpected error while listening to Slack")
            return type(error).__name__, 0.0
        return "the connection was closed", 0.0

    async def _serve(self, intake: Intake) -> None:
        intake.account = await self.web.identify()
        app = AsyncApp(
            name="parley",
            token=self.web.token,
            logger=_bolt_log,
            before_authorize=intake.take,
            request_verification_enabled=False,  # over HTTP `HttpLine` has done it
            ignoring_self_events_enabled=False,
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )
        work = [self.line.serve(app, intake.connected)]
        if self.line.watched:
            work.append(intake.watch.keep())
        await _first_to_end(work)


async def _first_to_end(work: list[Coroutine[Any, Any, None]]) -> None:
    """Run things side by side until one of them ends; raises what it raised."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            if not task.done():
                task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for error in results:
        if isinstance(error, Exception):
            raise error


async def _flush_often(catchup: Catchup) -> None:
    while True:
        await asyncio.sleep(FLUSH_EVERY)
        catchup.bookmarks.flush()
        catchup.mend()
