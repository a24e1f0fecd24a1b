"""The command and the buttons that lead to a person, and back."""

from dataclasses import dataclass

from bot.core import sentences
from bot.core.commands.desk import Known, Pressable, Request
from bot.core.handover import ASK, DONE, Handing
from bot.domain.commands import Command, Option
from bot.domain.errors import Declined
from bot.domain.permissions import at_least

HANDOVER = Command(
    name="handover",
    about="Talk to a person",
    options=(Option(name="question", about="What it is about; `end` lets me answer again"),),
)


@dataclass(slots=True, kw_only=True)
class HandoverCommands:
    """Asks for a person, and ends that."""

    handing: Handing

    def known(self) -> tuple[Known, ...]:
        """Return the command, where there is somebody to ask."""
        return (Known(HANDOVER, self.ask),) if self.handing.settings.channel else ()

    def pressables(self) -> tuple[Pressable, ...]:
        """Return the button below answers, and the staff's."""
        return (
            Pressable(action=ASK, run=self.press),
            Pressable(action=DONE, run=self.done, anywhere=True),
        )

    async def ask(self, request: Request) -> str:
        """Ask the staff, or end that."""
        if request.argument.lower() in ("end", "off", "stop"):
            whose = "" if at_least(request.role, "moderator") else request.person
            ended = await self.handing.give_back(request.event, whose)
            return sentences.GIVEN_BACK if ended else sentences.NOBODY_ASKED
        return await self.handing.begin(request.event, request.turn.memory, request.argument)

    async def press(self, request: Request) -> str:
        """Ask the staff about the last question."""
        return await self.handing.begin(request.event, request.turn.memory)

    async def done(self, request: Request) -> str:
        """Give a conversation back; only who reads the staff's place sees this button."""
        place = self.handing.place
        if place is None or request.event.conversation.parent != place.parent:
            raise Declined(sentences.NOT_YOUR_BUTTON)
        await self.handing.end(int(request.argument))
        return ""  # all of the staff are told below the request
