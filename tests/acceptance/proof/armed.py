"""The preloaded parent once more; what it forks kills itself at a step that a file names.

    python -m tests.acceptance.proof.armed telegram config.toml log [--blind]

The file `armed` beside the configuration says `<cycle> <kind> <number>`: the number counts from when
the file was written. Kinds:

- `before`: a transaction of the store is about to begin;
- `after`: one is on the disk, and nobody has heard of it;
- `step`: the event loop is about to call something back. Whatever a coroutine does between two
  awaits is one call, so these are all the moments at which the program could look interrupted to
  itself. Asyncio's own loop counts them; it takes the place of uvloop, which cannot.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from bot.backends.sqlite import writer
from bot.cli import options
from tests.acceptance.proof import blind
from tests.acceptance.proof.preloaded import preload, serve


class Failpoint:
    """Counts what happens since the file was last written, and kills in time."""

    def __init__(self, path):
        self._path, self._written = path, 0
        self._kind, self._left = "", 0

    def passed(self, kind):
        """Count one step of a kind; does not return from the one that the file names."""
        try:
            written = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if written != self._written:
            self._written = written
            _, self._kind, number = self._path.read_text().split()
            self._left = int(number)
        if kind == self._kind:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def install(failpoint):
    """Let the store and the event loop tell of their steps."""
    transact, call = writer._transact, asyncio.Handle._run

    def transacted(db, works):
        failpoint.passed("before")
        results = transact(db, works)
        failpoint.passed("after")
        return results

    def called(handle):
        failpoint.passed("step")
        call(handle)

    writer._transact = transacted
    asyncio.Handle._run = called
    options.uvloop.new_event_loop = asyncio.new_event_loop


if __name__ == "__main__":
    preload(sys.argv[1])
    if "--blind" in sys.argv:
        blind.protect_nothing(sys.argv[1])
    install(Failpoint(Path(sys.argv[2]).with_name("armed")))
    serve(sys.argv[2], sys.argv[3])
