"""Orders about the whole bot: the audit log, the configuration anew, a word to everybody."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.core import sentences
from bot.core.announcing import Announcing
from bot.core.buttons import Buttons
from bot.core.commands.administration import Order
from bot.core.commands.desk import Pressable, Reply, Request
from bot.core.commands.naming import named
from bot.core.journal import reference_of
from bot.domain.conversation import Conversation
from bot.domain.errors import ConfigError, Declined
from bot.domain.events import Announced
from bot.domain.replies import Button
from bot.ports.people import Audit, Record
from bot.ports.store import Settings

SHOWN = 20  # lines of the audit log
BROADCAST_DAYS = 30.0  # a place that was answered since then hears a broadcast
CONFIRM_S = 600.0


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What is to be said where, once it is confirmed."""

    text: str
    places: list[str]


@dataclass(slots=True, kw_only=True)
class HouseOrders:
    """What concerns every conversation."""

    audit: Audit
    settings: Settings
    announcing: Announcing
    buttons: Buttons
    now: Callable[[], float]
    reload: Callable[[], Awaitable[str]]
    _pending: dict[str, Broadcast] = field(default_factory=dict)  # those that wait for a yes

    def orders(self) -> tuple[Order, ...]:
        """Return this capability's orders."""
        return (
            Order(name="audit", usage="[PERSON]", rank="moderator", noted="never",
                  run=self.show_audit, about="the newest decisions; `parley audit` exports all"),
            Order(name="reload", about="read the configuration again", run=self.reloaded,
                  noted="always"),
            Order(name="broadcast", usage="TEXT", run=self.broadcast,
                  about="say something in every place where I answered this month"),
        )  # fmt: skip

    def pressables(self) -> tuple[Pressable, ...]:
        """Return the button that confirms a broadcast."""
        return (Pressable(action="broadcast", run=self.send, rank="admin", anywhere=True),)

    async def show_audit(self, request: Request) -> str:
        """Show the newest lines."""
        whom = named(request, request.argument)
        records = await self.audit.records(limit=SHOWN, subject=whom)
        if not records:
            return (
                f"Nothing was decided about `{whom}` yet." if whom else "Nothing was decided yet."
            )
        return "\n".join(map(_line, records))

    async def reloaded(self, request: Request) -> str:
        """Validate the file, then let it hold."""
        _expect_house(request)
        try:
            return await self.reload()
        except ConfigError as error:
            raise Declined(f"Nothing was changed:\n\n```\n{error}\n```") from error

    async def broadcast(self, request: Request) -> Reply:
        """Ask whether a text is really to go everywhere."""
        _expect_house(request)
        if not request.argument:
            raise Declined(f"Write what to say behind `{request.slash}admin broadcast`.")
        pending = Broadcast(request.argument, await self._places())
        reference = reference_of(request.event.id)
        self._pending = {**dict(list(self._pending.items())[-9:]), reference: pending}
        yes = self._button(reference, len(pending.places), request.person)
        return Reply(f"Say this in {len(pending.places)} places?\n\n{request.argument}", (yes,))

    async def send(self, request: Request) -> str:
        """Say a confirmed text in every place, once."""
        confirmed = self._pending.get(request.argument)
        if confirmed is None:
            raise Declined("This was sent already, or I was started anew since: give it again.")
        for lane in confirmed.places:
            said = Announced(
                id=f"said:{request.argument}:{lane}",
                at=self.now(),
                conversation=Conversation.parse(lane),
                text=confirmed.text,
            )
            await self.announcing.say(said)
        self._pending.pop(request.argument, None)  # only now: when a store fails, this runs again
        return f"It is being said in {len(confirmed.places)} places."

    async def _places(self) -> list[str]:
        active = await self.settings.active(since=self.now() - BROADCAST_DAYS * 86400)
        return sorted({str(Conversation.parse(lane).parent) for lane in active})

    def _button(self, reference: str, count: int, person: str) -> Button:
        return self.buttons.make(
            f"Say it in {count} places", "broadcast", reference, person=person, valid_s=CONFIRM_S
        )


def _line(record: Record) -> str:
    when = f"{datetime.fromtimestamp(record.at, UTC):%Y-%m-%d %H:%M}"
    whom = f" `{record.subject}`" if record.subject else ""
    more = f": {record.details}" if record.details not in ("", record.subject) else ""
    return f"- {when} `{record.actor}` {record.action}{whom}{more}"


def _expect_house(request: Request) -> None:
    """Raise Declined for who is an admin in one place only."""
    if not request.house:
        raise Declined(sentences.NOT_OF_THE_HOUSE)
