"""A language model behind OpenAI's chat completions, on any server that speaks them.

The SDK gives the connection, its retries and its errors. The request is written and the answer read
here (`request`, `hearing`): its typed way in and out costs ten times the CPU of a short call.
Importing this module imports the SDK.
"""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import cast

import aiohttp
import httpx2
import openai

from bot.backends.openai.bounds import bound
from bot.backends.openai.complaints import Complaints
from bot.backends.openai.hearing import Complaint, Garbled, Hearing
from bot.backends.openai.request import Dialect, body
from bot.backends.openai.settings import (
    OFFICIAL_HOST,
    LookUp,
    OpenAISettings,
    address,
    host_of,
    loopback,
    url_problems,
)
from bot.domain.dialogue import Delta, Ended, Prompt
from bot.domain.errors import ConfigError, ContextTooLong
from bot.domain.replies import Usage

RETRIES = 2  # of one call, by the SDK: 408, 409, 429, 5xx, broken connections
CONNECT_S = 5.0
KEEP_S = 60.0  # an idle connection is kept: a new one costs a TLS handshake
DRAIN_S = 0.1
USUAL_MODEL = "gpt-6-luna"  # of OpenAI itself, in 2026
MOST_CALLS = 1000  # at a time
JSON_HEADERS = {"Content-Type": "application/json"}

# aiohttp is the SDK's transport here, at half the CPU of its own; not all of its errors are mapped,
# and without a free file the SDK cannot even import what it waits with.
BROKEN = (httpx2.RequestError, aiohttp.ClientError, OSError, Garbled, Complaint)

log = logging.getLogger(__name__)


class OpenAIModel:
    """One configured model; its client is made on first use, or by `open`."""

    def __init__(
        self, name: str, settings: OpenAISettings, *, look_up: LookUp = os.environ.get
    ) -> None:
        self.name = name
        self._settings = settings
        url, key = address(settings, look_up), (look_up(settings.api_key_env) or "").strip()
        self._host = host_of(url)
        self._official = self._host == OFFICIAL_HOST
        self._key = key
        self._dialect = Dialect.of(official=self._official)
        self._complaints = Complaints(name=name, settings=settings, url=url, keyed=bool(key))
        self._client: openai.AsyncOpenAI | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> None:
        """Create the client, in a thread since its TLS context takes some 50 ms of CPU.

        Raises:
            ConfigError: the key is missing, or the base URL is not one to send a key to.
        """
        await self._opened()

    async def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Yield words as they come and `Ended` last; closing the generator ends the call at once.

        Raises:
            ConfigError: as `open` does, when nobody called it.
            ModelRefused, ContextTooLong, ModelError: as the port says.
        """
        hearing = Hearing()
        silent = True
        response = await self._ask(prompt)
        try:
            async with aclosing(response), aclosing(_words(response, hearing)) as heard:
                async for words in heard:
                    silent = False
                    yield words
        except BROKEN as trouble:
            hearing.trouble = trouble
        if rest := hearing.close():
            silent = False
            yield rest
        if hearing.reason is None or (silent and hearing.reason == "interrupted"):
            if silent:
                raise self._complaints.explain(hearing.trouble) from hearing.trouble
            cause = hearing.trouble or "no end mark"
            log.warning("model %s broke off in the middle of an answer: %s", self.name, cause)
        yield Ended(reason=hearing.reason or "interrupted", usage=self._usage(prompt, hearing))

    async def _ask(self, prompt: Prompt) -> httpx2.Response:
        """Send the prompt and return the response at its first byte.

        A server that refuses a field is asked once more, in the words that it understands.
        """
        client = self._client or await self._opened()
        dialect = self._dialect
        while True:
            try:
                if not self._settings.model:
                    self._settings = replace(self._settings, model=await _first_model(client))
                response = await _post(client, body(prompt, self._settings, dialect))
            except (openai.OpenAIError, *BROKEN) as cause:
                error = self._complaints.explain(cause)
                better = None if isinstance(error, ContextTooLong) else _learn(dialect, cause)
                if better is None:
                    raise error from cause
                dialect = better
            else:
                self._dialect = dialect
                if response.headers.get("content-type", "").startswith("text/html"):
                    await response.aclose()
                    raise self._complaints.web_page()
                return response

    async def _opened(self) -> openai.AsyncOpenAI:
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(self._connect)
            return self._client

    def _connect(self) -> openai.AsyncOpenAI:
        url = self._complaints.url
        for problem in url_problems(url):
            raise ConfigError(f"models.{self.name}.{problem}")
        variable = self._settings.api_key_env
        if self._official and not self._key:
            raise ConfigError(
                f"models.{self.name}.api_key_env: {variable} is not set; put the key into it, "
                "or set base_url for a server without keys"
            )
        if not (self._key.isascii() and self._key.isprintable()):
            raise ConfigError(
                f"models.{self.name}.api_key_env: {variable} holds characters that no key has; "
                "copy the key again"
            )
        return openai.AsyncOpenAI(
            api_key=self._key or "none",  # the SDK wants one, servers without keys do not look
            base_url=url,
            max_retries=RETRIES,
            timeout=httpx2.Timeout(self._settings.timeout_s, connect=CONNECT_S),
            http_client=openai.DefaultAioHttpClient(
                limits=httpx2.Limits(max_connections=MOST_CALLS, keepalive_expiry=KEEP_S),
                trust_env=not loopback(self._host),  # a proxy does not reach this machine's ports
                event_hooks={"response": [bound, _give_up_without_quota]},
            ),
        )

    def _usage(self, prompt: Prompt, hearing: Hearing) -> Usage:
        """Return what the server counted, else an estimate: four bytes are about a token."""
        if hearing.used is not None:
            into, out = hearing.used
            return Usage(model=self.name, input_tokens=into, output_tokens=out)
        into = sum(len(line.text.encode("utf-8", "replace")) // 4 + 4 for line in prompt.lines)
        out = (hearing.size + 3) // 4
        return Usage(
            model=self.name, input_tokens=max(into, 1), output_tokens=max(out, 1), estimated=True
        )


async def _first_model(client: openai.AsyncOpenAI) -> str:
    """Return the model to use where nobody named one: the usual one, else the server's first.

    A model that its server will shut down carries `shutdown_date` and is not chosen.
    """
    listed = await client.models.list()
    names = [model.id for model in listed.data if not getattr(model, "shutdown_date", None)]
    return USUAL_MODEL if USUAL_MODEL in names or not names else names[0]


async def _post(client: openai.AsyncOpenAI, content: bytes) -> httpx2.Response:
    """Send bytes as they are and get the response unread, through the SDK's retries and errors.

    `cast_to` decides what comes back; the SDK's types know only the stream.
    """
    response: object = await client.post(
        "/chat/completions",
        cast_to=httpx2.Response,
        content=content,
        options={"headers": JSON_HEADERS},
        stream=True,
        stream_cls=openai.AsyncStream[object],
    )
    return cast("httpx2.Response", response)


def _learn(dialect: Dialect, cause: Exception) -> Dialect | None:
    if isinstance(cause, openai.BadRequestError | openai.UnprocessableEntityError):
        return dialect.after(str(cause.body))
    return None


async def _words(response: httpx2.Response, hearing: Hearing) -> AsyncGenerator[str, None]:
    """Yield the words of each network read, joined."""
    if response.headers.get("content-type", "").startswith("application/json"):
        yield hearing.whole(await response.aread())
        return
    async with aclosing(response.aiter_bytes()) as reads:
        async for data in reads:
            if words := hearing.feed(data):
                yield words
            if hearing.done:
                await _drain(reads)
                return
    if words := hearing.feed(b"\n"):  # the last line may have no end
        yield words


async def _drain(reads: AsyncGenerator[bytes, None]) -> None:
    """Read the end of a finished response, so that its connection can be used again."""
    with suppress(TimeoutError, *BROKEN):
        async with asyncio.timeout(DRAIN_S):
            await anext(reads, b"")


async def _give_up_without_quota(response: httpx2.Response) -> None:
    """Keep the SDK from retrying an empty account, which the API reports as a rate limit."""
    if response.status_code == 429 and b"insufficient_quota" in await response.aread():
        response.headers["x-should-retry"] = "false"
