"""A guard behind `POST {base_url}/moderations`: words, and pictures as data URLs.

One call is one small request over a connection that is kept, written and read with orjson; the
SDK's typed way in and out would cost several times the CPU of the call.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

import aiohttp
import orjson
from aiohttp.helpers import proxies_from_env

from bot.backends.guards.openai.categories import findings
from bot.backends.guards.openai.request import bodies
from bot.backends.openai.settings import host_of, loopback
from bot.domain.errors import GuardError
from bot.domain.moderation import Sample
from bot.ports.guard import Judgement

log = logging.getLogger(__name__)
LARGEST_BODY = 1 << 20  # bytes of an answer
KEEP_S = 60.0  # an idle connection is kept: a new one costs a TLS handshake
TRIES = 2  # of one call, within its time
PAUSE_S = 0.25  # before the second try
PASSING = (408, 409, 429, 500, 502, 503, 504)  # states in which the same request may succeed later


class OpenAIGuard:
    """One moderation model on one server; its session is made by the first call."""

    def __init__(self, *, base_url: str, key: str, model: str, timeout_s: float) -> None:
        self._url = f"{base_url.rstrip('/')}/moderations"
        self._model, self._timeout_s = model, timeout_s
        self._headers = {"Content-Type": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._proxied = _proxied(self._url)
        self._session: aiohttp.ClientSession | None = None

    @property
    def name(self) -> str:
        """What findings and logs call it."""
        return "openai"

    async def judge(self, sample: Sample) -> Judgement:
        """Ask about words and pictures at once; the worst that is seen anywhere counts.

        Raises:
            GuardError: the server does not answer in time, refuses, or says what nobody can read.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                asked = [self._asked(body) for body in bodies(sample, self._model)]
                answers = await asyncio.gather(*asked) if len(asked) > 1 else [await asked[0]]
        except TimeoutError:
            raise GuardError(f"moderation did not answer within {self._timeout_s:g} s") from None
        return Judgement(findings=findings([result for answer in answers for result in answer]))

    async def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _asked(self, body: bytes) -> Sequence[Any]:
        for left in range(TRIES - 1, -1, -1):
            try:
                status, answer = await self._posted(body)
            except (aiohttp.ClientError, OSError, ValueError) as error:
                if not left:
                    raise GuardError(f"moderation: {type(error).__name__}") from error
            else:
                if status == 200:
                    return _results(answer)
                if status not in PASSING or not left:
                    raise GuardError(f"moderation answered with status {status}")
            await asyncio.sleep(PAUSE_S)
        raise GuardError("moderation was not asked")

    async def _posted(self, body: bytes) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    total=self._timeout_s + 1.0
                ),  # `judge` holds the clock
            )
        async with self._session.post(
            self._url, data=body, headers=self._headers, allow_redirects=False, **self._proxied
        ) as response:
            return response.status, await _body(response.content)


def _proxied(url: str) -> dict[str, Any]:
    """Return how a call passes the proxy of the environment; none reaches this machine's ports.

    Left to itself aiohttp would also read `.netrc`, at each call, and fail beside a key.
    """
    host = host_of(url)
    known = proxies_from_env().get(urlsplit(url).scheme)
    if known is None or loopback(host) or proxy_bypass(host):
        return {}
    by = known.proxy_auth
    return {"proxy": known.proxy, "proxy_headers": by and {"Proxy-Authorization": by.encode()}}


async def _body(content: aiohttp.StreamReader) -> bytes:
    """Read an answer to its end, however many packets it comes in, unless it is too long."""
    body = bytearray()
    async for piece in content.iter_any():
        body += piece
        if len(body) > LARGEST_BODY:
            raise GuardError("moderation answered with more than a judgement")
    return bytes(body)


def _results(answer: bytes) -> Sequence[Any]:
    try:
        results = orjson.loads(answer)["results"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        results = None
    if not isinstance(results, list) or not results:
        raise GuardError("moderation answered with something that is no judgement")
    return results
