"""Notices that the event loop is blocked, and says by what.

While something blocks the loop, no platform is heard and no acknowledgement leaves in time. Nothing
that runs on the loop can tell; a thread beside it can. Only places in the code are logged.
"""

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

log = logging.getLogger(__name__)

LIMIT = 2.0  # seconds without a sign of life
EVERY = 0.5  # seconds between questions
DEPTH = 8  # innermost calls that are named


class Watchdog:
    """Asks one loop for a sign of life, again and again, from a thread of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, limit: float, every: float) -> None:
        self._loop = loop
        self._limit, self._every = limit, every
        self._watched = threading.get_ident()
        self._alive, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch the thread that calls this."""
        self._thread.start()

    def stop(self) -> None:
        """End within a moment."""
        self._over.set()
        self._alive.set()
        self._thread.join(self._limit)

    def _run(self) -> None:
        while not self._over.wait(self._every):
            self._alive.clear()
            asked = time.monotonic()
            try:
                self._loop.call_soon_threadsafe(self._alive.set)
            except RuntimeError:  # the loop is closed
                return
            if self._alive.wait(self._limit):
                continue
            log.error("the event loop has been blocked for %g s: %s", self._limit, self._place())
            self._alive.wait()
            log.warning("the event loop was blocked for %.1f s", time.monotonic() - asked)

    def _place(self) -> str:
        frame = sys._current_frames().get(self._watched)  # noqa: SLF001 - documented all the same
        return " < ".join(_calls(frame)) or "unknown"


def _calls(frame: FrameType | None) -> Iterator[str]:
    """Name the innermost calls, the innermost first."""
    for number, (inner, line) in enumerate(traceback.walk_stack(frame) if frame else ()):
        if number < DEPTH:
            yield f"{inner.f_code.co_filename}:{line} {inner.f_code.co_qualname}"


@contextmanager
def watching(*, limit: float = LIMIT, every: float = EVERY) -> Iterator[None]:
    """Watch the running loop until the block ends; both times in seconds."""
    watchdog = Watchdog(asyncio.get_running_loop(), limit=limit, every=every)
    watchdog.start()
    try:
        yield
    finally:
        watchdog.stop()
