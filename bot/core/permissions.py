"""Who has which role, from the configuration, from what was given in chat, from the platforms.

Everything is in memory, so that admission stays pure. The strictest word wins: who is blocked
anywhere is blocked, whatever else is said.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

from bot.core.policies import Policies
from bot.domain.conversation import Conversation, Person
from bot.domain.events import MessageReceived
from bot.domain.permissions import (
    ROLES,
    Action,
    Principal,
    Resource,
    Role,
    Roles,
    at_least,
    authorize,
)
from bot.ports.people import Grants

IN = "in "  # before a place: on some platforms its name might be that of a person


@dataclass(slots=True, kw_only=True)
class Permissions:
    """The one door for permission questions."""

    policies: Policies
    roles: Roles = Roles()
    grants: Grants
    who: Callable[[str], str]  # person → keyed hash: under it stands the block of a forgotten one
    _given: dict[str, Role] = field(default_factory=dict)  # person or place → role, from the chat

    async def load(self) -> None:
        """Read what was given in chat."""
        self._given = dict(await self.grants.given())

    async def give(self, subject: str, role: Role | None, *, by: str) -> None:
        """Give a person or a place a role; None takes back what was given in chat."""
        await self.grants.give(subject, role, by=by)
        hashed = self.who(subject)
        if hashed in self._given:  # who was forgotten while blocked is known by name again
            await self.grants.give(hashed, None, by=by)
            del self._given[hashed]
        if role is None:
            self._given.pop(subject, None)
        else:
            self._given[subject] = role

    def given(self) -> Mapping[str, Role]:
        """Return what was given in chat, by person or place."""
        return self._given

    def may(
        self, person: Person, action: Action, conversation: Conversation, *, private: bool = False
    ) -> bool:
        """Authorise one person's action in one place."""
        policy = self.policies.resolve(conversation)
        resource = Resource(access=policy.access, private=private, paused=policy.paused)
        return authorize(self.principal(person, conversation), action, resource)

    def role(self, person: Person, conversation: Conversation) -> Role:
        """Return a person's role in a place."""
        return self.principal(person, conversation).role

    def names(self, person: Person, conversation: Conversation) -> tuple[str, ...]:
        """Return a person's name and those of the roles that the platform gives them in a place."""
        places = self.policies.names(conversation)
        return (str(person), *(f"{p}:@{role}" for p in places for role in person.roles))

    def principal(self, person: Person, conversation: Conversation) -> Principal:
        """Say who somebody is where they act."""
        access = self.policies.resolve(conversation).access
        places = self.policies.names(conversation)
        names = self.names(person, conversation)
        found = set(self._found(names))
        listed = not found.isdisjoint(("member", "moderator", "admin", "owner"))
        if "blocked" in found or _any(access.block, names, places):
            return Principal(name=names[0], role="blocked", bot=person.bot)
        role: Role = max(found, key=ROLES.index) if found else "member"
        if person.bot and at_least(role, "member"):
            role = "member"  # whoever makes it repeat an order would have its rights
        return Principal(
            name=names[0],
            role=role,
            bot=person.bot,
            named=listed or _any(access.allow, names),
            placed=self._opened(places) or _any(access.allow, places),
        )

    def role_of(self, name: str) -> Role | None:
        """Return the role that the file or a command gives a person by name, wherever they are."""
        return max(self._found((name,)), key=ROLES.index, default=None)

    def may_be_quoted(self, event: MessageReceived) -> bool:
        """Tell whether words of the person who is quoted may be read here."""
        if not event.quoted_by:  # the platform does not say who it was
            access = self.policies.resolve(event.conversation).access
            return (access.dm_policy if event.private else access.group_policy) == "open"
        platform, workspace, user = (unquote(part) for part in event.quoted_by.split(":"))
        person = Person(platform=platform, workspace=workspace, user=user)
        return person == replace(event.author, name="", bot=False, roles=()) or self.may(
            person, "talk", event.conversation, private=event.private
        )

    def _opened(self, places: tuple[str, ...]) -> bool:
        return bool(self._given) and any(place_grant(place) in self._given for place in places)

    def _found(self, names: tuple[str, ...]) -> Iterator[Role]:
        for role in ROLES:
            listed = getattr(self.roles, role)
            if listed and any(name in listed for name in names):
                yield role
        if self._given:
            given = self._given.get(names[0]) or self._given.get(self.who(names[0]))
            if given:
                yield given


def place_grant(place: str) -> str:
    """Return under which name it is kept that everybody in a place may talk."""
    return f"{IN}{place.rstrip(':')}"


def _any(listed: tuple[str, ...], *groups: tuple[str, ...]) -> bool:
    return bool(listed) and any(name in listed for names in groups for name in names)
