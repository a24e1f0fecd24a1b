"""Socket Mode: Slack's requests come over a websocket that we open, so no port is open here.

The SDK's client takes care of one connection, also when Slack asks it to move. What it does badly
is left to others: it would try an expired address for ever, go on when a token was revoked, and
sleep after a connection broke. So it is watched, and a lost connection is given up; the receiver,
which knows how to wait, begins a new one. A connection stands when Slack has said hello on it.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp

from adapters.slack.payloads import text
from adapters.slack.web import SDK_LOG, Rejected, SlackWeb
from bot.domain.errors import ConfigError, Gone, Unreachable

PING = 5.0  # seconds; four unanswered ones make a connection dead
CONNECT = 5.0  # seconds until a connection must stand
HELLO = 10.0  # seconds until Slack must have said hello on it
WATCH = 0.25  # seconds between two looks at it; two bad ones end it
LAST_ACKS = 2.0  # seconds for requests that are still being stored when we stop

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class SocketLine:
    """A websocket to Slack."""

    web: SlackWeb
    app_token: str = field(repr=False)
    watched: bool = field(default=True, init=False)
    _running: set[asyncio.Task[Any]] = field(default_factory=set, init=False)

    async def serve(self, app: AsyncApp, connected: Callable[[], None]) -> None:
        """Let the app answer what comes until the connection is lost.

        Raises:
            ConfigError: Slack refuses the app token.
            DeliveryError: no connection can be had now.
        """
        address = await self._ask_for_address()
        handler = AsyncSocketModeHandler(
            app, self.app_token, logger=SDK_LOG, web_client=self.web.client, ping_interval=PING
        )
        client = handler.client
        client.wss_uri, client.proxy = address, self.web.client.proxy
        client.socket_mode_request_listeners.insert(0, self._hold)
        greeted = _Greeting(connected)
        client.message_listeners.append(greeted.take)
        try:
            async with asyncio.timeout(CONNECT):
                await handler.connect_async()  # type: ignore[no-untyped-call]
            await _lost(handler, greeted)
        except TimeoutError:
            raise Unreachable("Slack's socket cannot be reached") from None
        finally:
            if self._running:
                await asyncio.wait(self._running, timeout=LAST_ACKS)
            await handler.close_async()  # type: ignore[no-untyped-call]

    async def _ask_for_address(self) -> str:
        opening = self.web.client.apps_connections_open
        try:
            return text(await self.web.call(opening, app_token=self.app_token), "url")
        except (Gone, Rejected) as error:
            raise ConfigError(
                f"adapters.slack.app_token_env: Slack refuses the app token ({error}); create one "
                "with the scope connections:write, and switch Socket Mode on in the app's settings"
            ) from None

    async def _hold(self, *_: object) -> None:
        """Keep the task that answers a request alive: the SDK does not, and nobody else would."""
        task = asyncio.current_task()
        if task is not None:
            self._running.add(task)
            task.add_done_callback(self._running.discard)


@dataclass(slots=True)
class _Greeting:
    """On which connection Slack has said hello, after which events come."""

    connected: Callable[[], None]
    session: object = None

    async def take(self, client: Any, message: Mapping[str, Any], _: str | None = None) -> None:
        if message.get("type") == "hello":
            self.session = client.current_session
            _log.info("connected to Slack")
            self.connected()


async def _lost(handler: AsyncSocketModeHandler, greeted: _Greeting) -> None:
    """Wait until the connection is lost; one bad look may be the SDK moving to another one.

    Raises:
        Unreachable: Slack does not say hello.
    """
    client, clock, misses = handler.client, asyncio.get_running_loop().time, 0
    session, deadline = client.current_session, clock() + HELLO
    while misses < 2:
        await asyncio.sleep(WATCH)
        misses = 0 if await client.is_connected() and _works(client) else misses + 1
        if client.current_session is not session:
            session, deadline = client.current_session, clock() + HELLO
        if greeted.session is not session and clock() > deadline:
            raise Unreachable("Slack's socket is connected, but Slack says nothing")


def _works(client: Any) -> bool:
    """Tell whether the SDK still reads what comes and hands it on."""
    reader, worker = client.message_receiver, client.message_processor
    return not (reader is None or reader.done() or worker.done())
