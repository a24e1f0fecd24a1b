"""Orders about who may talk: allow, block, pair, roles."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from bot.core import sentences
from bot.core.announcing import Announcing
from bot.core.checks.access import CODE_S
from bot.core.commands.administration import Order
from bot.core.commands.desk import Request
from bot.core.commands.naming import PERSON, named
from bot.core.permissions import IN, Permissions, place_grant
from bot.domain.commands import slash
from bot.domain.conversation import Conversation
from bot.domain.errors import Declined
from bot.domain.events import Announced
from bot.domain.permissions import ROLES, Role, at_least
from bot.ports.people import Pairings

PLACE = re.compile(r"[a-z][a-z0-9_]*(:[^:\s]*){0,3}")


@dataclass(slots=True, kw_only=True)
class RightsOrders:
    """Gives and takes rights; nobody gives more than they have."""

    permissions: Permissions
    pairings: Pairings
    announcing: Announcing
    now: Callable[[], float]

    def orders(self) -> tuple[Order, ...]:
        """Return this capability's orders."""
        return (
            Order(name="allow", usage="here | PERSON | in PLACE", run=self.allow, rank="moderator",
                  about="let a person or everybody in a place talk to me"),
            Order(name="block", usage="PERSON", run=self.block, rank="moderator",
                  about="never answer a person again; `allow` takes it back"),
            Order(name="pair", usage="CODE", run=self.pair, rank="moderator",
                  about="let the stranger in whom I gave this code"),
            Order(name="roles", usage="[PERSON ROLE | in PLACE none]", run=self.roles,
                  about=f"show who was given what here, or give: {', '.join(ROLES[1:])}, none"),
        )  # fmt: skip

    async def allow(self, request: Request) -> str:
        """Let somebody talk, or everybody in a place."""
        subject = self._subject(request, request.argument)
        if at_least(self._given(subject), "moderator") or self._outranks(subject, request):
            return f"`{subject}` has more rights than that already."
        await self.permissions.give(subject, "member", by=request.person)
        place = subject.removeprefix(IN)
        who = "The person" if place == subject else "Everybody in"
        return f"{who} `{place}` may talk to me from now on."

    async def block(self, request: Request) -> str:
        """Block a person."""
        subject = named(request, request.argument)
        if not PERSON.fullmatch(subject):
            raise Declined(
                f"Write whom, as `{request.slash}whoami` shows it: `{request.person}` is you."
            )
        if subject == request.person or self._outranks(subject, request):
            raise Declined(f"You may not block `{subject}`.")
        await self.permissions.give(subject, "blocked", by=request.person)
        return f"`{subject}` is blocked. `{request.slash}admin allow {subject}` takes it back."

    async def pair(self, request: Request) -> str:
        """Use up a code, and tell the stranger."""
        knock = await self.pairings.open(request.argument.upper(), valid_s=CODE_S)
        if knock is None:
            raise Declined("This code is wrong, used up or too old; a new message brings another.")
        if not at_least(self._given(knock.person), "member"):
            await self.permissions.give(knock.person, "member", by=request.person)
        place = Conversation.parse(knock.lane)
        welcome = Announced(
            id=f"paired:{knock.code}:{knock.at:.0f}",
            at=self.now(),
            conversation=place,
            text=sentences.LET_IN.format(slash=slash(place.platform)),
            private=True,
        )
        await self.announcing.say(welcome)
        return f"`{knock.person}` may talk to me from now on, and was told so."

    async def roles(self, request: Request) -> str:
        """Show or change what was given in chat."""
        given = self.permissions.given()
        if not request.argument:
            lines = [f"- `{subject}`: {role}" for subject, role in sorted(given.items())]
            shown = "\n".join(lines or ["- nothing"])
            return f"Given in chat, beside what the file says:\n\n{shown}"
        words, _, name = request.argument.rpartition(" ")
        subject, name = self._subject(request, words.strip()), name.lower()
        wanted = ("none",) if subject.startswith(IN) else (*ROLES, "none")
        if name not in wanted:
            raise Declined(f"Write one of {', '.join(wanted)} behind `{subject}`.")
        if subject == request.person or self._outranks(subject, request):
            raise Declined(f"You may not change the role of `{subject}`.")
        role = None if name == "none" else cast("Role", name)
        if role and at_least(role, "moderator") and not self._has(role, request):
            raise Declined(
                "You cannot give more rights than you have, and not those that you have only in "
                "one place."
            )
        await self.permissions.give(subject, role, by=request.person)
        return f"`{subject}` is {'no longer given a role' if role is None else f'now: {role}'}."

    def _subject(self, request: Request, words: str) -> str:
        """Read who is meant; a place is told from a person by the word before it."""
        if words == "here":
            if request.event.private:
                raise Declined("We are alone here: write whom I may talk to, as `whoami` shows it.")
            return place_grant(str(request.event.conversation.parent))
        if words.startswith(IN) and PLACE.fullmatch(place := words.removeprefix(IN).strip()):
            if not request.house:
                raise Declined(f"{sentences.NOT_OF_THE_HOUSE} Write `here` in the place itself.")
            return place_grant(place)
        subject = named(request, words)
        if not PERSON.fullmatch(subject):
            raise Declined(
                "Write `here`, a person, or `in` and a place, as "
                f"`{request.slash}whoami` shows them."
            )
        return subject

    def _given(self, subject: str) -> Role:
        """Return what somebody was given in chat; the least when that is nothing."""
        return self.permissions.given().get(subject, "blocked")

    def _has(self, role: Role, request: Request) -> bool:
        """Whether who gives an order has a role by name: a platform's counts in its place alone."""
        own = self.permissions.role_of(request.person)
        return own is not None and at_least(own, role)

    def _outranks(self, subject: str, request: Request) -> bool:
        """Whether somebody stands above who gives the order, or beside, unless that is an owner."""
        role = self.permissions.role_of(subject)
        if role is None or not at_least(role, "moderator"):
            return False
        return request.role != "owner" and at_least(role, request.role)
