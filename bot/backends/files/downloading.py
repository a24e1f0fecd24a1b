"""Fetches what strangers point at, and goes nowhere else.

A link is a way to make the bot's machine knock on doors: of the machine itself, of its network, of
the cloud below it. So each address is looked up once and checked, and the connection goes to just
the addresses that were checked; a name that changes its mind in between changes nothing. That
holds for each redirect again. The platform's token goes to hosts of the platform only.

Each file has its own connections: no cookies, no proxy, nothing that a server told an earlier one.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bot.backends.files.addresses import is_public, literal, resolved
from bot.backends.files.sniffing import sniffed
from bot.domain.errors import FileRefused
from bot.domain.text import safe_name
from bot.ports.files import Downloaded, Wanted

REDIRECTS = 3
URL_LIMIT = 4096  # characters
_REDIRECTED = (301, 302, 303, 307, 308)
# A compressed body could unpack to any size, so none is asked for and none is taken.
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "Parley"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloader:
    """Fetches over https, from public addresses or from the operator's own servers.

    An own server is named by scheme, host and port. It may use http and a private address, but
    only for those who list its host: a link that a person writes never leads there.
    """

    own: tuple[str, ...] = ()
    seconds: float = 30.0  # for everything together: a server that drips is cut off as well
    ports: tuple[int, ...] = (443,)
    resolve: Callable[[str, int], Awaitable[Sequence[str]]] = resolved
    permits: Callable[[str], bool] = is_public
    tls: ssl.SSLContext | None = None  # None: the authorities that the system trusts

    async def fetch(self, wanted: Wanted) -> Downloaded:
        """Return a file that keeps to what was asked for."""
        try:
            async with asyncio.timeout(self.seconds):
                return await self._follow(wanted)
        except TimeoutError:
            raise FileRefused("The file takes too long to arrive.") from None
        except (aiohttp.ClientError, OSError, ValueError):  # their words repeat the address
            raise FileRefused("The server of the file cannot be reached.") from None

    async def _follow(self, wanted: Wanted) -> Downloaded:
        url = _parsed(wanted.url)
        for _ in range(1 + REDIRECTS):
            addresses = await self._checked(url, wanted)
            async with self._opened(url, addresses, wanted) as response:
                if response.status not in _REDIRECTED:
                    return await _received(response, wanted)
                url = url.join(_parsed(response.headers.get("Location", "")))
        raise FileRefused("The link leads from one place to the next without an end.")

    async def _checked(self, url: URL, wanted: Wanted) -> Sequence[str]:
        """Return the addresses that may be connected to: all that the host has, or none."""
        host, port = url.raw_host or "", url.port or 0
        own = self._is_own(url, wanted)
        if url.raw_user is not None or url.raw_password is not None:
            raise FileRefused("The link carries a name or a password.")
        if not own and (url.scheme != "https" or port not in self.ports):
            raise FileRefused("The link is not a usual https address.")
        if wanted.hosts is not None and not _listed(host, wanted.hosts):
            raise FileRefused("The file lies on a server that it may not be fetched from.")
        number = literal(host)
        addresses = (number,) if number else await self.resolve(host, port)
        if not addresses or not (own or all(self.permits(address) for address in addresses)):
            raise FileRefused("The link leads to a place that is not public.")
        return addresses

    def _is_own(self, url: URL, wanted: Wanted) -> bool:
        known = (URL(server).origin() for server in self.own)
        return wanted.hosts is not None and url.is_absolute() and url.origin() in known

    @asynccontextmanager
    async def _opened(
        self, url: URL, addresses: Sequence[str], wanted: Wanted
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        token = wanted.headers if _listed(url.raw_host or "", wanted.token_hosts) else {}
        connector = aiohttp.TCPConnector(
            resolver=_Pinned(addresses), use_dns_cache=False, force_close=True, ssl=self.tls or True
        )
        async with (
            aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None),  # `fetch` holds the clock
                auto_decompress=False,
                trust_env=False,
            ) as session,
            session.get(url, headers={**token, **_HEADERS}, allow_redirects=False) as response,
        ):
            yield response


class _Pinned(AbstractResolver):
    """Knows only addresses that were checked."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 (the shape is aiohttp's)
    ) -> list[ResolveResult]:
        """Return the checked addresses, whatever is asked."""
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """Hold nothing."""


def _parsed(text: str) -> URL:
    try:
        return URL(text if len(text) <= URL_LIMIT else "")
    except ValueError:
        raise FileRefused("The link cannot be understood.") from None


def _listed(host: str, hosts: Sequence[str]) -> bool:
    return any(host.endswith(name) if name[:1] == "." else host == name for name in hosts)


async def _received(response: aiohttp.ClientResponse, wanted: Wanted) -> Downloaded:
    if response.status != 200:
        raise FileRefused(f"The server of the file answers {response.status} instead of it.")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FileRefused("The file comes in a packed form that nobody asked for.")
    data = await _body(response, wanted.max_bytes)
    promised = response.content_disposition
    name = safe_name((promised and promised.filename) or response.url.name)
    kind = sniffed(data, announced=response.content_type, name=name)
    if not _accepted(kind, wanted.types):
        raise FileRefused(
            "Instead of the file its server shows a web page; perhaps one must sign in there."
            if kind == "text/html"
            else f"The file is not of a kind that can be used here ({kind})."
        )
    return Downloaded(data=data, type=kind, name=name)


async def _body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Return the body; its announced length spares the traffic, but what counts is what comes."""
    data = bytearray()
    if (response.content_length or 0) <= limit:
        async for chunk in response.content.iter_any():
            data += chunk
            if len(data) > limit:
                break
        else:
            return bytes(data)
    raise FileRefused(f"The file is larger than {limit / 1_000_000:,.1f} MB.")


def _accepted(kind: str, types: Sequence[str]) -> bool:
    """A web page is taken only by those who name it: most are a login page in a file's place."""
    if kind == "text/html":
        return "text/html" in types
    return any(kind.startswith(beginning) for beginning in types)
