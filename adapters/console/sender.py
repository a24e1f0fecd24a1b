"""Prints answers as they come."""

import asyncio
import sys
from collections.abc import AsyncIterator

from bot.domain.commands import Catalogue
from bot.domain.conversation import Address
from bot.domain.replies import Finished, Piece, Receipt, Retraction, Text
from bot.ports.platform import Outbox

PROMPT = "\nyou> "


class Unanswered:
    """Counts lines whose answer has not been printed."""

    def __init__(self) -> None:
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()

    def begin(self) -> None:
        """Note a line."""
        self._count += 1
        self._none.clear()

    def end(self) -> None:
        """Note an answer."""
        self._count = max(0, self._count - 1)
        if not self._count:
            self._none.set()

    async def wait(self) -> None:
        """Wait until everything is answered."""
        await self._none.wait()


class ConsoleSender:
    """Writes to standard output; `bare` leaves out the name and the prompt."""

    def __init__(self, *, bot_name: str, bare: bool) -> None:
        self._name = bot_name.lower()
        self._typing = sys.stdin.isatty() and not bare
        self._end = "\n" if bare or self._typing else "\n\n"  # a blank line between piped answers
        self.unanswered = Unanswered()

    async def open(self) -> None:
        """A terminal is always open."""

    async def publish(self, catalogue: Catalogue) -> None:
        """Say how to begin."""
        if self._typing:
            commands = " ".join(f"/{command.name}" for command in catalogue)
            _print(f"Commands: {commands} /quit{PROMPT}")

    async def deliver(self, to: Address, reply: AsyncIterator[Piece], outbox: Outbox) -> Receipt:  # noqa: ARG002
        """Print pieces as they come; a terminal cannot take words back, so it says so."""
        if self._typing:
            _print(f"\n{self._name}>\n")
        async for piece in reply:
            match piece:
                case Text(words):
                    _print(words)
                case Retraction(sentence):
                    _print(f"\n[taken back: {sentence}]")
                case Finished():
                    _print(self._end)
        self.unanswered.end()
        if self._typing:
            _print(PROMPT)
        return Receipt((to.answers,) if to.answers else ())

    async def close(self) -> None:
        """Nothing to close."""


def _print(text: str) -> None:
    print(text, end="", flush=True)  # noqa: T201
