"""What the gateway tells about channels, threads, roles and servers."""

import pytest

from adapters.discord.places import Places
from tests.unit.adapters.discord.payloads import CHANNEL, FIRST, GUILD, ME, ROLE, THREAD, guild


@pytest.fixture
def places():
    return Places(me=ME)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("GUILD_CREATE", guild()),
        ("THREAD_CREATE", {"id": THREAD, "type": 11, "parent_id": CHANNEL}),
        ("THREAD_UPDATE", {"id": THREAD, "type": 12, "parent_id": CHANNEL}),
        ("THREAD_LIST_SYNC", {"threads": [{"id": THREAD, "type": 10, "parent_id": CHANNEL}]}),
    ],
)
def test_threads_are_known_from_whatever_names_them(places, name, data):
    places.learn(name, data)
    assert places.conversation(GUILD, THREAD).channel == CHANNEL


def test_a_channel_in_a_category_is_no_thread(places):
    places.learn("CHANNEL_CREATE", {"id": CHANNEL, "type": 0, "parent_id": "9050", "name": "x"})
    assert places.conversation(GUILD, CHANNEL).thread == ""


@pytest.mark.parametrize("name", ["GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE"])
def test_only_the_bots_own_role_is_remembered(places, name):
    for id_, tags in (("77", None), ("78", {"bot_id": "1"}), (ROLE, {"bot_id": ME})):
        places.learn(name, {"guild_id": GUILD, "role": {"id": id_, "tags": tags}})
    assert places.roles == {GUILD: ROLE}


def test_servers_are_known_until_the_bot_leaves_them(places):
    places.learn("READY", {"guilds": [{"id": GUILD, "unavailable": True}, {"id": "1"}]})
    places.learn("GUILD_DELETE", {"id": GUILD, "unavailable": True})
    places.learn("GUILD_DELETE", {"id": "1"})
    assert places.guilds == {GUILD}


def test_the_inventory_of_a_server_names_what_holds_messages_and_the_newest_one(places):
    found = {str(place): newest for place, newest in places.inventory(guild())}
    assert found == {
        f"discord:{GUILD}:{CHANNEL}:": int(FIRST),
        f"discord:{GUILD}:{CHANNEL}:{THREAD}": 0,
    }
