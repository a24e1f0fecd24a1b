"""The door to the models: where many turns begin at once, the first of them ask theirs first.

What a turn does before it asks its model takes CPU. A hundred turns side by side would all ask at
the end of that work; a few at a time, the first ask at once, and half of them after half of it.
Nobody waits for a turn that is slow, because it opens files or asks another server: after a moment
its place is free.
"""

import asyncio

PLACES = 8  # fewer share less of the store's commits, more wait longer for each other
HOLD_S = 0.005  # for a turn that has not asked its model by then


class Doorway:
    """Counts the turns that have begun and not asked their model yet."""

    def __init__(self) -> None:
        self._inside: dict[int, asyncio.TimerHandle] = {}
        self._left = asyncio.Event()

    async def room(self) -> int:
        """Wait until another turn may begin; returns how many may."""
        while len(self._inside) >= PLACES:
            self._left.clear()
            await self._left.wait()
        return PLACES - len(self._inside)

    def enter(self, turn: int) -> None:
        """Begin a turn, which is named by its id."""
        loop = asyncio.get_running_loop()
        self._inside[turn] = loop.call_later(HOLD_S, self.leave, turn)

    def leave(self, turn: int) -> None:
        """Let the next one begin: the model is asked, or the turn has ended without it."""
        timer = self._inside.pop(turn, None)
        if timer is not None:
            timer.cancel()
            self._left.set()
