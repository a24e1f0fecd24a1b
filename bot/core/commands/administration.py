"""`/admin`: everything that steers the bot from a chat, one order a line, each in the audit log."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from bot.core import sentences
from bot.core.commands.desk import NEEDED, Known, Reply, Request, Run
from bot.core.commands.naming import PERSON, named
from bot.domain.commands import Command, Option, Rank
from bot.domain.errors import Declined
from bot.domain.permissions import at_least
from bot.ports.people import Audit, Record

Noted = Literal["always", "changes", "never"]
LONGEST_DETAIL = 200  # characters of an order that the audit log keeps


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One word behind `/admin` and what it does."""

    name: str
    usage: str = ""  # what follows the name
    about: str
    run: Run
    rank: Rank = "admin"
    noted: Noted = "changes"  # in the audit log: alone, without words, most orders only show things


@dataclass(slots=True, kw_only=True)
class Administration:
    """Finds an order, checks the rank, runs it, and notes who gave it."""

    audit: Audit
    now: Callable[[], float]
    _orders: dict[str, Order] = field(default_factory=dict)

    def register(self, orders: Iterable[Order]) -> None:
        """Add orders; each capability brings its own."""
        self._orders |= {order.name: order for order in orders}

    def known(self) -> tuple[Known, ...]:
        """Return the command, with all orders that were registered."""
        action = Option(name="action", about="What to do", choices=tuple(self._orders))
        words = Option(name="words", about="Whom, what or how; nothing at all lists the actions")
        command = Command(
            name="admin",
            about="Steer the bot: who may talk, what answers, what is noted",
            rank="moderator",
            options=(action, words),
        )
        return (Known(command, self.run, anywhere=True),)

    async def run(self, request: Request) -> str | Reply:
        """Run one order; without one, list those that the person may give."""
        name, _, words = request.argument.partition(" ")
        if not name:
            return self._listed(request)
        order = self._orders.get(name.lower())
        if order is None:
            raise Declined(f"I know no order `{name}`. `{request.slash}admin` lists what there is.")
        if not at_least(request.role, NEEDED[order.rank]):
            raise Declined(sentences.NOT_YOURS.format(rank=order.rank))
        words = words.strip()
        answer = await order.run(replace(request, argument=words))
        if order.noted == "always" or (order.noted == "changes" and words):
            await self._note(request, order, words)
        return answer

    def _listed(self, request: Request) -> str:
        lines = [
            f"- `{f'{order.name} {order.usage}'.strip()}`: {order.about}"
            for order in self._orders.values()
            if at_least(request.role, NEEDED[order.rank])
        ]
        return f"Write one of these after `{request.slash}admin`:\n\n" + "\n".join(lines)

    async def _note(self, request: Request, order: Order, words: str) -> None:
        whom = named(request, words.partition(" ")[0])
        cut = words if len(words) <= LONGEST_DETAIL else f"{words[:LONGEST_DETAIL]} […]"
        record = Record(
            at=self.now(),
            actor=request.person,
            action=f"admin.{order.name}",
            subject=whom if PERSON.fullmatch(whom) else "",
            place=str(request.event.conversation),
            details=cut,
        )
        await self.audit.note(record)
