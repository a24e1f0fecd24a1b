"""The way in: what Slack sends is stored before it is acknowledged.

Bolt acknowledges an event before its listener runs, and answers 404 where there is none. So there
are no listeners: one middleware converts, stores and answers for everything that comes, and any
answer but 200 means, over a socket as over HTTP, that Slack sends the event again.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.response import BoltResponse

from adapters.slack.inbound import convert
from adapters.slack.payloads import Account
from adapters.slack.web import SlackWeb
from bot.domain.errors import ConfigError, DeliveryError, RetryLater, StoreError
from bot.ports.platform import Inbox

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0  # seconds between two tries to connect
STEADY = 30.0  # seconds after which a connection counts as a good one

_log = logging.getLogger(__name__)
_bolt_log = logging.getLogger("adapters.slack.bolt")
_bolt_log.setLevel(logging.ERROR)  # below it logs bodies of requests


class Line(Protocol):
    """The way that Slack's requests take to us."""

    async def serve(self, app: AsyncApp) -> None:
        """Let the app answer requests until the line is lost.

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

    async def take(
        self, body: dict[str, Any], next_: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse:
        """Store what concerns us, then acknowledge; do not acknowledge what could not be stored."""
        if body.get("type") == "url_verification":  # Bolt knows how to answer this one
            return await next_()
        event = convert(body, self.account, at=time.time())
        try:
            if event is not None:
                await self.inbox.accept(event)
        except StoreError as error:
            _log.warning("an event from Slack was left unacknowledged: %s", error)
            return BoltResponse(status=503)
        return BoltResponse(status=200)


@dataclass(slots=True)
class SlackReceiver:
    """Listens to one workspace or organisation."""

    web: SlackWeb
    line: Line

    async def listen(self, inbox: Inbox) -> None:
        """Hand events to the core until cancelled; what breaks is built up again.

        Raises:
            ConfigError: Slack refuses a token, or the port cannot be opened.
        """
        self.web.open()
        try:
            await self._keep_listening(inbox)
        finally:
            await self.web.close()

    async def _keep_listening(self, inbox: Inbox) -> None:
        clock, pause, told = asyncio.get_running_loop().time, FIRST_PAUSE, ""
        while True:
            began = clock()
            reason, least = await self._serve_until_lost(inbox)
            if clock() - began > STEADY:
                pause, told = FIRST_PAUSE, ""
            if reason != told:
                _log.warning("not connected to Slack: %s; trying again", reason)
                told = reason
            await asyncio.sleep(max(least, pause * random.uniform(0.5, 1)))  # noqa: S311
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _serve_until_lost(self, inbox: Inbox) -> tuple[str, float]:
        """Return why the line was lost, and for how many seconds at least to leave Slack alone."""
        try:
            await self._serve(inbox)
        except ConfigError:
            raise
        except RetryLater as error:
            return str(error), error.seconds
        except DeliveryError as error:
            return str(error), 0.0
        except Exception as error:  # noqa: BLE001 - nothing but a refused token ends a platform
            _log.exception("an unexpected error while listening to Slack")
            return type(error).__name__, 0.0
        return "the connection was closed", 0.0

    async def _serve(self, inbox: Inbox) -> None:
        intake = Intake(inbox, await self.web.identify())
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
        await self.line.serve(app)
