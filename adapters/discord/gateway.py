"""One connection to Discord's gateway, kept for as long as the bot listens.

The SDK's own loop (`Client.connect`) would wait up to 17 minutes between attempts, print tracebacks
for a lost network, and end when a payload surprises its parsers. This one uses its web socket
(hello, compression, identify, resume) and nothing behind it: each dispatch goes to `hear` as raw
payload. It also asks for signs of life itself: the SDK's keep-alive takes any frame for one, so it
would miss that Discord no longer answers, and it sleeps for as long as Discord's hello tells it to.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NoReturn

import aiohttp
import discord
from discord.gateway import DiscordWebSocket, ReconnectWebSocket

from adapters.discord.allowance import Allowance, pause
from bot.domain.errors import ConfigError
from bot.ports.platform import Pulse

_log = logging.getLogger(__name__)
_STEADY: Final = 30.0  # seconds after which a connection counts as having worked
_CLOSE_WITHIN: Final = 2.0
_RESUMES: Final = 5  # that may fail in a row before the session is given up
_NO_HELLO: Final = "Discord did not say hello"
_NO_PORTAL: Final = "switch it on in the Developer Portal under Bot → Privileged Gateway Intents"
# https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
_FATAL: Final = MappingProxyType(
    {
        4004: "adapters.discord.token_env: Discord refuses the bot token; set a new one",
        4010: "adapters.discord: Discord refuses the shard; report this as a defect",
        4011: "adapters.discord: the bot is in more servers than one connection may serve; "
        "remove it from some",
        4012: "adapters.discord: Discord no longer speaks this version; update discord.py",
        4013: "adapters.discord: Discord refuses the intents; update discord.py",
        4014: f"adapters.discord.message_content: the intent is not enabled; {_NO_PORTAL}, "
        "or set message_content = false",
    }
)

Hear = Callable[[str, dict[str, Any]], None]


class Silence(Exception):
    """Discord gave no sign of life in time; the text says which."""


@dataclass(slots=True)
class Gateway:
    """Connects, resumes when it can, identifies anew when it must, and tells `pulse`."""

    client: discord.Client
    hear: Hear
    names: Iterable[str]  # the dispatches that are wanted
    pulse: Pulse
    patience: float = 25.0  # seconds that Discord may take to answer; silence is noticed in 50
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic
    _socket: DiscordWebSocket | None = None
    _begun: bool = False  # whether this connection has a session: READY or RESUMED came
    _session: dict[str, Any] = field(default_factory=dict)  # how to go on with the last session
    _vain: int = 0  # connections in a row that got no session

    async def run(self) -> None:
        """Hand over dispatches until cancelled.

        Raises:
            ConfigError: Discord refuses the token or the intents.
        """
        state = self.client._connection  # noqa: SLF001 - the SDK has no door for raw payloads
        state.parsers = {name: partial(self.hear, name) for name in self.names}
        state.parsers |= {name: partial(self._begin, name) for name in ("READY", "RESUMED")}
        state.heartbeat_timeout = self.patience  # for the hello
        allowance, failures = Allowance(self.clock), 0
        while True:
            began, identifies = self.clock(), not self._session
            why = await self._attempt()
            if identifies and self._socket is not None:
                allowance.spend()
            failures = 1 if self.clock() - began > _STEADY else failures + 1
            wait = pause(failures, resumes=bool(self._session))
            if not self._session:
                wait = max(wait, allowance.wait)
            self.pulse.down(f"{why}; next try in {wait:.0f} s")
            _log.info("discord: %s; next try in %.1f s", why, wait)
            await self.sleep(wait)

    async def _attempt(self) -> str:
        """Hold one connection until it ends; return why, in words for the operator."""
        self._socket, self._begun = None, False
        try:
            await self._converse()
        except ReconnectWebSocket as wish:
            self._remember(resumes=wish.resume)
            return self._farewell(resumes=wish.resume)
        except discord.ConnectionClosed as closed:
            if closed.code in _FATAL:
                raise ConfigError(_FATAL[closed.code]) from closed
            self._remember(resumes=True)
            return f"Discord closed the connection with code {closed.code}"
        except Silence as silence:
            self._remember(resumes=self._begun or self._socket is None)
            return str(silence)
        except (OSError, aiohttp.ClientError) as error:
            self._remember(resumes=True)
            return f"Discord cannot be reached: {type(error).__name__}"
        except Exception as error:  # noqa: BLE001 - a broken frame; a resume would bring it again
            self._remember(resumes=False)
            return f"Discord sent something unreadable: {type(error).__name__}"
        finally:
            await self._hang_up()

    async def _converse(self) -> NoReturn:
        connecting = DiscordWebSocket.from_client(self.client, initial=True, **self._session)
        try:
            self._socket = await asyncio.wait_for(connecting, self.patience + _CLOSE_WITHIN)
        except TimeoutError:
            raise Silence(_NO_HELLO) from None
        tasks = [
            asyncio.ensure_future(self._listen(self._socket)),
            asyncio.ensure_future(self._ask(self._socket)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            ended = tasks[0] if tasks[0].done() else tasks[1]  # a close code tells more
            ended.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, socket: DiscordWebSocket) -> NoReturn:
        while True:
            await socket.poll_event()

    async def _ask(self, socket: DiscordWebSocket) -> NoReturn:
        """Send heartbeats, as often as Discord wants or more often, and look for the answers.

        Raises:
            Silence: a heartbeat was not answered, or no session began, while there was time.
        """
        keeper = socket._keep_alive  # noqa: SLF001 - it notes the answers; its thread may end
        if keeper is None or not keeper.interval:
            raise Silence(_NO_HELLO)
        keeper.stop()
        socket._max_heartbeat_timeout = 3 * self.patience  # noqa: SLF001 - this method is quicker
        every = min(max(keeper.interval, 1.0), self.patience)
        asked, began = keeper._last_send, self.clock()  # noqa: SLF001 - at the hello
        while True:
            await asyncio.sleep(every)
            if keeper._last_ack <= asked:  # noqa: SLF001
                raise Silence(f"Discord did not answer a heartbeat within {every:.0f} s")
            if self._begun:
                self.pulse.up()
            elif self.clock() - began >= self.patience:
                raise Silence(f"Discord opened no session within {self.patience:.0f} s")
            asked = time.perf_counter()
            with contextlib.suppress(OSError, RuntimeError, discord.ConnectionClosed):
                await socket.send_heartbeat(keeper.beat())  # `_listen` tells of a closed socket

    def _begin(self, name: str, data: dict[str, Any]) -> None:
        self._begun, self._vain = True, 0
        self.pulse.up()
        self.hear(name, data)

    def _remember(self, *, resumes: bool) -> None:
        """Keep what a resume needs, unless Discord has dropped the session or never takes it up."""
        socket = self._socket
        if socket is not None and not self._begun:
            self._vain += 1
        if not resumes or self._vain >= _RESUMES:
            self._session, self._vain = {}, 0
        elif socket is None:  # perhaps the address is to blame that the session came with
            self._session.pop("gateway", None)
        elif socket.session_id:
            self._session = {
                "session": socket.session_id,
                "sequence": socket.sequence,
                "gateway": socket.gateway,
                "resume": True,
            }

    def _farewell(self, *, resumes: bool) -> str:
        if self._socket is None:
            return _NO_HELLO
        if self._socket._close_code is None:  # noqa: SLF001 - the SDK's own: not closed by us
            return f"Discord closed the connection with code {self._socket.socket.close_code}"
        return "Discord asked to connect again" if resumes else "Discord ended the session"

    async def _hang_up(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError, aiohttp.ClientError):
                await asyncio.wait_for(self._socket.close(), _CLOSE_WITHIN)
