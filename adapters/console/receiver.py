"""Reads lines, from a person or from a pipe, until the input ends and all is answered."""

import asyncio
import getpass
import sys
import threading
import time

from adapters.console.inbound import event_from
from adapters.console.sender import PROMPT, Unanswered
from adapters.console.settings import ConsoleSettings
from bot.ports.platform import Inbox

LEAVE = ("/quit", "/exit", "/bye")


class ConsoleReceiver:
    """Hands each line to the core; from a pipe one after another, each with its answer."""

    def __init__(self, settings: ConsoleSettings, unanswered: Unanswered) -> None:
        self._settings, self._unanswered = settings, unanswered
        self._name = settings.name or _user()
        self._typing = sys.stdin.isatty() and not settings.once

    async def listen(self, inbox: Inbox) -> None:
        """Read until the end of the input; return when the last answer was shown."""
        number = 0
        lines = self._lines()
        while (line := await lines.get()) is not None:
            if line.strip().lower() in LEAVE:
                break
            if not line.strip():
                if self._typing:
                    print(PROMPT, end="", flush=True)  # noqa: T201
                continue
            number += 1
            self._unanswered.begin()
            event = event_from(line, name=self._name, number=number, at=time.time())
            await inbox.accept(event)
            if not self._typing:
                await self._unanswered.wait()
        await self._unanswered.wait()

    def _lines(self) -> "asyncio.Queue[str | None]":
        """Read in a thread of its own that ends with the process, so that leaving never waits."""
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        if self._settings.once:
            queue.put_nowait(self._settings.once)
            queue.put_nowait(None)
            return queue
        loop = asyncio.get_running_loop()

        def read() -> None:
            for line in iter(sys.stdin.readline, ""):
                loop.call_soon_threadsafe(queue.put_nowait, line)
            loop.call_soon_threadsafe(queue.put_nowait, None)

        threading.Thread(target=read, name="terminal", daemon=True).start()
        return queue


def _user() -> str:
    """Name the user of this machine; a container's may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # KeyError until Python 3.12
        return "you"
