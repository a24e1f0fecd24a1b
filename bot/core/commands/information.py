"""Commands that tell something: help, whoami, status."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.core.commands.desk import NEEDED, Known, Request
from bot.core.policies import Policies
from bot.domain.commands import Catalogue, Command
from bot.domain.permissions import at_least

HELP = Command(name="help", about="What I can do", aliases=("start",))
WHOAMI = Command(name="whoami", about="Who you are to me")
STATUS = Command(name="status", about="How I am doing")


@dataclass(slots=True, kw_only=True)
class InformationCommands:
    """What a person can ask about themselves and the bot."""

    bot_name: Callable[[], str]
    catalogue: Callable[[], Catalogue]
    policies: Policies
    describe: Callable[[str], str]  # model name → one line about it
    running: Callable[[], int]
    failing: Callable[[], Mapping[str, str]]  # what is wrong with models, for admins
    started: float

    def known(self) -> tuple[Known, ...]:
        """Return this capability's commands."""
        return (
            Known(HELP, self.help, anywhere=True),
            Known(WHOAMI, self.whoami, anywhere=True),
            Known(STATUS, self.status),
        )

    async def help(self, request: Request) -> str:
        """List the commands that the asking person may use."""
        commands = [
            command
            for command in self.catalogue()
            if command.rank == "everyone" or at_least(request.role, NEEDED[command.rank])
        ]
        lines = [f"- `{request.slash}{c.name}`: {c.about}" for c in commands]
        return f"I am {self.bot_name()}. Write to me, or mention me in a group.\n\n" + "\n".join(
            lines
        )

    async def whoami(self, request: Request) -> str:
        """Name the person as the configuration does."""
        article = "an" if request.role[0] in "ao" else "a"
        place = str(request.event.conversation).rstrip(":")  # as patterns in the file are written
        you = f"You are `{request.person}`, {article} {request.role}."
        return f"{you} This conversation is `{place}`."

    async def status(self, request: Request) -> str:
        """Tell what answers here and how busy the bot is."""
        policy = self.policies.resolve(request.event.conversation)
        minutes = (time.time() - self.started) / 60
        up = f"{minutes / 60:.1f} hours" if minutes >= 60 else f"{minutes:.0f} min"
        failing = self.failing() if request.admin else {}
        rest = "".join(f"\n- Model {name} {complaint}" for name, complaint in failing.items())
        return (
            f"- Model: {policy.model} ({self.describe(policy.model)})\n"
            f"- Persona: {policy.persona}\n"
            f"- Memory: {policy.memory.kind}, at most {policy.memory.max_tokens} tokens\n"
            f"- Answers being written: {self.running()}\n- Up for {up}{rest}"
        )
