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

import httpx2
import openai

from bot.backends.openai.connecting import BROKEN, Connecting
from bot.backends.openai.hearing import Complaint, Garbled, Hearing
from bot.backends.openai.request import Dialect, body
from bot.backends.openai.settings import LookUp, OpenAISettings
from bot.backends.openai.transcription import transcribed
from bot.domain.dialogue import IMAGE_TOKENS, Delta, Ended, Prompt
from bot.domain.errors import ContextTooLong
from bot.domain.replies import Usage
from bot.ports.files import Downloaded, Recording

PATH = "/chat/completions"
DRAIN_S = 0.1
USUAL_MODEL = "gpt-6-luna"  # of OpenAI itself, in 2026

log = logging.getLogger(__name__)


class OpenAIModel:
    """One configured model; its client is made on first use, or by `open`."""

    def __init__(
        self, name: str, settings: OpenAISettings, *, look_up: LookUp = os.environ.get
    ) -> None:
        self.name = name
        self._settings = settings
        self._line = Connecting(name, settings, look_up, PATH)
        self._dialect = Dialect.of(official=self._line.official)

    async def open(self) -> None:
        """Create the client.

        Raises:
            ConfigError: the key is missing, or the base URL is not one to send a key to.
        """
        await self._line.open()

    async def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        await self._line.close()

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
        reason = hearing.reason or "interrupted"
        if reason == "interrupted":
            if silent:
                error = self._line.complaints.explain(hearing.trouble)
                if not isinstance(hearing.trouble, Complaint):  # it was read, perhaps thought about
                    error.usage = self._usage(prompt, hearing)
                raise error from hearing.trouble
            said = hearing.reason is not None
            cause = self._line.complaints.broken(hearing.trouble, said=said)
            log.error("an answer broke off: %s", cause)
        yield Ended(reason=reason, usage=self._usage(prompt, hearing))

    async def transcribe(self, file: Downloaded, language: str) -> Recording:
        """Return what is said in a recording.

        Raises:
            ModelError: as the port says.
        """
        client = await self._line.open()
        try:
            return await transcribed(
                client, file, name=self.name, model=self._settings.model, language=language
            )
        except (openai.OpenAIError, *BROKEN, ValueError) as cause:
            complaints = replace(self._line.complaints, path="/audio/transcriptions")
            raise complaints.explain(cause) from cause

    async def _ask(self, prompt: Prompt) -> httpx2.Response:
        """Send the prompt and return the response at its first byte.

        A server that refuses a field is asked once more, in the words that it understands.
        """
        dialect = self._dialect
        while True:
            try:
                if not self._settings.model:
                    named = await _first_model(await self._line.open())
                    self._settings = replace(self._settings, model=named)
                response = await self._line.post(body(prompt, self._settings, dialect))
            except (openai.OpenAIError, *BROKEN) as cause:
                error = self._line.complaints.explain(cause)
                better = None if isinstance(error, ContextTooLong) else _learn(dialect, cause)
                if better is None:
                    raise error from cause
                dialect = better
            else:
                self._dialect = dialect
                return response

    def _usage(self, prompt: Prompt, hearing: Hearing) -> Usage:
        """Return what the server counted, else an estimate: four bytes are about a token."""
        if hearing.used is not None:
            into, out = hearing.used
            return Usage(model=self.name, input_tokens=into, output_tokens=out)
        into = sum(len(line.text.encode("utf-8", "replace")) // 4 + 4 for line in prompt.lines)
        into += IMAGE_TOKENS * len(prompt.images) * self._settings.vision
        out = (hearing.size + 3) // 4
        return Usage(
            model=self.name, input_tokens=max(into, 1), output_tokens=max(out, 1), estimated=True
        )


async def _first_model(client: openai.AsyncOpenAI) -> str:
    """Return the model to use where nobody named one: the usual one, else the server's first.

    A model that its server will shut down carries `shutdown_date` and is not chosen.

    Raises:
        Garbled: there is no list, or a web page or the like, on which the SDK stumbles.
    """
    try:
        listed = await client.models.list()
        names = [model.id for model in listed.data if not getattr(model, "shutdown_date", None)]
    except openai.NotFoundError as missing:
        unnamed = "does not list its models: name one by OPENAI_MODEL, or `model` in the file"
        raise Garbled(unnamed) from missing
    except (AttributeError, TypeError, ValueError) as stumble:
        raise Garbled("sent no list of models") from stumble
    return USUAL_MODEL if USUAL_MODEL in names or not names else names[0]


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
