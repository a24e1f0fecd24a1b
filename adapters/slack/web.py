"""Slack's Web API over one session: each call ends with an answer or with one of our own errors.

Nothing is tried again here. The SDK's own second try after a broken connection is switched off,
because the message that it would post anew may have arrived already.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.kit.files import LOOPBACK
from adapters.slack import markup
from adapters.slack.payloads import Account, text
from bot.domain.errors import (
    ConfigError,
    DeliveryError,
    Gone,
    RetryLater,
    Unformattable,
    Unreachable,
)
from bot.domain.replies import Button

TIMEOUT = 8.0  # seconds for one call: less than `settle_s`, so that a late post has landed by then
QUIET = {"unfurl_links": False, "unfurl_media": False, "link_names": False, "parse": "none"}

# The SDK's loggers would format texts and headers for DEBUG on every call, and print tracebacks of
# failures that are ours to judge; this one is given to everything of the SDK's.
SDK_LOG = logging.getLogger("adapters.slack.sdk")
SDK_LOG.setLevel(logging.CRITICAL)

_REFUSED = {"account_inactive", "invalid_auth", "not_allowed_token_type", "not_authed",
            "token_expired", "token_revoked"}  # fmt: skip
_GONE = _REFUSED | {"cannot_reply_to_message", "channel_not_found", "ekm_access_denied",
                    "is_archived", "messages_tab_disabled", "not_in_channel", "restricted_action",
                    "restricted_action_read_only_channel",
                    "restricted_action_thread_locked"}  # fmt: skip
_MARKUP = {"invalid_blocks", "invalid_blocks_format", "markdown_text_conflict",
           "msg_blocks_too_long", "msg_too_long"}  # fmt: skip
_TROUBLE = {"fatal_error", "internal_error", "request_timeout", "service_unavailable"}
_RATE = {"ratelimited", "rate_limited"}

Method = Callable[..., Awaitable[AsyncSlackResponse]]


class Rejected(DeliveryError):
    """Slack understood the call and did not do it; `name` is Slack's name of the reason."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Slack answered {name}")
        self.name = name


@dataclass(slots=True)
class SlackWeb:
    """One token's way to Slack."""

    base_url: str
    token: str = field(repr=False)
    client: AsyncWebClient = field(init=False, repr=False)
    session: aiohttp.ClientSession = field(init=False, repr=False)
    account: Account = field(default=Account(), init=False)  # who we are, once `identify` said it

    def open(self) -> None:
        """Create the client and the session that all calls share."""
        self.session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            json_serialize=_dump,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self.client = AsyncWebClient(
            token=self.token,
            base_url=self.base_url,
            session=self.session,
            retry_handlers=[],
            logger=SDK_LOG,
        )
        if self.local:
            self.client.proxy = None  # the SDK would send loopback calls to $HTTP_PROXY

    async def close(self) -> None:
        """Close the session."""
        await self.session.close()

    @property
    def local(self) -> bool:
        """Tell whether this Slack runs on this machine."""
        return (urlsplit(self.base_url).hostname or "") in LOOPBACK

    async def call(self, method: Method, **arguments: Any) -> Mapping[str, Any]:
        """Call one of the client's methods.

        Raises:
            RetryLater: too many calls; Slack says how long to wait.
            Unreachable: nobody knows whether it was done.
            Unformattable: Slack does not take this Markdown.
            Gone: the channel or the token is closed to us.
            Rejected: everything else that Slack answers.
        """
        try:
            answer = await method(**arguments)
        except SlackApiError as error:
            raise _failure(error.response) from None
        except (aiohttp.ClientError, OSError) as error:  # a timeout is an OSError
            raise Unreachable(f"Slack cannot be reached: {type(error).__name__}") from None
        return answer.data if isinstance(answer.data, dict) else {}

    async def write(
        self, method: Method, shown: str, *, buttons: Sequence[Button] = (), **arguments: Any
    ) -> Mapping[str, Any]:
        """Call a method that takes a text; in a plainer form if Slack does not take this one."""
        *better, plainest = markup.forms(shown, buttons=buttons)
        for form in better:
            try:
                return await self.call(method, **arguments, **QUIET, **form())
            except Unformattable:
                continue
        return await self.call(method, **arguments, **QUIET, **plainest())

    async def respond(self, url: str, body: Mapping[str, Any]) -> bool:
        """Answer through a response URL; False when it works no more or is none of Slack's.

        Raises:
            Unformattable: Slack does not take these blocks.
            RetryLater, Unreachable: as for `call`.
        """
        if not self._trusts(url):
            return False
        try:
            async with self.session.post(
                url, json=body, allow_redirects=False, proxy=self.client.proxy
            ) as answer:
                status, headers = answer.status, answer.headers
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"Slack cannot be reached: {type(error).__name__}") from None
        if status == 429:
            raise RetryLater(_wait(headers))
        if status >= 500:
            raise Unreachable(f"Slack is in trouble: {status}")
        if status == 400:
            raise Unformattable("Slack does not take this answer")
        return status == 200

    def _trusts(self, url: str) -> bool:
        """Tell whether a URL leads to Slack, or to the Slack of this machine."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if self.local:
            return host in LOOPBACK
        return parts.scheme == "https" and host.endswith((".slack.com", ".slack-gov.com"))

    async def identify(self) -> Account:
        """Ask Slack who we are.

        Raises:
            ConfigError: Slack refuses the token.
            DeliveryError: Slack does not answer now.
        """
        try:
            answer = await self.call(self.client.auth_test)
        except Gone as error:
            raise ConfigError(
                f"adapters.slack.bot_token_env: Slack refuses the bot token ({error}); "
                "install the app again and set its new token"
            ) from None
        self.account = Account(
            team=text(answer, "team_id"),
            user=text(answer, "user_id"),
            bot=text(answer, "bot_id"),
            enterprise=text(answer, "enterprise_id"),
        )
        return self.account


def _failure(response: Any) -> DeliveryError:
    """Name a failed answer; `response` is the SDK's, or aiohttp's when it held no JSON."""
    data = getattr(response, "data", None)
    name = str(data.get("error") or "") if isinstance(data, dict) else ""
    status = getattr(response, "status_code", 0) or getattr(response, "status", 0)
    if status == 429 or name in _RATE:
        return RetryLater(_wait(response.headers))
    if not name or status >= 500 or name in _TROUBLE:
        return Unreachable(f"Slack is in trouble: {name or status}")
    if name in _MARKUP:
        return Unformattable(name)
    return Gone(name) if name in _GONE else Rejected(name)


def _wait(headers: Mapping[str, str]) -> float:
    try:
        return max(0.0, float(headers.get("Retry-After", 1)))
    except ValueError:
        return 1.0


def _dump(value: object) -> str:
    return orjson.dumps(value).decode()
