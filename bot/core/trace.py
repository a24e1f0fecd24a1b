"""How an answer comes about, for `/why`: each stage notes what it chose, found and paid.

A trace holds names, ids and numbers, and never what somebody wrote: it outlives the words of the
turn and is shown to those who steer the bot. It is written in the transaction that closes a turn.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any


class Trace:
    """The notes of one turn; a stage notes into it through `TurnJournal.trace`."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._began = now, now()
        self._first: float | None = None
        self._notes: dict[str, Any] = {}

    def begin(self) -> None:
        """Begin anew: the question was edited, and what was found for it counts no more."""
        self._notes.clear()

    def note(self, what: str, value: Any) -> None:
        """Note one thing, in the place of what was noted under that name; plain JSON values."""
        self._notes[what] = value

    def add(self, what: str, value: Any) -> None:
        """Note one more of several things."""
        self._notes.setdefault(what, []).append(value)

    def seen(self) -> None:
        """Note that a person sees the first of it now."""
        self._first = self._now() - self._began

    @property
    def notes(self) -> Mapping[str, Any]:
        """What stages have noted so far."""
        return dict(self._notes)

    @property
    def times(self) -> Mapping[str, float]:
        """Seconds until the first words were seen, and until now."""
        times = {"total_s": round(self._now() - self._began, 3)}
        return times if self._first is None else {"first_s": round(self._first, 3), **times}
