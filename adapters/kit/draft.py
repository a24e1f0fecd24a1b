"""What the model has said so far, gathered beside the task that shows it.

A piece costs an append: whoever waits is woken by words only while it waits for words, and by the
end always. The reply is closed in every case, so that a cancelled delivery ends the model's stream.
"""

import asyncio
from collections.abc import AsyncIterator

from bot.domain.errors import DeliveryError
from bot.domain.replies import Button, Finished, Piece, Retraction, Text
from bot.domain.text import storable


class Draft:
    """The text of one reply while it grows."""

    def __init__(self, reply: AsyncIterator[Piece]) -> None:
        self.finished = False  # the answer is stored: its text may be shown as final
        self.buttons: tuple[Button, ...] = ()  # what is to be pressed below it, once it is finished
        self.rewritten = 0  # how often everything was taken back
        self._words: list[str] = []
        self._fresh = False  # words came that nobody has looked at
        self._listening = False
        self._bell = asyncio.Event()
        self._reply = reply
        self._reader = asyncio.create_task(self._read())

    @property
    def ended(self) -> bool:
        """Whether nothing more will come, be it that the reply is finished or that it broke."""
        return self.finished or self._reader.done()

    def look(self) -> str:
        """Return all words so far."""
        self._fresh = False
        self._words = ["".join(self._words)]
        return self._words[0]

    async def changed(self) -> None:
        """Wait for words that were not looked at, or for the end."""
        if not (self._fresh or self.ended):
            self._listening = True
            await self._bell.wait()
            self._listening = False
            self._bell.clear()

    async def pause(self, seconds: float) -> None:
        """Wait for the end, but not longer than `seconds`."""
        if seconds <= 0 or self.ended:
            return
        timer = asyncio.get_running_loop().call_later(seconds, self._bell.set)
        try:
            await self._bell.wait()
        finally:
            timer.cancel()
        self._bell.clear()

    async def end(self) -> None:
        """Wait until nothing more will come; raises what the reply raised."""
        await asyncio.shield(self._reader)

    async def close(self) -> None:
        """Stop reading and close the reply, however far it has come."""
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        close = getattr(self._reply, "aclose", None)  # a mere iterator has none
        if close is not None:
            await close()

    async def _read(self) -> None:
        try:
            async for piece in self._reply:
                if isinstance(piece, Finished):
                    self.finished, self.buttons = True, piece.buttons
                    return
                self._take(piece)
            raise DeliveryError("the reply broke off before it was finished")
        finally:
            self._bell.set()

    def _take(self, piece: Piece) -> None:
        if isinstance(piece, Text):
            self._words.append(storable(piece.words))
        elif isinstance(piece, Retraction):
            self._words = [storable(piece.sentence)]
            self.rewritten += 1
        else:
            return
        self._fresh = True
        if self._listening:
            self._bell.set()
