"""What people may do: only what Discord says, only on its own server."""

import pytest

from adapters.discord.inbound import event_from
from adapters.discord.places import Places
from bot.domain.conversation import Person
from tests.unit.adapters.discord.payloads import (
    GUILD,
    ME,
    aloud,
    guild,
    interaction,
    message,
    reaction,
    user,
)

ADMINISTRATOR, GUILD_BIT, MESSAGES, MEMBERS = 1 << 3, 1 << 5, 1 << 13, 1 << 40
ALL = ("administrator", "manage_guild", "manage_messages", "moderate_members")
ELSEWHERE = "9999"


def role(id_, bits):
    return {"id": id_, "name": "Admin", "permissions": str(bits)}


@pytest.fixture
def places():
    known = Places(me=ME)
    roles = [role(GUILD, 1 << 10), role("77", MESSAGES), role("78", GUILD_BIT), role("79", 8)]
    known.learn("GUILD_CREATE", guild(roles=roles))
    known.learn("GUILD_CREATE", guild(id=ELSEWHERE, owner_id="2", roles=[role(ELSEWHERE, 0)]))
    return known


def author(places, data, name="MESSAGE_CREATE"):
    return event_from(name, data, places, 7.0).author


def member(*roles, **more):
    return {"roles": list(roles), "nick": None, **more}


@pytest.mark.parametrize(
    ("roles", "words"),
    [
        ((), ()),
        (("77",), ("manage_messages",)),
        (("78", "77"), ("manage_guild", "manage_messages")),
        (("79",), ALL),
        (("404",), ()),
    ],
)
def test_a_message_says_what_the_roles_of_its_author_permit(places, roles, words):
    assert author(places, aloud(member=member(*roles))).roles == (*roles, *words)
    edited = aloud(member=member(*roles), edited_timestamp="2026-05-02T10:00:00+00:00")
    assert author(places, edited, "MESSAGE_UPDATE").roles == (*roles, *words)
    liked = reaction(member=member(*roles))
    assert author(places, liked, "MESSAGE_REACTION_ADD").roles == (*roles, *words)


def test_what_everybody_may_do_counts_for_each(places):
    places.learn("GUILD_ROLE_UPDATE", {"guild_id": GUILD, "role": role(GUILD, MEMBERS)})
    assert author(places, aloud(member=member("77"))).roles == (
        "77", "manage_messages", "moderate_members",
    )  # fmt: skip


def test_the_owner_of_a_server_is_named_there_and_nowhere_else(places):
    assert author(places, aloud(author=user("1"), member=member())).roles == ("owner", *ALL)
    there = aloud(author=user("1"), member=member(), guild_id=ELSEWHERE)
    assert author(places, there).roles == ()
    places.learn("GUILD_UPDATE", guild(owner_id="3"))
    assert author(places, aloud(author=user("1"), member=member())).roles == ()
    assert author(places, aloud(author=user("3"), member=member())).roles == ("owner", *ALL)


def test_the_id_of_a_role_of_another_server_permits_nothing(places):
    forged = aloud(guild_id=ELSEWHERE, member=member("77", "79"))
    assert author(places, forged).roles == ("77", "79")
    unknown = aloud(guild_id="123", member=member("79"))
    assert author(places, unknown).roles == ("79",)


def test_nobody_has_roles_in_a_direct_message(places):
    forged = message(author=user("1"), member=member("79", permissions="8"))
    assert author(places, forged).roles == ()
    pressed = interaction(user=user("1"), guild_id=None, member=None)
    assert author(places, pressed, "INTERACTION_CREATE").roles == ()


def test_an_interaction_says_itself_what_is_allowed_in_that_channel(places):
    given = {"user": user(), "roles": ["77"], "permissions": str(MEMBERS)}
    assert author(places, interaction(member=given), "INTERACTION_CREATE").roles == (
        "77", "moderate_members",
    )  # fmt: skip


def test_names_give_nothing(places):
    forged = user("666", username="owner", global_name="administrator")
    person = author(places, aloud(author=forged, member=member(nick="owner")))
    assert person == Person(platform="discord", user="666", name="owner")


@pytest.mark.parametrize("webhook", ["666", "1"])
def test_a_webhook_is_a_bot_without_roles_whatever_it_calls_itself(places, webhook):
    forged = user(webhook, username="Owner")
    person = author(places, aloud(author=forged, webhook_id=webhook, member=member("79")))
    assert (person.bot, person.roles) == (True, ())


def test_changes_of_roles_count_at_once(places):
    data = aloud(member=member("77"))
    places.learn("GUILD_ROLE_UPDATE", {"guild_id": GUILD, "role": role("77", 0)})
    assert author(places, data).roles == ("77",)
    places.learn("GUILD_ROLE_CREATE", {"guild_id": GUILD, "role": role("80", MESSAGES)})
    assert author(places, aloud(member=member("80"))).roles == ("80", "manage_messages")
    places.learn("GUILD_ROLE_DELETE", {"guild_id": GUILD, "role_id": "80"})
    assert author(places, aloud(member=member("80"))).roles == ("80",)


def test_a_server_that_was_left_is_forgotten_but_not_one_with_an_outage(places):
    data = aloud(member=member("77"))
    places.learn("GUILD_DELETE", {"id": GUILD, "unavailable": True})
    assert "manage_messages" in author(places, data).roles
    places.learn("GUILD_DELETE", {"id": GUILD})
    assert author(places, data).roles == ("77",)
