"""Where commands and buttons are run: find, check the rank, run, answer where they were given."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from bot.core import sentences
from bot.core.announcing import Announcing
from bot.core.buttons import Buttons
from bot.core.dispatcher import saying
from bot.core.journal import TurnOutbox, address
from bot.core.pace import COMMANDS, Pace
from bot.core.permissions import Permissions
from bot.domain.commands import Catalogue, Command, Rank, slash
from bot.domain.errors import Declined
from bot.domain.events import Announced, CommandGiven, MessageDeleted, Pressed, StopAsked
from bot.domain.permissions import Action, Role, at_least
from bot.domain.replies import Button, Piece, Receipt
from bot.ports.platform import Sender
from bot.ports.store import Journal, NewLine, Result, Turn

NEEDED: Mapping[Rank, Role] = {"everyone": "guest", "moderator": "moderator", "admin": "admin"}
ACTIONS: Mapping[Rank, Action] = {"moderator": "moderate", "admin": "administer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One command or press of a button, as a person gave it."""

    event: CommandGiven | Pressed
    turn: Turn
    role: Role  # the person's own, never the conversation's
    threads: bool = (
        False  # a command names no thread there, so that a channel means its threads too
    )
    house: bool = False  # they administer the whole bot: by name, not by a role that a place gives
    argument: str = ""  # the words behind the command's name, or the button's value

    @property
    def admin(self) -> bool:
        """Whether the person may administer the bot."""
        return at_least(self.role, "admin")

    @property
    def slash(self) -> str:
        """What stands before a command's name where this one was given."""
        return slash(self.event.conversation.platform)

    @property
    def person(self) -> str:
        """Who asks, as `platform:workspace:user`."""
        return str(self.event.author)


@dataclass(frozen=True, slots=True)
class Reply:
    """What answers a command, with something to press below it."""

    text: str
    buttons: tuple[Button, ...] = ()

    @classmethod
    def read(cls, step: str | Mapping[str, Any]) -> Self:
        """Read the journaled form back."""
        if isinstance(step, str):
            return cls(step)
        return cls(step["text"], tuple(Button(**button) for button in step["buttons"]))


Run = Callable[[Request], Awaitable[str | Reply]]


@dataclass(frozen=True, slots=True)
class Known:
    """A command and what it does."""

    command: Command
    run: Run
    anywhere: bool = False  # also where the person may not talk: it tells how to be let in


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressable:
    """What a button does, and who may press it; its seal may name one person besides."""

    action: str
    run: Run
    rank: Rank = "everyone"
    anywhere: bool = False


@dataclass(slots=True, kw_only=True)
class Desk:
    """Runs commands and buttons; the platforms only show them."""

    permissions: Permissions
    senders: Mapping[str, Sender]
    journal: Journal
    stop: Callable[[Turn], Awaitable[bool]]
    buttons: Buttons
    announcing: Announcing
    now: Callable[[], float] = time.time  # a press has the time of its message
    pace: Pace = field(default_factory=lambda: Pace(COMMANDS))
    threads: Collection[str] = ()  # platforms on which commands name no thread
    _known: dict[str, Known] = field(default_factory=dict)
    _pressable: dict[str, Pressable] = field(default_factory=dict)

    def register(self, commands: Iterable[Known], buttons: Iterable[Pressable] = ()) -> None:
        """Add commands and buttons; each capability brings its own."""
        for known in commands:
            for name in (known.command.name, *known.command.aliases):
                self._known[name] = known
        self._pressable |= {button.action: button for button in buttons}

    @property
    def catalogue(self) -> Catalogue:
        """The commands as platforms publish them."""
        return tuple({known.command.name: known.command for known in self._known.values()}.values())

    async def take(self, turn: Turn) -> Result:
        """Run one event of the control track and answer it."""
        match turn.event:
            case StopAsked(author=person):
                if person is None or self._may_talk(turn):
                    await self.stop(turn)
                return Result()
            case MessageDeleted():  # its parts are the answers to take away
                return Result(receipt=await self._say(turn, ""))
            case Announced() as event:
                outbox = self.announcing.outbox(self.journal, turn, event)
                reply = saying(event.text, event.buttons)
                receipt = await self._deliver(turn, reply, outbox)
                said = (NewLine(role="assistant", text=event.text),) if event.remembered else ()
                return Result(receipt=receipt, lines=said)
            case CommandGiven() | Pressed() as event:
                return await self._obey(turn, event)
        raise TypeError(f"not for the desk: {type(turn.event).__name__}")

    async def _obey(self, turn: Turn, event: CommandGiven | Pressed) -> Result:
        self.journal.save(turn, "admitted", {})
        answer = turn.steps.get("answered")
        if answer is None:  # a command runs once, however often its answer has to be sent
            answer = await self._answer(turn, event)
            await self.journal.save(
                turn, "answered", answer if isinstance(answer, str) else asdict(answer)
            )
        reply = answer if isinstance(answer, Reply) else Reply.read(answer)
        if not reply.text:
            return Result()
        return Result(receipt=await self._say(turn, reply.text, reply.buttons))

    async def _say(self, turn: Turn, sentence: str, buttons: tuple[Button, ...] = ()) -> Receipt:
        outbox = TurnOutbox(self.journal, turn)
        return await self._deliver(turn, saying(sentence, buttons), outbox)

    async def _deliver(
        self, turn: Turn, reply: AsyncGenerator[Piece, None], outbox: TurnOutbox
    ) -> Receipt:
        sender = self.senders[turn.event.conversation.platform]
        return await sender.deliver(address(turn), reply, outbox)

    async def _answer(self, turn: Turn, event: CommandGiven | Pressed) -> str | Reply:
        by_name = self.permissions.role_of(str(event.author)) or "guest"
        request = Request(
            event=event,
            turn=turn,
            role=self.permissions.role(event.author, event.conversation),
            house=at_least(by_name, "admin"),
            threads=event.conversation.platform in self.threads,
        )
        try:
            self._hold_back(request)
            if isinstance(event, Pressed):
                value = self.buttons.read(event)
                return await self._press(replace(request, argument=value), event.action)
            return await self._run(replace(request, argument=event.words.strip()), event.name)
        except Declined as refusal:
            return refusal.sentence

    def _hold_back(self, request: Request) -> None:
        """Keep one person from flooding a place with commands; stopping the bot is always heard."""
        stops = isinstance(request.event, CommandGiven) and request.event.name.lower() == "stop"
        if not (stops or request.admin or self.pace.allows(request.person, self.now())):
            raise Declined(sentences.TOO_MANY_COMMANDS)

    async def _run(self, request: Request, name: str) -> str | Reply:
        known = self._known.get(name.lower())
        if known is None:
            raise Declined(
                f"I know no command `{name}`. `{request.slash}help` lists what there is."
            )
        self._authorise(request, known.command.rank, anywhere=known.anywhere)
        return await known.run(request)

    async def _press(self, request: Request, action: str) -> str | Reply:
        pressable = self._pressable.get(action)
        if pressable is None:
            raise Declined(sentences.OLD_BUTTON)
        self._authorise(request, pressable.rank, anywhere=pressable.anywhere)
        return await pressable.run(request)

    def _authorise(self, request: Request, rank: Rank, *, anywhere: bool) -> None:
        if not anywhere and not self._may_talk(request.turn):
            raise Declined(sentences.NOT_HERE)
        person, place = request.event.author, request.event.conversation
        if rank != "everyone" and not self.permissions.may(person, ACTIONS[rank], place):
            raise Declined(sentences.NOT_YOURS.format(rank=rank))

    def _may_talk(self, turn: Turn) -> bool:
        event = turn.event
        person = getattr(event, "author", None)
        private = getattr(event, "private", True)
        return person is not None and self.permissions.may(
            person, "talk", event.conversation, private=private
        )
