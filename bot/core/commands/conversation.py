"""Commands about the running conversation: reset, stop, retry."""

from dataclasses import dataclass

from bot.core.commands.desk import Known, Request
from bot.core.draft import Draft
from bot.core.policies import Policies
from bot.domain.commands import Command
from bot.domain.conversation import Conversation
from bot.domain.errors import Declined
from bot.domain.events import MessageReceived
from bot.ports.store import Intake, Lanes, Memory, Turn


@dataclass(slots=True, kw_only=True)
class ConversationCommands:
    """What a person can do to the conversation they are in.

    Some platforms do not say in which thread a command was given (Slack); there a command for a
    channel reaches the threads of that channel which the bot has joined.
    """

    memory: Memory
    intake: Intake
    lanes: Lanes
    policies: Policies
    drafts: dict[str, tuple[Turn, Draft]]

    def known(self) -> tuple[Known, ...]:
        """Return this capability's commands."""
        return (
            Known(Command(name="reset", about="Forget this conversation and begin anew",
                          aliases=("new",)), self.reset),
            Known(Command(name="stop", about="Stop the answer that is being written"), self.stop),
            Known(Command(name="retry", about="Answer the last message again"), self.retry),
        )  # fmt: skip

    async def reset(self, request: Request) -> str:
        """Raise the epoch of every memory that the command is about."""
        keys = {request.turn.memory, *self._threads(request.event.conversation)}
        lines = sum([await self.memory.reset(key) for key in keys])
        return "Forgotten. We begin anew." if lines else "There was nothing to forget."

    async def stop(self, request: Request) -> str:
        """End running answers here; each keeps what it has said and says that it was stopped."""
        stopped = await self.end(request.turn)
        return "" if stopped else "There is no answer to stop."

    async def end(self, turn: Turn) -> bool:
        """Stop what runs in the place of an event; durable, so that a resume stays stopped."""
        place = turn.event.conversation
        lanes = [lane for lane in self.drafts if lane == turn.lane or _is_within(lane, place)]
        for lane in lanes:
            running, draft = self.drafts[lane]
            draft.stop()
            await self.lanes.cancel(running)
        return bool(lanes)

    async def retry(self, request: Request) -> str:
        """Queue the last question again; its new answer takes the old one's place in memory."""
        event = request.event
        for key in (request.turn.memory, *self._threads(event.conversation)):
            question = await self.memory.last_question(key)
            if question:
                break
        else:
            raise Declined("There is no earlier message to answer again.")
        asked, text, message = question
        await self.intake.ingest(
            MessageReceived(
                id=f"{event.id}:retry", at=event.at, author=event.author, text=text, message=message,
                conversation=_place(key, event.conversation), addressed=True,
                private=event.private, replaces=asked,
            ), lane=str(_place(key, event.conversation)), memory=key,
        )  # fmt: skip
        return "I try again." if event.reply_via else ""

    def _threads(self, place: Conversation) -> list[str]:
        if place.thread or place.platform != "slack":
            return []
        return [lane for lane in self.policies.joined if _is_within(lane, place)]


def _is_within(lane: str, place: Conversation) -> bool:
    return not place.thread and lane.startswith(str(place))


def _place(key: str, given: Conversation) -> Conversation:
    """Return the place that a memory key names; a person's memory answers where it was asked."""
    return given if "|" in key else Conversation.parse(key)
