"""Commands about the running conversation: reset, stop, retry."""

from dataclasses import dataclass
from urllib.parse import unquote

from bot.core import sentences
from bot.core.commands.desk import Known, Request
from bot.core.draft import Draft
from bot.core.pace import Pace
from bot.core.policies import Policies
from bot.domain.commands import Command
from bot.domain.conversation import Conversation, Person
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
    drafts: dict[str, Draft]
    pace: Pace

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
        here = {turn.lane, *self._threads(place)}
        if isinstance(turn.event, StopAsked):  # the event of a direct message may name a thread
            here.add(str(place.parent))
        running = [self.drafts[lane] for lane in here if lane in self.drafts]
        for draft in running:
            draft.stop()
        for draft in running:
            await self.lanes.cancel(draft.turn)
        return bool(running)

    async def retry(self, request: Request) -> str:
        """Queue the last question again; its new answer takes the old one's place in memory."""
        event = request.event
        if not self.pace.allows(request.person, event.at):
            raise Declined(sentences.TOO_FAST)
        keys = (request.turn.memory, *self._threads(event.conversation))
        found = [(await self.memory.last_question(key), key) for key in keys]
        asked = [(question, key) for question, key in found if question]
        if not asked:
            raise Declined("There is no earlier message to answer again.")
        question, key = max(asked, key=lambda pair: pair[0].id)
        platform, workspace, user = (unquote(part) for part in question.person.split(":"))
        asked_by = Person(platform=platform, workspace=workspace, user=user, name=question.name)
        author = event.author  # whose roles are known, unlike those of who asked before
        again = MessageReceived(
            id=f"{event.id}:retry",
            at=event.at,
            conversation=Conversation.parse(question.lane),
            author=author if str(author) == question.person else asked_by,
            text=question.text,
            message=question.message,
            addressed=True,
            private=event.private,
            closed=event.closed,
            replaces=question.event,
            asker=None if str(author) == question.person else author,
        )
        await self.intake.ingest(again, lane=question.lane, memory=key)
        return "I try again." if event.reply_via else ""

    def _threads(self, place: Conversation) -> list[str]:
        if place.thread or place.platform != "slack":
            return []
        return [lane for lane in self.policies.joined if lane.startswith(str(place))]
