"""A bound on what is read of a body: a server that went wrong must not fill the memory."""

from collections.abc import AsyncIterator

import httpx2

from bot.backends.openai.hearing import Garbled

LARGEST_BODY = 8 << 20  # bytes of an answer in one piece, an error or a list of models


class BoundedStream(httpx2.AsyncByteStream):
    """The bytes of a body, up to a limit."""

    def __init__(self, stream: httpx2.AsyncByteStream, limit: int) -> None:
        self._stream, self._limit = stream, limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield what comes.

        Raises:
            Garbled: it is too much.
        """
        left = self._limit
        async for data in self._stream:
            left -= len(data)
            if left < 0:
                raise Garbled(f"sent more than {self._limit >> 20} MB in one piece")
            yield data

    async def aclose(self) -> None:
        """Close the connection, or give it back."""
        await self._stream.aclose()


async def bound(response: httpx2.Response) -> None:
    """Bound a response that is no stream of events; those are bounded event by event."""
    streamed = response.headers.get("content-type", "").startswith("text/event-stream")
    if not streamed and isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = BoundedStream(response.stream, LARGEST_BODY)
