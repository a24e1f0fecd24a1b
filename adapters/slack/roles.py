"""What people are in a Slack workspace: `owner`, `admin`, `guest`, `external`, their user groups.

Slack tells little of it with a message, so it is asked for, one person at a time and never as a
list of all members (https://docs.slack.dev/reference/methods/users.info, and usergroups.list). Who
comes from elsewhere has no other role here, whatever they are at home. Somebody of whom Slack does
not tell, for now, counts as a guest: its silence must give a guest no more than its word.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from adapters.kit.roles import Lately, Roles
from adapters.slack.payloads import Payload, table, tables, text, texts
from adapters.slack.web import Method, Rejected, SlackWeb
from bot.domain.conversation import Conversation, Person
from bot.domain.errors import DeliveryError

_FLAGS = {
    "is_owner": "owner",
    "is_admin": "admin",
    "is_restricted": "guest",
    "is_ultra_restricted": "guest",
}


@dataclass(slots=True)
class SlackRoles:
    """Asks about people and user groups; what was answered lately is not asked again."""

    web: SlackWeb
    people: Lately = field(init=False)
    groups: Lately = field(init=False)

    def __post_init__(self) -> None:
        self.people, self.groups = Lately(self._person), Lately(self._groups)

    async def of(self, person: Person, place: Conversation) -> tuple[str, ...]:
        """Return somebody's roles; `guest` while Slack does not say what they are."""
        if "external" in person.roles:
            return ()
        user = person.user
        own, groups = await asyncio.gather(
            self.people.of(user, user), self.groups.of(user, place.workspace)
        )
        if own is None or "external" in own:
            return ("guest",) if own is None else own
        return own + (groups or ())

    async def close(self) -> None:
        """Give up what is still open."""
        await self.people.close()
        await self.groups.close()

    async def _person(self, user: str) -> Roles:
        answer = await self._call(self.web.client.users_info, "users:read", user=user)
        told = table(answer, "user")
        if self._from_elsewhere(told):
            return {user: ("external",)}
        roles = dict.fromkeys(role for flag, role in _FLAGS.items() if told.get(flag) is True)
        return {user: tuple(roles)}

    def _from_elsewhere(self, told: Payload) -> bool:
        us, team = self.web.account, text(told, "team_id")
        organisation = text(table(told, "enterprise_user"), "enterprise_id")
        ours = team in {"", us.team} or (organisation and organisation == us.enterprise)
        return told.get("is_stranger") is True or not ours

    async def _groups(self, workspace: str) -> Roles:
        other = {} if workspace == self.web.account.team else {"team_id": workspace}
        answer = await self._call(
            self.web.client.usergroups_list, "usergroups:read", include_users=True, **other
        )
        groups: dict[str, tuple[str, ...]] = {}
        for group in tables(answer, "usergroups"):
            for user in texts(group, "users"):
                groups[user] = (*groups.get(user, ()), text(group, "id"))
        return groups

    async def _call(self, method: Method, scope: str, **arguments: Any) -> Payload:
        try:
            return await self.web.call(method, **arguments)
        except Rejected as error:
            if error.name != "missing_scope":
                raise
            raise DeliveryError(
                f"the Slack app lacks the scope {scope}; add it at api.slack.com/apps, your app, "
                "OAuth & Permissions, and install the app again"
            ) from None
