"""Mention tokens become words."""

import pytest

from adapters.discord.mentions import readable
from adapters.discord.places import Places
from tests.unit.adapters.discord.payloads import CHANNEL, GUILD, ME, ROLE, guild, user


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("plain", "plain"),
        (f"<@{ME}> hi <@!{ME}>", "hi"),
        (f"<@&{ROLE}> hi", "hi"),
        ("ask <@501> or <@7>", "ask @User 501 or @7"),
        ("see <@&77>", "see @role"),
        (f"in <#{CHANNEL}> or <#1>", "in #general or #1"),
        ("<:wave:123> <a:dance:4>", ":wave: :dance:"),
        ("type </model show:9>", "type /model show"),
        ("List<int> <b> a<b <t:1777:R> <@x>", "List<int> <b> a<b <t:1777:R> <@x>"),
    ],
)
def test_tokens_are_read_as_people_see_them(written, read):
    places = Places(me=ME)
    places.learn("GUILD_CREATE", guild())
    data = {"guild_id": GUILD, "mentions": [user(), user(ME)]}
    assert readable(written, data, places) == read


def test_a_nickname_wins_where_discord_sends_it():
    mentions = [user("7", member={"nick": "Bo", "roles": []})]
    assert readable("<@7>", {"mentions": mentions}, Places(me=ME)) == "@Bo"
