"""How the SDK reaches Telegram: over aiohttp and orjson, at half the cost of its own transport.

python-telegram-bot keeps the token, the address and the words for what Telegram refuses; calls on
the way of a message skip its typed methods, which build an object for every answer.
"""

import errno
import logging
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson
from telegram.error import EndPointNotFound, NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

PATIENCE = 20.0  # seconds for one call
CONNECTIONS = 256
PROXY = "the proxy wants a name and password (407); put them into HTTPS_PROXY"
_JSON = {"Content-Type": "application/json"}

# At level DEBUG the SDK writes down its address, which holds the token, and every text.
logging.getLogger("telegram").setLevel(logging.INFO)


class Flooded(TelegramError):
    """Telegram asks to wait `seconds`: 429."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Too Many Requests: retry after {seconds:g}")
        self.seconds = seconds


class Offline(NetworkError):
    """Telegram cannot be reached; the text is ours and may be shown."""


class Wire(BaseRequest):
    """One pool of connections to the Bot API, for polling and for everything else."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """Seconds for a call that does not say."""
        return PATIENCE

    async def initialize(self) -> None:
        """Open the pool; the SDK asks twice, for polling and for the rest."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=CONNECTIONS)
            proxy = _proxy(self._base_url)
            self._session = aiohttp.ClientSession(connector=connector, proxy=proxy)

    async def shutdown(self) -> None:
        """Close the pool."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Read an answer; one that is no JSON (a proxy's error page) is not written down."""
        try:
            answer: dict[str, Any] = orjson.loads(payload)
        except orjson.JSONDecodeError:
            raise Offline("the answer is not JSON") from None
        return answer

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE, *_: Any, **__: Any,
    ) -> tuple[int, bytes]:  # fmt: skip
        """Send one call; raises TelegramError for what the SDK reads otherwise or not at all."""
        if self._session is None:
            raise Offline("the connection is closed")
        seconds = read_timeout if isinstance(read_timeout, int | float) else PATIENCE
        body = orjson.dumps(request_data.parameters) if request_data else b"{}"
        wait = aiohttp.ClientTimeout(total=seconds)
        try:
            async with self._session.request(
                method, url, data=body, headers=_JSON, timeout=wait, allow_redirects=False
            ) as answer:
                payload = await answer.read()
        except TimeoutError:
            raise TimedOut from None
        except (aiohttp.ClientError, OSError) as error:  # its text may hold the address
            raise Offline(_plight(error)) from None
        if answer.status == 407:
            raise Offline(PROXY)
        if answer.status >= 500:
            raise Offline(f"status {answer.status}")
        if answer.status == 429:
            raise Flooded(_retry_after(payload))
        if answer.status == 404:  # the SDK takes an unknown method for a wrong token
            raise EndPointNotFound("unknown method")
        return answer.status, payload

    async def call(
        self, url: str, args: dict[str, Any], patience: float = PATIENCE
    ) -> Any:  # the `result` of the answer
        """Call a method of the Bot API with plain arguments; raises TelegramError."""
        data = cast("RequestData", _Arguments(args))  # of which only `parameters` is looked at
        return await self.post(url, data, read_timeout=patience)


class _Arguments:
    """What `Wire.do_request` needs of a RequestData."""

    __slots__ = ("parameters",)

    def __init__(self, parameters: dict[str, Any]) -> None:
        self.parameters = parameters


def _plight(error: Exception) -> str:
    """Say what is wrong with a line, for the operator."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"the name {error.host} is not known here"
        case aiohttp.ClientSSLError():
            return "no secure connection; its certificate, or this machine's clock, is wrong"
        case aiohttp.ClientHttpProxyError(status=407):
            return PROXY
        case OSError(errno=errno.EMFILE | errno.ENFILE):
            return "this process has too many files open; raise its limit (ulimit -n)"
    return type(error).__name__


def _retry_after(payload: bytes) -> float:
    try:
        return float(orjson.loads(payload)["parameters"]["retry_after"])
    except (ValueError, TypeError, LookupError):
        return 1.0


def _proxy(url: str) -> str | None:
    """Return the proxy that the environment names for an address, never one for this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in ("localhost", "::1") or host.startswith("127.") or proxy_bypass(host):
        return None
    return getproxies().get(parts.scheme)
