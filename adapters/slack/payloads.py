"""Reading what Slack sends without ever trusting its shape."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.slack import markup
from bot.domain.conversation import Conversation, Person
from bot.domain.text import display_name, storable

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who we are, as `auth.test` says."""

    team: str = ""
    user: str = ""
    bot: str = ""
    enterprise: str = ""  # the organisation of the workspace, if it is part of one


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One payload, the event in it, and for whom and which workspace it came."""

    payload: Payload
    event: Payload
    workspace: str
    users: frozenset[str]  # our own user ids
    bot: str  # our own bot id
    home: frozenset[str]  # our workspaces and our organisation, perhaps with an empty one

    def id(self, *parts: str) -> str:
        """Name the event by the platform's ids, or by Slack's own event id where one is missing."""
        own = text(self.payload, "event_id")
        return ":".join(("slack", self.workspace, *(parts if all(parts) or not own else (own,))))

    def place(self, channel: str, message: str = "", thread: str = "") -> Conversation:
        """Name the lane: in a channel each top-level message opens its thread, in private none."""
        opened = "" if is_private(channel) else message
        return Conversation(
            platform="slack",
            workspace=self.workspace,
            channel=channel,
            thread=opened if thread in {"", message} else thread,
        )

    def person(self, user: str, *, team: str = "", name: str = "", bot: bool = False) -> Person:
        """Name somebody; an organisation's id (`E…`) would say less than the workspace's.

        Who comes from elsewhere, through a shared channel, is always `external`.
        """
        return Person(
            platform="slack",
            workspace=team if team.startswith("T") else self.workspace,
            user=user,
            name=display_name(name),
            bot=bot,
            roles=() if not team or team in self.home else ("external",),
        )

    def author(self, message: Payload) -> Person | None:
        """Name who wrote a message; None when it says nothing about that."""
        user, bot = text(message, "user"), text(message, "bot_id")
        if not (user or bot):
            return None
        profile = table(message, "user_profile")
        names = (
            text(profile, "display_name"),
            text(profile, "real_name"),
            text(message, "username"),
        )
        return self.person(
            user or bot,
            team=text(message, "user_team") or text(message, "team"),
            name=next(filter(None, names), ""),
            bot=bool(bot or table(message, "bot_profile")) or user == "USLACKBOT",
        )

    def ours(self, message: Payload) -> bool:
        """Tell whether we wrote a message ourselves."""
        return text(message, "user") in self.users or (
            bool(self.bot) and text(message, "bot_id") == self.bot
        )

    def words(self, message: Payload) -> str:
        """Return a message's text as people see it, without our own name."""
        return markup.plain(text(message, "text"), self.users)


def read(payload: Payload, account: Account) -> Reading:
    """Find out for whom a payload is.

    The workspace is the one through which we got it (`context_team_id`), so that a channel shared
    between organisations keeps one name whoever writes there.
    """
    grant = next(tables(payload, "authorizations"), {})
    ours = grant if grant.get("is_bot") is True else {}
    organisations = (account.enterprise, text(ours, "enterprise_id"))
    context = text(payload, "context_team_id")
    workspaces = (
        context,
        text(grant, "team_id"),
        text(payload, "team_id"),
        text(table(payload, "team"), "id"),
        text(table(payload, "user"), "team_id"),
    )
    workspace = next(filter(None, workspaces), account.team)
    return Reading(
        payload=payload,
        event=table(payload, "event"),
        workspace=workspace,
        home=frozenset((context, text(ours, "team_id"), account.team or workspace, *organisations)),
        users=frozenset((account.user, text(ours, "user_id"))) - {""},
        bot=account.bot,
    )


def is_private(channel: str) -> bool:
    """Tell whether a channel's id is that of a direct message."""
    return channel.startswith("D")


def text(data: Payload, key: str) -> str:
    """Return a string, or an empty one for everything else."""
    value = data.get(key)
    return storable(value) if isinstance(value, str) else ""


def table(data: Payload, key: str) -> Payload:
    """Return an object, or an empty one for everything else."""
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def tables(data: Payload, key: str) -> Iterator[Payload]:
    """Return the objects of a list; there are none in anything else."""
    value = data.get(key)
    return iter(
        [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else ()
    )


def texts(data: Payload, key: str) -> Iterator[str]:
    """Return the strings of a list; there are none in anything else."""
    value = data.get(key)
    return (each for each in (value if isinstance(value, list) else ()) if isinstance(each, str))


def seconds(ts: str) -> float:
    """Return a Slack timestamp as seconds since 1970, 0 when it is none."""
    try:
        value = float(ts)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0
