"""The one logged-in client that receiver and sender share, and every web call through it.

discord.py's own HTTP client keeps Discord's rate limits (buckets, `Retry-After`, the global limit)
and retries 5xx; here its errors become those of the core. Nothing of the SDK's cache is used.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from adapters.discord.settings import DiscordSettings
from bot.domain.errors import ConfigError, DeliveryError, Gone, RetryLater, Unreachable

_OFFICIAL_GATEWAY: Final = DiscordWebSocket.DEFAULT_GATEWAY
_PATIENCE: Final = aiohttp.ClientTimeout(total=20)
_LONGEST_WAIT: Final = 30.0  # seconds that the SDK may sleep for a rate limit: its own minimum
_UNKNOWN_WAIT: Final = 60.0  # when Discord says 429 without a number
# Below these levels the SDK logs message text and interaction tokens.
_LEVELS: Final = (
    ("discord.client", logging.ERROR),
    ("discord.http", logging.ERROR),
    ("discord.gateway", logging.WARNING),
)


class Refused(Gone):
    """Discord refuses a call for good."""

    def __init__(self, call: str, status: int, code: int) -> None:
        super().__init__(f"Discord refuses {call} with status {status}, code {code}")
        self.code = code  # https://discord.com/developers/docs/topics/opcodes-and-status-codes


def point_at(settings: DiscordSettings) -> None:
    """Set the addresses of Discord, for the whole process, as the SDK keeps them."""
    Route.BASE = settings.api_base_url.rstrip("/")
    own = settings.gateway_url
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(own) if own else _OFFICIAL_GATEWAY


@dataclass(slots=True)
class Session:
    """A client that is logged in on first need and closed with its last holder."""

    settings: DiscordSettings
    token: str = field(repr=False)
    # Interactions whose deferral is under way, by `reply_via`: answering earlier would fail.
    deferrals: dict[str, asyncio.Future[None]] = field(default_factory=dict)
    _client: discord.Client | None = None
    _holders: int = 0
    _door: asyncio.Lock = field(default_factory=asyncio.Lock)

    def hold(self) -> None:
        """Count one more user of the client."""
        self._holders += 1

    async def release(self) -> None:
        """Count one less; the last one closes the client."""
        self._holders -= 1
        if self._holders == 0 and self._client is not None:
            client, self._client = self._client, None
            await client.close()

    async def login(self) -> discord.Client:
        """Return the client, logged in.

        Raises:
            ConfigError: Discord refuses the token.
            Unreachable: Discord does not answer.
        """
        if self._client is None:
            async with self._door:
                self._client = self._client or await self._log_in()
        return self._client

    async def call(
        self, method: str, path: str, *, json: Any = None, params: Any = None, **ids: str
    ) -> Any:
        """Make one call and return the decoded answer.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: as in Discord's documentation, with `{channel_id}` and the like.
            json: the body.
            params: what stands behind the question mark.
            ids: the values for the path; which rate limit a call counts against follows from them.

        Raises:
            RetryLater: Discord asks to wait longer than a few seconds.
            Refused: a `Gone`: not permitted, not there, not valid.
            Unreachable: no answer, so the outcome is unknown.
            ConfigError: the token is refused.
        """
        client = await self.login()
        body = {} if json is None else {"json": json}
        route = Route(method, path, **ids)
        try:
            return await client.http.request(route, timeout=_PATIENCE, params=params, **body)
        except discord.RateLimited as wait:
            raise RetryLater(wait.retry_after) from wait
        except discord.HTTPException as error:
            raise _meaning(f"{method} {path}", error) from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"Discord did not answer {method} {path}") from error

    async def _log_in(self) -> discord.Client:
        point_at(self.settings)
        for name, level in _LEVELS:
            logging.getLogger(name).setLevel(level)
        client = _client(self.settings)
        try:
            await client.login(self.token)
        except discord.LoginFailure as error:
            await client.close()
            raise ConfigError(
                "adapters.discord.token_env: Discord refuses the bot token; "
                "reset it in the Developer Portal under Bot and set the new one"
            ) from error
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            await client.close()
            raise Unreachable(f"Discord does not answer: {type(error).__name__}") from error
        return client


def _client(settings: DiscordSettings) -> discord.Client:
    intents = discord.Intents(
        guilds=True,
        guild_messages=True,
        guild_reactions=True,
        dm_messages=True,
        dm_reactions=True,
        message_content=settings.message_content,
    )
    return discord.Client(
        intents=intents,
        max_messages=None,
        chunk_guilds_at_startup=False,
        member_cache_flags=discord.MemberCacheFlags.none(),
        allowed_mentions=discord.AllowedMentions.none(),
        max_ratelimit_timeout=_LONGEST_WAIT,
    )


def _meaning(call: str, error: discord.HTTPException) -> DeliveryError:
    if error.status == 429:  # from the network in front of Discord, or five times in a row
        return RetryLater(float(error.response.headers.get("Retry-After") or _UNKNOWN_WAIT))
    if error.status >= 500 or error.status == 401:
        return Unreachable(f"Discord answers {call} with status {error.status}")
    return Refused(call, error.status, error.code)
