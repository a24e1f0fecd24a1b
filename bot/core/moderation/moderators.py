"""What moderators and the people concerned can press: uphold, lift, time out, block, appeal."""

import logging
from dataclasses import dataclass
from functools import partial
from typing import Literal

from bot.core import sentences
from bot.core.buttons import DAY
from bot.core.commands.desk import Pressable, Request
from bot.core.moderation.alerting import KEPT_S
from bot.core.moderation.casebook import Casebook
from bot.domain.errors import Declined, StoreError
from bot.domain.permissions import at_least
from bot.ports.cases import Case, State
from bot.ports.clock import Clock
from bot.ports.people import Record

log = logging.getLogger(__name__)
LOOK_S = 30.0  # between two looks for cases that wait for their alert
Choice = Literal["uphold", "lift", "timeout", "block"]
BECOMES: dict[Choice, State] = {
    "uphold": "upheld", "lift": "lifted", "timeout": "upheld", "block": "upheld"
}  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Moderators:
    """Decides cases; what is decided is told to the person, and noted with who decided it."""

    casebook: Casebook
    clock: Clock

    def pressables(self) -> tuple[Pressable, ...]:
        """Return the buttons."""
        choices = [
            Pressable(action=f"mod_{choice}", run=partial(self.decide, choice), rank="moderator",
                      anywhere=True)
            for choice in BECOMES
        ]  # fmt: skip
        return (*choices, Pressable(action="appeal", run=self.appeal, anywhere=True))

    async def appeal(self, request: Request) -> str:
        """Ask moderators to look at a case again, once."""
        case = await self.casebook.cases.find(int(request.argument))
        if case is None or not await self.casebook.cases.appeal(case.id):
            return sentences.APPEALED_BEFORE
        await self.casebook.alerting.appeal(case)
        return sentences.APPEALED

    async def decide(self, choice: Choice, request: Request) -> str:
        """Close the cases of an alert, once, and do what was chosen."""
        case = await self.casebook.cases.find(int(request.argument))
        if case is None or case.state not in ("open", "appealed"):
            return sentences.DECIDED_BEFORE
        if choice == "block" and self._steers(case):
            raise Declined(sentences.STEERS.format(person=case.person))
        note = Record(
            at=self.clock.now(), actor=request.person, action=f"moderation.{choice}",
            subject=case.person, place=case.lane, details=f"case {case.id}",
        )  # fmt: skip
        if choice == "block":  # before the case is closed: a kill between loses neither
            await self.casebook.permissions.give(case.person, "blocked", by=request.person)
        closed = await self.casebook.cases.close(case.id, BECOMES[choice], note)
        if not closed:
            return sentences.DECIDED_BEFORE
        await self._follow(choice, case)
        told = sentences.OUTCOMES[choice]
        await self.casebook.alerting.answer(case, told)
        return sentences.DECIDED.format(count=len(closed), outcome=BECOMES[choice])

    async def tend(self) -> None:
        """Tell what had to wait and purge once a day, until cancelled."""
        purged = 0.0
        while True:
            try:
                await self.casebook.alerting.catch_up()
                if self.clock.now() - purged > DAY:
                    purged = self.clock.now()
                    await self.purge()
            except StoreError as error:
                log.warning("moderation is not tended now: %s", error)
            await self.clock.sleep(LOOK_S)

    async def purge(self) -> int:
        """Close what nobody has decided in time, so that no evidence stays; returns how many."""
        now = self.clock.now()
        return await self.casebook.cases.purge(
            now=now, open_s=KEPT_S, strikes_s=self.casebook.rule.within_s
        )

    async def _follow(self, choice: Choice, case: Case) -> None:
        book = self.casebook
        if choice == "lift":
            await book.load()  # a time-out may have ended with its strike
        elif choice == "timeout":
            book.spell(
                case.who, await book.penalties.give(case.who, now=self.clock.now(), rule=book.rule)
            )

    def _steers(self, case: Case) -> bool:
        role = self.casebook.permissions.role_of(case.person)
        return role is not None and at_least(role, "moderator")
