"""The typing indicator, shown beside the work and never in its way."""

import asyncio
from collections.abc import Awaitable, Callable


class Busy:
    """Shows that the bot is busy, from `after` seconds on and again `every` so many.

    What is done before that costs no call.
    """

    def __init__(
        self, typing: Callable[[], Awaitable[None]], *, after: float, every: float
    ) -> None:
        self._typing = typing
        self._every = every
        self._calls: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(after, self._show)

    def stop(self) -> None:
        """Show it no more; a call that is under way may end by itself."""
        self._timer.cancel()

    async def close(self) -> None:
        """Stop, and leave no call behind."""
        self.stop()
        for call in self._calls:
            call.cancel()
        if self._calls:
            await asyncio.gather(*self._calls, return_exceptions=True)

    def _show(self) -> None:
        self._timer = self._loop.call_later(self._every, self._show)
        if not self._calls:
            call = self._loop.create_task(self._call())
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _call(self) -> None:
        await self._typing()
