"""Reads lines, from a person or from a pipe, until the input ends and all is answered."""

import asyncio
import getpass
import io
import sys
import threading
import time
from contextlib import suppress

from adapters.console.inbound import Offer, event_from
from adapters.console.sender import PROMPT, Unanswered
from adapters.console.settings import ConsoleSettings
from bot.domain.errors import StoreError
from bot.domain.events import MessageReceived
from bot.ports.platform import Inbox, Pulse

BUSY_PAUSE = 0.5  # seconds before a busy store is asked again
LEAVE = ("/quit", "/exit", "/bye")


class ConsoleReceiver:
    """Hands each line to the core; from a pipe one after another, each with its answer."""

    def __init__(
        self, settings: ConsoleSettings, unanswered: Unanswered, offer: Offer, *, pulse: Pulse
    ) -> None:
        self._settings, self._unanswered, self._buttons = settings, unanswered, offer
        self._pulse = pulse
        self._name = settings.name or _user()
        self._typing = sys.stdin.isatty() and not settings.once

    async def listen(self, inbox: Inbox) -> None:
        """Read until the end of the input; return when the last answer was shown."""
        lines = self._lines()
        self._pulse.up()
        number = 0
        while (line := await lines.get()) is not None and not self._unanswered.closed:
            if line.strip().lower() in LEAVE:
                break
            if not line.strip():
                if self._typing:
                    print(PROMPT, end="", flush=True)  # noqa: T201
                continue
            number += 1
            await self._offer(inbox, line, number)
            if not self._typing:
                await self._unanswered.wait()
        if self._typing and self._unanswered.some:
            print("(waiting for the answer; Ctrl-C ends it)", flush=True)  # noqa: T201
        await self._unanswered.wait()

    async def _offer(self, inbox: Inbox, line: str, number: int) -> None:
        """Hand one line over; a store that is busy is asked again, since nobody types it twice."""
        event = event_from(
            line, name=self._name, number=number, at=time.time(), offer=self._buttons
        )
        counted = not self._typing or isinstance(event, MessageReceived)
        if counted:  # who types /quit waits for answers, not for what a command may say
            self._unanswered.begin()
        while True:
            try:
                if not await inbox.accept(event) and counted:
                    self._unanswered.end()
            except StoreError:
                await asyncio.sleep(BUSY_PAUSE)
            else:
                return

    def _lines(self) -> "asyncio.Queue[str | None]":
        """Read in a thread of its own that ends with the process, so that leaving never waits."""
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        if self._settings.once:
            queue.put_nowait(self._settings.once)
            queue.put_nowait(None)
            return queue
        loop = asyncio.get_running_loop()
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")  # bytes that are no text must not end the chat

        def read() -> None:
            with suppress(RuntimeError):  # who has left is not told of the lines that follow
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
