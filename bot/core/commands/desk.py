"""Where commands are run: find, check the rank, run, answer where the command was given."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from bot.core import sentences
from bot.core.admission import Admission
from bot.core.dispatcher import saying
from bot.core.journal import TurnOutbox, address
from bot.domain.commands import Catalogue, Command
from bot.domain.errors import Declined
from bot.domain.events import CommandGiven, MessageDeleted, StopAsked
from bot.domain.replies import Receipt
from bot.ports.platform import Sender
from bot.ports.store import Journal, Result, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One command as a person gave it."""

    event: CommandGiven
    turn: Turn
    admin: bool  # the person's own rank, never the conversation's

    @property
    def argument(self) -> str:
        """The words behind the command's name."""
        return self.event.words.strip()


@dataclass(frozen=True, slots=True)
class Known:
    """A command and what it does; `run` returns the sentence that answers it."""

    command: Command
    run: Callable[[Request], Awaitable[str]]
    anywhere: bool = False  # also where the person may not talk: it tells how to be let in


class Desk:
    """Runs commands; the platforms only show them."""

    def __init__(
        self, admission: Admission, senders: Mapping[str, Sender], journal: Journal,
        stop: Callable[[Turn], Awaitable[bool]],
    ) -> None:  # fmt: skip
        self._admission, self._senders, self._journal = admission, senders, journal
        self._stop = stop
        self._known: dict[str, Known] = {}

    def register(self, commands: Iterable[Known]) -> None:
        """Add commands; each capability brings its own."""
        for known in commands:
            for name in (known.command.name, *known.command.aliases):
                self._known[name] = known

    @property
    def catalogue(self) -> Catalogue:
        """The commands as platforms publish them."""
        return tuple({known.command.name: known.command for known in self._known.values()}.values())

    async def take(self, turn: Turn) -> Result:
        """Run one event of the control track and answer it."""
        event = turn.event
        if isinstance(event, StopAsked):
            person = event.author
            if person is None or self._admission.may_talk(event.conversation, person, private=True):
                await self._stop(turn)
            return Result()
        if isinstance(event, MessageDeleted):  # its parts are the answers to take away
            return Result(receipt=await self._say(turn, ""))
        if not isinstance(event, CommandGiven):
            raise TypeError(f"not for the desk: {type(event).__name__}")
        self._journal.save(turn, "admitted", {})
        answer = turn.steps.get("answered")
        if answer is None:  # a command runs once, however often its answer has to be sent
            answer = await self._answer(turn, event)
            await self._journal.save(turn, "answered", answer)
        if not answer:
            return Result()
        return Result(receipt=await self._say(turn, answer))

    async def _say(self, turn: Turn, sentence: str) -> Receipt:
        sender = self._senders[turn.event.conversation.platform]
        outbox = TurnOutbox(self._journal, turn)
        return await sender.deliver(address(turn), saying(sentence), outbox)

    async def _answer(self, turn: Turn, event: CommandGiven) -> str:
        admin = self._admission.is_admin(event.author)
        try:
            return await self._run(Request(event=event, turn=turn, admin=admin))
        except Declined as refusal:
            return refusal.sentence

    async def _run(self, request: Request) -> str:
        event = request.event
        known = self._known.get(event.name.lower())
        if known is None:
            raise Declined(f"I know no command `{event.name}`. `help` lists what there is.")
        allowed = self._admission.may_talk(event.conversation, event.author, private=event.private)
        if not allowed and not known.anywhere:
            raise Declined(sentences.NOT_HERE)
        if known.command.rank != "everyone" and not request.admin:
            raise Declined(sentences.NOT_YOURS.format(rank=known.command.rank))
        return await known.run(request)
