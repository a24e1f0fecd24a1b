"""Commands about the running conversation: reset, stop, retry."""

from dataclasses import dataclass

from bot.core.commands.desk import Known, Request
from bot.core.draft import Draft
from bot.core.policies import Policies
from bot.domain.commands import Command
from bot.domain.conversation import Conversation
from bot.domain.errors import Declined
from bot.domain.events import MessageReceived, StopAsked
from bot.ports.store import Intake, Lanes, Memory, Turn

RESET = Command(name="reset", about="Forget this conversation and begin anew", aliases=("new",))
STOP = Command(name="stop", about="Stop the answer that is being written")
RETRY = Command(name="retry", about="Answer the last message again")


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
        return (Known(RESET, self.reset), Known(STOP, self.stop), Known(RETRY, self.retry))

    async def reset(self, request: Request) -> str:
        """Raise the epoch of every memory that the command is about."""
        keys = {request.turn.memory, *self._threads(request.event.conversation)}
        lines = sum([await self.memory.reset(key) for key in keys])
        return "Forgotten. We begin anew." if lines else "There was nothing to forget."

    async def stop(self, request: Request) -> str:
        """End running answers here; each keeps what it has said and says that it was stopped."""
        stopped = await self.end(request.turn)
        if not stopped:
            return "There is no answer to stop."
        return "Stopped." if request.event.reply_via else ""  # the answer itself says it too

    async def end(self, turn: Turn) -> bool:
        """Stop what runs in the place of an event; durable, so that a resume stays stopped."""
        place = turn.event.conversation
        here = {turn.lane, str(place.parent)} if isinstance(turn.event, StopAsked) else {turn.lane}
        lanes = [lane for lane in self.drafts if lane in here or _is_within(lane, place)]
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
        again = MessageReceived(
            id=f"{event.id}:retry",
            at=event.at,
            conversation=_place(key, event.conversation),
            author=event.author,
            text=text,
            message=message,
            addressed=True,
            private=event.private,
            replaces=asked,
        )
        await self.intake.ingest(again, lane=str(again.conversation), memory=key)
        return "I try again." if event.reply_via else ""

    def _threads(self, place: Conversation) -> list[str]:
        if place.thread or place.platform != "slack":
            return []
        return [lane for lane in self.policies.joined if _is_within(lane, place)]


def _is_within(lane: str, place: Conversation) -> bool:
    return not place.thread and lane.startswith(str(place))


def _place(key: str, given: Conversation) -> Conversation:
    """Return the place that a memory key names; a person's own memory answers where asked."""
    return given if "|" in key else Conversation.parse(key)
