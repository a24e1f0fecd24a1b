"""Vectors of texts from any server with OpenAI's `/embeddings`.

A text that is too long for the server is cut until it fits: its beginning is better than nothing.
Importing this module imports the SDK.
"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import aclosing

import openai

from bot.backends.openai.connecting import BROKEN, Connecting
from bot.backends.openai.settings import LookUp, OpenAISettings, vectors_name
from bot.backends.openai.vectors import answered, asked
from bot.domain.errors import ContextTooLong, ModelError
from bot.domain.replies import Usage
from bot.ports.embedder import Embedded, Texts

PATH = "/embeddings"
MOST_TEXTS = 64  # of one call
MOST_BYTES = 150_000  # of one call: OpenAI takes 300,000 tokens, and a token is a byte at least
# Bytes of one text: OpenAI takes 8,192 tokens, many others 2,048 or 512. Each is tried in turn.
LONGEST = (8_000, 1_600, 480)


class OpenAIEmbedder:
    """One configured model that makes vectors; its client is made on first use, or by `open`."""

    def __init__(
        self, name: str, settings: OpenAISettings, *, look_up: LookUp = os.environ.get
    ) -> None:
        self._model, self._settings = name, settings
        self._line = Connecting(name, settings, look_up, PATH)
        self._width = 0  # bytes of a vector; 0: none has come yet

    @property
    def name(self) -> str:
        """What made these vectors: the model as its server names it, not as the file does."""
        return vectors_name(self._settings)

    async def open(self) -> None:
        """Create the client.

        Raises:
            ConfigError: the key is missing, or the base URL is not one to send a key to.
        """
        await self._line.open()

    async def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        await self._line.close()

    async def embed(self, texts: Texts) -> Embedded:
        """Return one vector for each text, and what all of them took.

        Raises:
            ConfigError: as `open` does, when nobody called it.
            ModelError: as the port says.
        """
        vectors: list[bytes] = []
        taken = Usage(model=self._model)
        for batch in _batches(texts.texts):
            try:
                embedded = await self._fitted(batch)
            except ModelError as error:
                error.usage = _both(taken, error.usage)
                raise
            vectors += embedded.vectors
            taken = _both(taken, embedded.usage)
        return Embedded(vectors=tuple(vectors), usage=taken)

    async def _fitted(self, batch: Sequence[str]) -> Embedded:
        """Cut the texts until the server takes them."""
        for longest in LONGEST[:-1]:
            try:
                return await self._call([_cut(text, longest) for text in batch])
            except ContextTooLong:
                continue
        return await self._call([_cut(text, LONGEST[-1]) for text in batch])

    async def _call(self, batch: Sequence[str]) -> Embedded:
        content = asked(batch, self._settings, packed=self._line.official)
        try:
            response = await self._line.post(content)
            async with aclosing(response):
                data = await response.aread()
            vectors, tokens = await asyncio.to_thread(answered, data, len(batch))
        except (openai.OpenAIError, *BROKEN) as cause:
            raise self._line.complaints.explain(cause) from cause
        self._check(len(vectors[0]))
        return Embedded(vectors=tuple(vectors), usage=self._usage(batch, tokens))

    def _check(self, width: int) -> None:
        """A server that changes its vectors under the same name would make nonsense of all others.

        Raises:
            ModelError: they have another size than before, or than was asked for.
        """
        wanted = 4 * (self._settings.dimensions or 0) or self._width
        if wanted and width != wanted:
            raise ModelError(
                f"model {self._model}: sent vectors of {width // 4} numbers, not {wanted // 4}; "
                f"check models.{self._model}.dimensions and model"
            )
        self._width = width

    def _usage(self, batch: Sequence[str], tokens: int | None) -> Usage:
        """Return what the server counted, else an estimate: four bytes are about a token."""
        if tokens is not None:
            return Usage(model=self._model, input_tokens=tokens)
        size = sum(len(text.encode("utf-8", "replace")) for text in batch)
        return Usage(model=self._model, input_tokens=max(1, size // 4), estimated=True)


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Yield as many texts at a time as one call takes."""
    batch: list[str] = []
    size = 0
    for text in texts:
        cut = _cut(text, LONGEST[0])
        if batch and (len(batch) == MOST_TEXTS or size + len(cut.encode()) > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(cut)
        size += len(cut.encode())
    if batch:
        yield batch


def _cut(text: str, longest: int) -> str:
    """Return the beginning of a text, in bytes at most; no character is cut in two."""
    return text[:longest].encode("utf-8", "replace")[:longest].decode("utf-8", "ignore")


def _both(one: Usage, other: Usage) -> Usage:
    return Usage(
        model=one.model,
        input_tokens=one.input_tokens + other.input_tokens,
        estimated=one.estimated or other.estimated,
    )
