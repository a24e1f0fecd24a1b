"""How the SDK's requests travel: over aiohttp, by a client that does what a model's call needs.

The SDK takes any client of httpx2 as its `http_client` and keeps its retries and errors. This one
has no cookies, follows no redirect (what people wrote goes where the operator said), knows no
proxy, and merges and parses nothing anew for each call. A streamed answer is read no more often
than people see it change; its end is noticed at once.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx2
import yarl

KEEP_S = 60.0  # an idle connection is kept: a new one costs a TLS handshake
MOST_CALLS = 1000  # at a time
GATHER_S = 0.1  # between two readings of a stream: each costs the same, however much has come
ENOUGH = 1 << 16  # bytes of a stream that are not gathered any further

Look = Callable[[httpx2.Response], Awaitable[None]]

_parsed = lru_cache(maxsize=16)(httpx2.URL)
_address = lru_cache(maxsize=16)(yarl.URL)


class Wire(httpx2.AsyncClient):
    """The SDK's client for one server."""

    def __init__(self, url: str, looks: Sequence[Look]) -> None:
        """Make it ready; this takes some 50 ms of CPU where certificates have to be read.

        Args:
            url: of the server. A plain one is of this machine and needs no certificates.
            looks: see each response before its body is read, and may change it.
        """
        self._connections, self._looks = Connections(url), looks
        super().__init__(transport=self._connections, trust_env=False)

    def build_request(self, method: str, url: Any, **given: Any) -> httpx2.Request:
        """Build what the SDK sends: mostly bytes that are ready, with headers that are complete."""
        content, headers, timeout = (given.get(name) for name in ("content", "headers", "timeout"))
        more = given.keys() - {"content", "headers", "timeout"}
        bare = not any(given[name] for name in more)
        if not (bare and isinstance(content, bytes) and isinstance(timeout, httpx2.Timeout)):
            return super().build_request(method, url, **given)
        waits = {"timeout": timeout.as_dict()}
        return httpx2.Request(
            method, _parsed(url), headers=headers, content=content, extensions=waits
        )

    async def send(
        self, request: httpx2.Request, *, stream: bool = False, **_: Any
    ) -> httpx2.Response:
        """Send it, and return its response at the first byte, or whole."""
        response = await self._connections.handle_async_request(request)
        try:
            for look in self._looks:
                await look(response)
            if not stream:
                await response.aread()
        except BaseException:
            await response.aclose()
            raise
        return response


class Connections(httpx2.AsyncBaseTransport):
    """The connections to one server."""

    def __init__(self, url: str) -> None:
        secure = urlsplit(url).scheme != "http"
        self._tls: ssl.SSLContext | bool = httpx2.create_ssl_context() if secure else True
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request, over a connection that is kept where there is one.

        Raises:
            httpx2.TransportError: what the SDK may try again.
            aiohttp.ClientError, OSError: the rest.
        """
        if self._closed:
            raise aiohttp.ServerDisconnectedError("closed here, meanwhile")
        session = self._session = self._session or self._opened()
        waits = request.extensions["timeout"]
        limits = aiohttp.ClientTimeout(
            connect=waits["pool"], sock_connect=waits["connect"], sock_read=waits["read"]
        )
        with _translated():
            response = await session.request(
                request.method,
                _address(str(request.url), encoded=True),
                headers=request.headers.multi_items(),
                data=_body(request),
                allow_redirects=False,
                timeout=limits,
            )
        streamed = response.content_type == "text/event-stream"
        return httpx2.Response(
            response.status,
            headers=response.raw_headers,
            stream=(Events if streamed else Body)(response, waits["read"]),
            request=request,
        )

    async def aclose(self) -> None:
        """Close them; nothing is sent any more."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=MOST_CALLS, keepalive_timeout=KEEP_S, ssl=self._tls
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # `httpx2.Response` does it
        )


class Body(httpx2.AsyncByteStream):
    """The bytes of a response as they come."""

    def __init__(self, response: aiohttp.ClientResponse, silent_s: float | None) -> None:
        self._response, self._silent_s = response, silent_s

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield what has come; raises as `Connections.handle_async_request` does."""
        with _translated():
            data = await self._next()
            while data:
                yield data
                data = await self._more()

    async def aclose(self) -> None:
        """Give the connection back; one with something left to read is closed."""
        self._response.release()
        await self._response.wait_for_close()

    async def _next(self) -> bytes:
        """Wait for something; aiohttp's own clock stops where a connection goes without a word."""
        async with asyncio.timeout(self._silent_s):
            return await self._response.content.readany()

    async def _more(self) -> bytes:
        return await self._next()


class Events(Body):
    """The bytes of a stream of events, gathered."""

    async def _more(self) -> bytes:
        """Return what comes within a moment, or whatever comes then."""
        parts, size, content = [], 0, self._response.content
        try:
            async with asyncio.timeout(GATHER_S):
                while size < ENOUGH and (part := await content.readany()):
                    parts.append(part)
                    size += len(part)
        except (aiohttp.ClientError, OSError, RuntimeError):  # over, or it is raised again below
            pass
        return b"".join(parts) or await self._next()


def _body(request: httpx2.Request) -> Any:
    try:
        return request.content or None
    except httpx2.RequestNotRead:  # a form with a file
        request.headers.pop("transfer-encoding", None)
        return request.stream


@contextmanager
def _translated() -> Iterator[None]:
    """Raise errors of a line as those that the SDK knows and tries again."""
    try:
        yield
    except aiohttp.ClientConnectorError as error:
        raise httpx2.ConnectError(str(error)) from error
    except aiohttp.ConnectionTimeoutError as error:
        raise httpx2.ConnectTimeout(str(error)) from error
    except TimeoutError as error:
        raise httpx2.ReadTimeout(str(error)) from error
    except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, RuntimeError) as error:
        raise httpx2.ReadError(str(error)) from error  # aiohttp's word for a line that is gone
