"""The line to one OpenAI-compatible server: its key, its client, and what can be wrong with them.

Importing this module imports the SDK.
"""

import asyncio
from collections.abc import Mapping
from typing import cast
from urllib.request import getproxies

import aiohttp
import httpx2
import openai

from bot.backends.openai.bounds import bound
from bot.backends.openai.complaints import Complaints
from bot.backends.openai.hearing import Complaint, Garbled
from bot.backends.openai.settings import (
    OFFICIAL_HOST,
    LookUp,
    OpenAISettings,
    address,
    host_of,
    loopback,
    url_problems,
)
from bot.backends.openai.wire import KEEP_S, MOST_CALLS, Wire
from bot.domain.errors import ConfigError

CONNECT_S = 5.0
PROXIES = frozenset(("http", "https", "all"))  # as the environment names them
RETRIES = 2  # of one call, by the SDK: 408, 409, 429, 5xx, broken connections
# What the SDK would tell each server of this machine, its system and its Python.
OF_THE_MACHINE = ("Lang", "Package-Version", "OS", "Arch", "Runtime", "Runtime-Version", "Async")
UNSAID = {f"X-Stainless-{name}": openai.Omit() for name in OF_THE_MACHINE}
OF_THE_CALL = ("X-Stainless-Retry-Count", "X-Stainless-Read-Timeout")
# What is left out here the SDK copies or makes anew at each call, for nothing.
OF_A_CALL: openai.RequestOptions = {
    "headers": {name: openai.Omit() for name in OF_THE_CALL},
    "idempotency_key": "",
    "max_retries": RETRIES,
    "security": {"bearer_auth": True},
}

# What the SDK would not try again comes as it is; without a free file it cannot even import what it
# waits with.
BROKEN = (httpx2.RequestError, aiohttp.ClientError, OSError, Garbled, Complaint)


class Connecting:
    """The client of one configured model; it is made on first use, or by `open`."""

    def __init__(self, name: str, settings: OpenAISettings, look_up: LookUp, path: str) -> None:
        self._name, self._settings = name, settings
        url, key = address(settings, look_up), (look_up(settings.api_key_env) or "").strip()
        self._url = f"{url.rstrip('/')}{path}"  # whole, since the SDK is slow at joining the two
        self._host, self._key = host_of(url), key
        self.official = self._host == OFFICIAL_HOST
        self.complaints = Complaints(
            name=name, settings=settings, url=url, keyed=bool(key), path=path
        )
        self._timeout = httpx2.Timeout(settings.timeout_s, connect=CONNECT_S)
        self._client: openai.AsyncOpenAI | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> openai.AsyncOpenAI:
        """Return the client, made in a thread since its TLS context takes some 50 ms of CPU.

        Raises:
            ConfigError: the key is missing, or the base URL is not one to send a key to.
        """
        if self._client is not None:
            return self._client
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(self._connect)
            return self._client

    async def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def post(self, content: bytes) -> httpx2.Response:
        """Send bytes as they are and get the response unread, through the SDK's retries and errors.

        `cast_to` decides what comes back; the SDK's types know only the stream.

        Raises:
            ConfigError: as `open` does.
            ModelError: the server answers with a web page.
        """
        client = await self.open()
        response: object = await client.post(
            self._url,
            cast_to=httpx2.Response,
            content=content,
            options={**OF_A_CALL, "timeout": self._timeout},
            stream=True,
            stream_cls=openai.AsyncStream[object],
        )
        answered = cast("httpx2.Response", response)
        if answered.headers.get("content-type", "").startswith("text/html"):
            await answered.aclose()
            raise self.complaints.web_page()
        return answered

    def _connect(self) -> openai.AsyncOpenAI:
        for problem in url_problems(self.complaints.url):
            if not self._settings.base_url:
                raise ConfigError(problem.replace("base_url", "OPENAI_BASE_URL", 1))
            raise ConfigError(f"models.{self._name}.{problem}")
        variable = self._settings.api_key_env
        if self.official and not self._key:
            raise ConfigError(
                f"models.{self._name}.api_key_env: {variable} is not set; put the key into it, "
                "or set base_url for a server without keys"
            )
        if not (self._key.isascii() and self._key.isprintable()):
            raise ConfigError(
                f"models.{self._name}.api_key_env: {variable} holds characters that no key has; "
                "copy the key again"
            )
        return openai.AsyncOpenAI(
            api_key=self._key or "none",  # the SDK wants one, servers without keys do not look
            base_url=self.complaints.url,
            default_headers=cast("Mapping[str, str]", UNSAID),
            max_retries=RETRIES,
            timeout=self._timeout,
            http_client=self._http(),
        )

    def _http(self) -> httpx2.AsyncClient:
        """Return what requests travel by: the SDK's own way knows proxies."""
        if loopback(self._host) or not PROXIES.intersection(getproxies()):
            return Wire(self.complaints.url, LOOKS)
        return openai.DefaultAioHttpClient(
            limits=httpx2.Limits(max_connections=MOST_CALLS, keepalive_expiry=KEEP_S),
            follow_redirects=False,
            event_hooks={"response": [*LOOKS]},
        )


async def _no_retries(response: httpx2.Response) -> None:
    """Keep the SDK from retrying an empty account, which the API reports as a rate limit."""
    if response.status_code == 429 and b"insufficient_quota" in await response.aread():
        response.headers["x-should-retry"] = "false"


LOOKS = (bound, _no_retries)  # at each response, before its body is read
