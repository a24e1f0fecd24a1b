"""Commands that tell something: help, whoami, status, usage."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.core.commands.desk import Known, Request
from bot.core.policies import Policies
from bot.domain.commands import Catalogue, Command
from bot.ports.store import Ledger

HELP = Command(name="help", about="What I can do", aliases=("start",))
WHOAMI = Command(name="whoami", about="Who you are to me")
STATUS = Command(name="status", about="How I am doing")
USAGE = Command(name="usage", about="What you have used this month")


@dataclass(slots=True, kw_only=True)
class InformationCommands:
    """What a person can ask about themselves and the bot."""

    bot_name: str
    catalogue: Callable[[], Catalogue]
    ledger: Ledger
    policies: Policies
    describe: Callable[[str], str]  # model name → one line about it
    running: Callable[[], int]
    started: float

    def known(self) -> tuple[Known, ...]:
        """Return this capability's commands."""
        return (
            Known(HELP, self.help, anywhere=True),
            Known(WHOAMI, self.whoami, anywhere=True),
            Known(STATUS, self.status),
            Known(USAGE, self.usage),
        )

    async def help(self, request: Request) -> str:
        """List the commands that the asking person may use."""
        commands = [c for c in self.catalogue() if request.admin or c.rank == "everyone"]
        slash = "/parley " if request.event.conversation.platform == "slack" else "/"
        lines = [f"- `{slash}{c.name}`: {c.about}" for c in commands]
        return f"I am {self.bot_name}. Write to me, or mention me in a group.\n\n" + "\n".join(
            lines
        )

    async def whoami(self, request: Request) -> str:
        """Name the person as the configuration does."""
        rank = "an admin" if request.admin else "a member"
        place = str(request.event.conversation).rstrip(":")  # as patterns in the file are written
        return f"You are `{request.event.author}`, {rank}. This conversation is `{place}`."

    async def status(self, request: Request) -> str:
        """Tell what answers here and how busy the bot is."""
        policy = self.policies.resolve(request.event.conversation)
        hours = (time.time() - self.started) / 3600
        return (
            f"- Model: {policy.model} ({self.describe(policy.model)})\n"
            f"- Persona: {policy.persona}\n"
            f"- Memory: {policy.memory.kind}, at most {policy.memory.max_tokens} tokens\n"
            f"- Answers being written: {self.running()}\n- Up for {hours:.1f} hours"
        )

    async def usage(self, request: Request) -> str:
        """Sum the tokens of the person and of the conversation since the month began."""
        month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        since = month.timestamp()
        person = str(request.event.author)
        own = await self.ledger.used(person=person, since=since)
        here = await self.ledger.used(lane=request.turn.lane, since=since)
        cost = await self.ledger.cost(person=person, since=since)
        about = "about " if own.estimated else ""
        money = f", {cost:.4f} USD" if cost else ""
        return (
            f"This month you used {about}{own.input_tokens + own.output_tokens} tokens{money}; "
            f"this conversation {here.input_tokens + here.output_tokens}."
        )
