"""Turns what a server or its line complains about into one sentence for the operator.

Servers repeat parts of the request in their complaints, so only short, cleaned quotes of them are
passed on: what people wrote must not reach a log this way.
"""

import errno
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

import aiohttp
import httpx2
import openai

from bot.backends.openai.hearing import Complaint, Garbled
from bot.backends.openai.settings import OpenAISettings, shown
from bot.domain.errors import ContextTooLong, ModelError, ModelRefused

QUOTE_LIMIT = 160  # characters
DISCONNECTED = (aiohttp.ServerDisconnectedError, httpx2.ReadError, httpx2.RemoteProtocolError)

# As OpenAI, Azure, vLLM, llama.cpp, Ollama, LM Studio, Mistral, Gemini and Anthropic put it.
_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|context (?:length|size|window)|reduce the length"
    r"|(?:prompt|input|request) is too long|too many (?:input )?tokens|token count .*exceeds"
    r"|maximum number of tokens|too large to process",
    re.IGNORECASE,
)
_NO_QUOTA = re.compile(
    r"insufficient_quota|insufficient balance|exceeded your current quota", re.IGNORECASE
)
_REPEATED = re.compile(r"""["']?(?:input|input_value|messages|content)["']?\s*[:=]|[\r\n]""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaints:
    """Words complaints about one configured model."""

    name: str  # of the model in the configuration
    settings: OpenAISettings
    url: str  # the base URL that holds
    keyed: bool  # a key was sent
    path: str = "/chat/completions"

    def explain(self, cause: Exception | None) -> ModelError:
        """Return the error to raise for what a call has raised; None: it ended without a word."""
        if cause is None:
            return self._error(f"{self._server} sent an empty answer")
        if isinstance(cause, openai.APIStatusError):
            if cause.response.has_redirect_location:
                return self._redirected(cause.response)
            return self._of_status(cause.status_code, cause.body)
        if isinstance(cause, Complaint):
            return self._of_status(0, cause.said)
        if isinstance(cause, Garbled):
            return self._error(f"{self._server} {cause}; check base_url")
        return self._of_line(tuple(_chain(cause)))

    def broken(self, cause: Exception | None, *, said: bool) -> str:
        """Say why an answer is not whole; without a cause the server has `said` so, or not."""
        if cause is None:
            what = "stopped in the middle" if said else "sent no end of it"
            return f"model {self.name}: {self._server} {what}"
        return str(self.explain(cause))

    def web_page(self) -> ModelError:
        """Return the error for HTML where an answer was expected."""
        return self._error(
            f"{self._server} answered with a web page instead of JSON; check base_url"
        )

    def _of_status(self, status: int, body: object) -> ModelError:
        """Read a refusal; status 0 is an error in the middle of a stream."""
        code, said = read_body(body)
        if status == 413 or _TOO_LONG.search(f"{code} {said}"):
            return ContextTooLong(f"model {self.name}: the prompt is too long{_quoted(said)}")
        if status == 402 or _NO_QUOTA.search(f"{code} {said}"):
            return self._error("the account has no quota left; check its plan and billing")
        if status in (401, 403, 404):
            return ModelRefused(f"model {self.name}: {self._refusal(status, said)}")
        if status == 429:
            return self._error(f"{self._server} is at its rate limit (429)")
        if status in (0, 408, 409) or status >= 500:
            failed = f"failed with status {status}" if status else "reported an error"
            return self._error(f"{self._server} {failed}{_quoted(said)}")
        return ModelRefused(
            f"model {self.name}: {self._server} refused the request ({status}){_quoted(said)}"
        )

    def _redirected(self, response: httpx2.Response) -> ModelError:
        """Say where a server wants to have it sent, which nobody has allowed."""
        asked = str(response.request.url)
        try:
            place = urljoin(asked, response.headers["location"])
        except ValueError:
            place = "an address that cannot be read"
        place = shown(place).removesuffix(asked.removeprefix(self.url.rstrip("/")))
        return ModelRefused(
            f"model {self.name}: {self._server} redirects to {place[:QUOTE_LIMIT]}, where nothing "
            "is sent; if that is the right server, put its address into base_url"
        )

    def _refusal(self, status: int, said: str) -> str:
        key = self.settings.api_key_env
        if status == 401 and not self.keyed:
            return f"{self._server} wants a key; put it into {key}"
        if status == 401:
            return f"{self._server} does not accept the key in {key}; check that it is complete"
        if status == 403:
            return f"the key in {key} may not use {self.settings.model!r}{_quoted(said)}"
        if "model" in said.lower():
            return (
                f"{self._server} has no model {self.settings.model!r}; "
                f"change models.{self.name}.model to one that it has"
            )
        return f"{self._server} has no {self.path}; check base_url, it usually ends in /v1"

    def _of_line(self, causes: tuple[BaseException, ...]) -> ModelError:
        for cause in causes:
            if sentence := _plight(cause):
                return self._error(sentence)

        def has(*kinds: type[BaseException]) -> bool:
            return any(isinstance(cause, kinds) for cause in causes)

        if has(ssl.SSLError, ssl.CertificateError):
            return self._error(f"no secure connection to {self._server}; check its certificate")
        if has(ConnectionResetError, *DISCONNECTED):
            return self._error(f"{self._server} closed the connection before the end")
        if has(httpx2.ConnectError, httpx2.ConnectTimeout):
            return self._error(f"cannot reach {self._server}: is the server running?")
        if has(httpx2.TimeoutException, openai.APITimeoutError):
            return self._error(f"{self._server} was silent for {self.settings.timeout_s:g} s")
        return self._error(f"{self._server} does not speak HTTP as expected; check base_url")

    @property
    def _server(self) -> str:
        return shown(self.url)

    def _error(self, sentence: str) -> ModelError:
        return ModelError(f"model {self.name}: {sentence}")


def read_body(body: object) -> tuple[str, str]:
    """Return the codes and the message of an error body, whichever server has written it."""
    if isinstance(body, dict):
        inner = body.get("error")
        if isinstance(inner, dict):
            return read_body(inner)
        said = body.get("message") or body.get("detail") or inner or ""
        codes = (str(body[key]) for key in ("code", "type") if body.get(key))
        return " ".join(codes), str(said)
    return "", "" if body is None else str(body)


def _plight(cause: BaseException) -> str:
    """Say what is wrong on this side of the line; empty when it is something else."""
    match cause:
        case OSError(errno=errno.EMFILE | errno.ENFILE):
            return "this process has too many files open; raise its limit (ulimit -n)"
        case aiohttp.ClientConnectorDNSError():
            return f"the name {cause.host} is not known here; check base_url and the network"
        case aiohttp.ClientHttpProxyError(status=407):
            return "the proxy wants a name and password (407); put them into HTTPS_PROXY"
    return ""


def _quoted(said: str) -> str:
    """Return `: <the server's words>`, short and without what it repeats of the request."""
    words = _REPEATED.split(said.strip(), maxsplit=1)[0].strip()[:QUOTE_LIMIT].rstrip(" .,:;{[(")
    return f": {words}" if words and not words.startswith("<") else ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
