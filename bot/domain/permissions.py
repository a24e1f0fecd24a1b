"""Who may do what where: one rule, asked for messages, commands, buttons and edits alike.

A privilege is always the acting person's own, never the conversation's. People are ids
(`platform:workspace:user`), never names; a role that a platform gives counts only in the place that
gave it, written `discord:G1:@role`.
"""

from dataclasses import dataclass
from typing import Literal

from bot.domain.policy import AccessPolicy

Role = Literal["blocked", "guest", "member", "moderator", "admin", "owner"]
ROLES: tuple[Role, ...] = ("blocked", "guest", "member", "moderator", "admin", "owner")
Action = Literal["knock", "talk", "moderate", "administer"]

_NEEDED: dict[Action, Role] = {"moderate": "moderator", "administer": "admin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who acts, as far as the rule has to know."""

    name: str  # platform:workspace:user
    role: Role = "guest"
    bot: bool = False
    named: bool = False  # the person, or a platform role of theirs, is on the list
    placed: bool = False  # the place where they act is on the list


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Where something is done."""

    access: AccessPolicy
    private: bool = False  # a direct message
    paused: bool = False  # only those who steer the bot are answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Who has which role: persons, and roles of a platform in one place of it."""

    owner: tuple[str, ...] = ()
    admin: tuple[str, ...] = ()
    moderator: tuple[str, ...] = ()
    member: tuple[str, ...] = ()
    guest: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()


def at_least(role: Role, needed: Role) -> bool:
    """Compare two roles."""
    return ROLES.index(role) >= ROLES.index(needed)


def authorize(principal: Principal, action: Action, resource: Resource) -> bool:
    """Tell whether a principal may do something to a resource; what is not allowed is denied.

    `knock` is to be heard at all, as by a command that says how to be let in; `talk` is to be
    answered; `moderate` and `administer` need the role.
    """
    if principal.role == "blocked" or (principal.bot and not resource.access.allow_bots):
        return False
    if action in _NEEDED:
        return not principal.bot and at_least(principal.role, _NEEDED[action])
    steers = at_least(principal.role, "moderator")
    if resource.paused and not steers:
        return False
    return action == "knock" or steers or _may_talk(principal, resource)


def _may_talk(principal: Principal, resource: Resource) -> bool:
    policy = resource.access.dm_policy if resource.private else resource.access.group_policy
    if policy in ("open", "disabled"):
        return policy == "open"
    if resource.private:
        return principal.named
    # A guest of the house is not served just because the room is.
    return principal.named or (principal.placed and principal.role != "guest")
