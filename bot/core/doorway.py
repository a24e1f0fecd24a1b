"""The door to the models: where many turns begin at once, the first of them ask theirs first.

What a turn does before it asks its model takes CPU. Side by side, a hundred of them would all be
ready at about the same time, the last one's; a few at a time, half of them are ready in half of it,
and their answers do not all end in one moment either. Nobody waits for one that is slow to come
through, because it opens files or asks another server: its place is free after a moment.
"""

import asyncio

PLACES = 8  # more share commits and readings better, fewer wait less for each other
HOLD_S = 0.005  # for a turn that has not asked its model by then


class Doorway:
    """Counts the turns that have begun and not asked their model yet, by lane."""

    def __init__(self) -> None:
        self._inside: dict[str, asyncio.TimerHandle] = {}
        self._left = asyncio.Event()

    async def room(self) -> int:
        """Wait until another turn may begin; returns how many may."""
        while len(self._inside) >= PLACES:
            self._left.clear()
            await self._left.wait()
        return PLACES - len(self._inside)

    def enter(self, lane: str) -> None:
        """Begin a turn."""
        self.leave(lane)
        loop = asyncio.get_running_loop()
        self._inside[lane] = loop.call_later(HOLD_S, self.leave, lane)

    def leave(self, lane: str) -> None:
        """Let the next one begin: the model is asked, or the turn has ended without it."""
        timer = self._inside.pop(lane, None)
        if timer is not None:
            timer.cancel()
            self._left.set()
