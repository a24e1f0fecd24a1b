"""Moderators hear of cases, grouped by person: one alert in ten minutes, however much happens."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.core import sentences
from bot.core.announcing import Announcing
from bot.core.buttons import DAY, Buttons
from bot.domain.conversation import Conversation, Person
from bot.domain.events import Announced
from bot.domain.replies import Button
from bot.ports.cases import Alerts, Case

PAUSE_S = 600.0  # between two alerts about one person
KEPT_S = 30 * DAY  # for which a case is open, and its buttons work
SHOWN = 300  # characters of evidence in an alert
CHOICES = (
    ("Uphold", "mod_uphold"), ("Lift", "mod_lift"),
    ("Time out", "mod_timeout"), ("Block", "mod_block"),
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Alerting:
    """Speaks in the moderators' place, and to the people concerned."""

    alerts: Alerts
    announcing: Announcing
    buttons: Buttons
    place: Conversation | None  # None: there is nobody to tell
    now: Callable[[], float]  # seconds since 1970
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def tell(self, who: str) -> None:
        """Tell moderators what they were not told of a person, unless that was just done."""
        if self.place is None:
            return
        async with self._one_at_a_time:
            cases = await self.alerts.untold(who, after=self.now() - PAUSE_S)
            if cases:  # said first: what a kill in between says again is dropped
                await self._say(f"alert:{cases[-1].id}", _alert(cases), cases[0])
                await self.alerts.told(cases, at=self.now())

    async def appeal(self, case: Case) -> None:
        """Pass an appeal on."""
        await self._say(f"appeal:{case.id}", _appeal(case), case)

    async def answer(self, case: Case, sentence: str) -> None:
        """Tell a person what became of their case."""
        await self.announcing.say(Announced(
            id=f"outcome:{case.id}", at=self.now(), conversation=Conversation.parse(case.lane),
            text=sentence, author=Person.parse(case.person), hidden=not case.private,
            private=case.private, message=case.message,
        ))  # fmt: skip

    async def catch_up(self) -> None:
        """Tell what had to wait."""
        for who in await self.alerts.waiting() if self.place else ():
            await self.tell(who)

    def appeal_button(self, case: Case) -> tuple[Button, ...]:
        """Return the button with which a person asks moderators to look at a case."""
        if self.place is None:
            return ()
        value, person = str(case.id), case.person
        made = self.buttons.make(sentences.APPEAL, "appeal", value, person=person, valid_s=KEPT_S)
        return (made,)

    async def _say(self, id: str, text: str, case: Case) -> None:
        if self.place is None:
            return
        buttons = [
            self.buttons.make(label, action, str(case.id), valid_s=KEPT_S)
            for label, action in CHOICES
        ]
        await self.announcing.say(
            Announced(id=id, at=self.now(), conversation=self.place, text=text,
                      buttons=tuple(buttons))
        )  # fmt: skip


def _alert(cases: Sequence[Case]) -> str:
    newest = cases[0]
    many = "1 message" if len(cases) == 1 else f"{len(cases)} messages"
    lines = [f"Moderation: {many} of `{newest.person}` in `{_place(newest)}`"]
    lines += [f"{case.stage}, {case.action}: {case.findings}" for case in cases[:3]]
    return "\n".join((*lines, _quoted(newest.evidence)))


def _appeal(case: Case) -> str:
    head = f"`{case.person}` asks you to look again at a message in `{_place(case)}`"
    return f"{head}\n{case.stage}, {case.action}: {case.findings}\n{_quoted(case.evidence)}"


def _place(case: Case) -> str:
    """Write a place as `whoami` does."""
    return case.lane.rstrip(":")


def _quoted(evidence: str) -> str:
    shown = evidence if len(evidence) <= SHOWN else f"{evidence[:SHOWN]}…"
    return "\n".join(f"> {line}" for line in shown.splitlines())
