"""Orders about one place: which model and persona answer there, what is remembered, judged, paused.

They change what the file says, for this channel, until they are taken back with `default`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import get_args

from bot.core import sentences
from bot.core.commands.administration import Order
from bot.core.commands.choices import ChoiceCommands
from bot.core.commands.desk import Reply, Request, Run
from bot.core.moderation.moderation import Moderation, Summary
from bot.core.policies import Policies
from bot.domain.conversation import Conversation
from bot.domain.errors import Declined
from bot.domain.events import CommandGiven, Pressed
from bot.domain.moderation import ACTIONS
from bot.domain.policy import DmPolicy, GroupPolicy, MemoryKind, MemoryScope

WHETHER = ("on", "off")
CHANGEABLE: Mapping[str, Mapping[str, tuple[str, ...]]] = {  # empty: a number
    "memory": {
        "kind": get_args(MemoryKind), "scope": get_args(MemoryScope), "max_tokens": (),
        "window": (), "retention_days": (), "overhears": WHETHER,
    },
    "moderation": {
        "mode": ("shadow", "enforce"), "inbound": WHETHER, "outbound": WHETHER,
        "on_flag": ACTIONS, "threshold": (), "on_error": ("allow", "block"),
    },
    "access": {
        "group_policy": get_args(GroupPolicy), "dm_policy": get_args(DmPolicy),
        "require_mention": WHETHER, "allow_bots": WHETHER,
    },
}  # fmt: skip
STILL_HERE = "I am still paused here; `{slash}admin resume` ends that."
STILL_EVERYWHERE = (
    "I am still paused everywhere; an admin ends that with `{slash}admin resume all`."
)
ALONE = (
    "Noted, but I cannot listen yet: that takes a memory that people share (`scope` thread or "
    "channel) and that is kept (`retention_days`)."
)
LEAST, MOST = {"max_tokens": 64, "window": 1}, {"threshold": 1}


@dataclass(slots=True, kw_only=True)
class LocalOrders:
    """Shows and changes what holds where the order is given."""

    policies: Policies
    choices: ChoiceCommands
    moderation: Moderation
    listens: Callable[[Conversation], Awaitable[None]]  # tells a place whether it is overheard
    give_back: Callable[[Pressed | CommandGiven], Awaitable[bool]]  # ends what is handed over

    def orders(self) -> tuple[Order, ...]:
        """Return this capability's orders."""
        tables = tuple(
            Order(name=table, usage="[KEY VALUE]", run=self._changing(table),
                  about=f"show or set here: {', '.join(CHANGEABLE[table])}")
            for table in CHANGEABLE
        )  # fmt: skip
        return (
            Order(name="model", usage="[NAME]", about="which model answers here",
                  run=self.choices.model),
            Order(name="persona", usage="[NAME]", about="in which persona",
                  run=self.choices.persona),
            Order(name="chain", usage="[NAME]", about="which chain answers here, or none",
                  run=self.chain),
            *tables,
            Order(name="pause", usage="[all]", run=self.pause, rank="moderator", noted="always",
                  about="answer only those who steer me, here or everywhere: for raids"),
            Order(name="resume", usage="[all]", run=self.resume, rank="moderator", noted="always",
                  about="answer everybody again"),
        )  # fmt: skip

    async def chain(self, request: Request) -> str:
        """Say which chain answers here, or choose one."""
        place, names = request.event.conversation.parent, self.policies.chains
        name = request.argument
        if not names:
            raise Declined("The configuration has no chains.")
        if name and name not in ("none", "default", *names):
            there = ", ".join(names)
            raise Declined(f"There is no chain `{name}`; there is {there}, or `none`.")
        if name:
            value = None if name == "default" else name if name in names else ""
            await self.policies.change(place, "chain", value)
        here = self.policies.resolve(request.event.conversation).chain or "none"
        return (
            f"From now on the chain here is {here}."
            if name
            else (f"The chain here is {here}. There is {', '.join(names)}.")
        )

    async def pause(self, request: Request) -> str:
        """Answer nobody but those who steer the bot."""
        where = await self._pause(request, "yes")
        resume = f"{request.slash}admin resume {request.argument}".rstrip()
        return f"Paused {where}. What others write now is not stored. `{resume}` ends it."

    async def resume(self, request: Request) -> str:
        """Take a pause back, and a conversation that people have taken over."""
        await self._pause(request, None)
        await self.give_back(request.event)
        all_over = bool(request.argument)
        if self.policies.resolve(request.event.conversation).paused:
            still = STILL_HERE if all_over else STILL_EVERYWHERE
            return still.format(slash=request.slash)
        but = ", except in places that were paused one by one" if all_over else ""
        return f"I answer everybody again{but}."

    async def _pause(self, request: Request, value: str | None) -> str:
        if request.argument not in ("", "all"):
            raise Declined("Write nothing behind it, or `all`.")
        if request.argument and not request.house:
            raise Declined(sentences.NOT_OF_THE_HOUSE)
        place = None if request.argument else request.event.conversation.parent
        await self.policies.change(place, "paused", value)
        return "everywhere" if place is None else "here"

    def _changing(self, table: str) -> Run:
        async def run(request: Request) -> str | Reply:
            if not request.argument:
                return await self._shown(request, table)
            return await self._change(request, table)

        return run

    async def _shown(self, request: Request, table: str) -> str:
        policy = self.policies.resolve(request.event.conversation)
        settings = getattr(policy, table)
        lines = [f"- `{key}`: {_told(getattr(settings, key))}" for key in CHANGEABLE[table]]
        if table == "moderation":
            lines += ["", _summed_up(await self.moderation.summary(policy.moderation))]
        return f"What holds here for {table}:\n\n" + "\n".join(lines)

    async def _change(self, request: Request, table: str) -> str:
        key, _, value = request.argument.partition(" ")
        key, value = key.lower(), value.strip().lower()
        if key not in CHANGEABLE[table]:
            raise Declined(f"There is no `{key}`; there is {', '.join(CHANGEABLE[table])}.")
        allowed = CHANGEABLE[table][key]
        if value != "default" and not (value in allowed if allowed else _number(key, value)):
            wanted = ", ".join(allowed) or f"a number from {LEAST.get(key, 0)} on"
            raise Declined(f"Write {wanted}, or `default` for what the file says.")
        place = request.event.conversation.parent
        if key == "overhears" and request.event.private:
            raise Declined("In a direct message all is said to me already.")
        await self.policies.change(place, f"{table}.{key}", None if value == "default" else value)
        if table == "memory" and not request.event.private:
            await self.listens(place)
        if (key, value) == ("overhears", "on") and not self.policies.resolve(place).memory.listens:
            return ALONE
        return f"Here `{table}.{key}` is {value} from now on."


def _summed_up(summary: Summary) -> str:
    """Say whether decisions are carried out, and what was found since the start."""
    if not summary.guards:
        return "Nobody is asked: `provider` in the configuration names no guard."
    mode = "are carried out"
    if not summary.enforces:
        day = "" if summary.until is None else f" until {_day(summary.until)}"
        mode = f"are only noted{day}"
    found = ", ".join(f"{category} {count}" for category, count in summary.categories.items())
    return (
        f"Decisions of {', '.join(summary.guards)} {mode}. Since the start: {found or 'nothing'}."
    )


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _number(key: str, value: str) -> bool:
    try:
        number = float(value) if key in MOST else int(value)
    except ValueError:
        return False
    return LEAST.get(key, 0) <= number <= MOST.get(key, 10_000_000)


def _told(value: object) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)
