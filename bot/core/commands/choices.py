"""Commands that choose: which model answers here, and in which persona."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.core.commands.desk import Known, Request
from bot.core.policies import Policies
from bot.domain.commands import Command, Option
from bot.domain.errors import Declined

MODEL = Command(
    name="model",
    about="Show or choose the model that answers here",
    options=(Option(name="name", about="A model's name"),),
)
PERSONA = Command(
    name="persona",
    about="Show or choose how I talk here",
    options=(Option(name="name", about="A persona's name"),),
)


@dataclass(slots=True, kw_only=True)
class ChoiceCommands:
    """Shows what can be chosen; in a group only admins change it, for everybody there."""

    policies: Policies
    models: Mapping[str, str]  # name → one line about it

    def known(self) -> tuple[Known, ...]:
        """Return this capability's commands."""
        model = _with_choices(MODEL, tuple(self.models))
        persona = _with_choices(PERSONA, tuple(self.policies.personas))
        return (Known(model, self.model), Known(persona, self.persona))

    async def model(self, request: Request) -> str:
        """List models or choose one."""
        current = self.policies.resolve(request.event.conversation).model
        if not request.argument:
            lines = [f"- {'**' + n + '**' if n == current else n}: {about}"
                     for n, about in self.models.items()]  # fmt: skip
            return "Models (the bold one answers here):\n\n" + "\n".join(lines)
        return await self._choose(request, "model", tuple(self.models))

    async def persona(self, request: Request) -> str:
        """List personas or choose one."""
        current = self.policies.resolve(request.event.conversation).persona
        if not request.argument:
            lines = [f"- {'**' + n + '**' if n == current else n}" for n in self.policies.personas]
            return "Personas (the bold one talks here):\n\n" + "\n".join(lines)
        return await self._choose(request, "persona", tuple(self.policies.personas))

    async def _choose(self, request: Request, kind: str, names: tuple[str, ...]) -> str:
        name = request.argument
        back = name == "default" and name not in names  # what the file says holds again
        if name not in names and not back:
            raise Declined(f"There is no {kind} `{name}`; there is {', '.join(names)}.")
        if not request.event.private and not request.admin:
            raise Declined(f"Only an admin may choose the {kind} of a group.")
        place = request.event.conversation
        await self.policies.change(place, kind, None if back else name)
        return f"From now on the {kind} here is {getattr(self.policies.resolve(place), kind)}."


def _with_choices(command: Command, names: tuple[str, ...]) -> Command:
    return replace(command, options=(replace(command.options[0], choices=names),))
