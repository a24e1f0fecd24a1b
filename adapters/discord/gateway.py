"""One connection to Discord's gateway, kept for as long as the bot listens.

The SDK's own loop (`Client.connect`) would wait up to 17 minutes between attempts, print tracebacks
for a lost network, and end when a payload surprises its parsers. This one uses its web socket
(hello, heartbeat, compression, resume) and nothing behind it: each dispatch goes to `hear` as raw
payload.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NoReturn

import aiohttp
import discord
from discord.gateway import DiscordWebSocket, ReconnectWebSocket

from bot.domain.errors import ConfigError

_log = logging.getLogger(__name__)
_CONNECT_WITHIN: Final = 60.0  # seconds
_STEADY: Final = 30.0  # seconds after which a connection counts as having worked
_CLOSE_WITHIN: Final = 2.0
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


def pause(failures: int, *, identified: bool, resumes: bool) -> float:
    """Return how many seconds to wait before the next attempt.

    The first resume is immediate. Identifies are limited to 1,000 a day, so a session that keeps
    breaking is opened ever more rarely; attempts that do not reach Discord cost nothing.
    """
    if resumes and failures == 1:
        return 0.0
    longest = 120 if identified and not resumes else 5
    return max(min(2.0**failures, longest) * random.uniform(0.5, 1), 1.0)  # noqa: S311


@dataclass(slots=True)
class Gateway:
    """Connects, resumes when it can, identifies anew when it must."""

    client: discord.Client
    hear: Hear
    names: Iterable[str]  # the dispatches that are wanted; READY and RESUMED among them
    _socket: DiscordWebSocket | None = None
    _session: dict[str, Any] = field(default_factory=dict)  # how to go on with the last session

    async def run(self) -> None:
        """Hand over dispatches until cancelled.

        Raises:
            ConfigError: Discord refuses the token or the intents.
        """
        state = self.client._connection  # noqa: SLF001 - the SDK has no door for raw payloads
        state.parsers = {name: partial(self.hear, name) for name in self.names}
        loop, failures = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            why = await self._attempt()
            identified = self._socket is not None
            failures = 1 if loop.time() - began > _STEADY else failures + 1
            wait = pause(failures, identified=identified, resumes=bool(self._session))
            _log.info("discord: the gateway connection ended (%s); next try in %.1f s", why, wait)
            await asyncio.sleep(wait)

    async def _attempt(self) -> str:
        """Hold one connection until it ends; return why."""
        try:
            await self._converse()
        except ReconnectWebSocket as wish:
            self._remember(resumes=wish.resume)
            return "resume" if wish.resume else "new session"
        except discord.ConnectionClosed as closed:
            if closed.code in _FATAL:
                raise ConfigError(_FATAL[closed.code]) from closed
            self._remember(resumes=True)
            return f"code {closed.code}"
        except (OSError, aiohttp.ClientError) as error:
            self._remember(resumes=True)
            return type(error).__name__
        except Exception as error:  # noqa: BLE001 - a broken frame; a resume would bring it again
            _log.warning("discord: an unreadable gateway frame: %s", type(error).__name__)
            self._remember(resumes=False)
            return "unreadable"
        finally:
            await self._hang_up()

    async def _converse(self) -> NoReturn:
        self._socket = None
        connecting = DiscordWebSocket.from_client(self.client, initial=True, **self._session)
        self._socket = await asyncio.wait_for(connecting, _CONNECT_WITHIN)
        while True:
            await self._socket.poll_event()

    def _remember(self, *, resumes: bool) -> None:
        if not resumes:
            self._session = {}
        elif self._socket is not None and self._socket.session_id:
            self._session = {
                "session": self._socket.session_id,
                "sequence": self._socket.sequence,
                "gateway": self._socket.gateway,
                "resume": True,
            }

    async def _hang_up(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError, aiohttp.ClientError):
                await asyncio.wait_for(self._socket.close(), _CLOSE_WITHIN)
