"""Prints answers as they come."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator

from adapters.console.inbound import Offer
from bot.domain.commands import Catalogue
from bot.domain.conversation import Address
from bot.domain.errors import Gone
from bot.domain.replies import Button, Finished, Piece, Receipt, Retraction, Text
from bot.domain.text import storable
from bot.ports.platform import Outbox

PROMPT = "\nyou> "


class Unanswered:
    """Counts lines whose answer has not been printed."""

    def __init__(self) -> None:
        self._count = 0
        self.closed = False  # nobody reads the answers any more
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

    def close(self) -> None:
        """Note that nothing can be printed any more."""
        self.closed = True
        self._none.set()

    @property
    def some(self) -> bool:
        """Whether there are any."""
        return self._count > 0 and not self.closed

    async def wait(self) -> None:
        """Wait until everything is answered, or can no longer be."""
        await self._none.wait()


class ConsoleSender:
    """Writes to standard output; `bare` leaves out the name and the prompt."""

    def __init__(self, *, bot_name: str, bare: bool) -> None:
        self._name = bot_name.lower()
        self._typing = sys.stdin.isatty() and not bare
        self._end = "\n" if bare or self._typing else "\n\n"  # a blank line between piped answers
        self.unanswered = Unanswered()
        self.offer = Offer()

    async def open(self) -> None:
        """A terminal is always open."""

    async def publish(self, catalogue: Catalogue) -> None:
        """Say how to begin; `/help` also lists what only moderators and admins may use."""
        if self._typing:
            commands = " ".join(f"/{one.name}" for one in catalogue if one.rank == "everyone")
            _print(f"Commands: {commands} /quit{PROMPT}")

    async def deliver(self, to: Address, reply: AsyncIterator[Piece], outbox: Outbox) -> Receipt:  # noqa: ARG002
        """Print pieces as they come; a terminal cannot take words back, so it says so."""
        try:
            await self._show(reply, to)
        except BrokenPipeError as error:
            self.unanswered.close()
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the last flush
            raise Gone("nobody reads the terminal any more") from error
        if to.answers:  # what the bot says by itself answers nothing
            self.unanswered.end()
        return Receipt((to.answers,) if to.answers else ())

    async def close(self) -> None:
        """Nothing to close."""

    async def _show(self, reply: AsyncIterator[Piece], to: Address) -> None:
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
                    self._offer(piece.buttons, to)
        if self._typing:
            _print(PROMPT)

    def _offer(self, buttons: tuple[Button, ...], to: Address) -> None:
        """Say what can be pressed; from a pipe nobody could."""
        if buttons and self._typing:
            self.offer.message, self.offer.buttons = to.answers, buttons
            _print(f"\n{self.offer.lines}\n")


def _print(text: str) -> None:
    print(storable(text), end="", flush=True)  # noqa: T201
