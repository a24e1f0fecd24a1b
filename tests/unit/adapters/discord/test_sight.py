"""Which channels are surely hidden from the bot."""

import pytest

from adapters.discord.sight import hidden

ME, EVERYONE, MINE, OTHERS = "4242", "9000", "9001", "9002"
SEE, SEND, ADMINISTRATOR = 1 << 10, 1 << 11, 1 << 3


def server(*overwrites, everyone=SEE, mine=0, others=0, **more):
    return {
        "id": EVERYONE,
        "roles": [
            {"id": EVERYONE, "permissions": str(everyone)},
            {"id": MINE, "permissions": str(mine)},
            {"id": OTHERS, "permissions": str(others)},
        ],
        "members": [{"user": {"id": "1"}, "roles": []}, {"user": {"id": ME}, "roles": [MINE]}],
        "channels": [
            {"id": "1", "permission_overwrites": list(overwrites)},
            {"id": "2"},
        ],
        **more,
    }


def overwrite(who, *, allow=0, deny=0):
    return {"id": who, "type": 0, "allow": str(allow), "deny": str(deny)}


@pytest.mark.parametrize(
    ("guild", "expected"),
    [
        (server(), set()),
        (server(overwrite(EVERYONE, deny=SEE)), {"1"}),
        (server(overwrite(EVERYONE, deny=SEND)), set()),
        (server(overwrite(EVERYONE, deny=SEE), overwrite(MINE, allow=SEE)), set()),
        (server(overwrite(MINE, allow=SEE), overwrite(EVERYONE, deny=SEE)), set()),
        (server(overwrite(EVERYONE, deny=SEE), overwrite(OTHERS, allow=SEE)), {"1"}),
        (server(overwrite(MINE, allow=SEE), overwrite(ME, deny=SEE)), {"1"}),
        (server(overwrite(MINE, deny=SEE), overwrite(ME, allow=SEE)), set()),
        (server(everyone=0), {"1", "2"}),
        (server(everyone=0, others=SEE), {"1", "2"}),
        (server(everyone=0, mine=SEE), set()),
        (server(overwrite(EVERYONE, deny=SEE), mine=ADMINISTRATOR), set()),
        (server(everyone=0, members=[]), set()),
    ],
)
def test_a_channel_is_hidden_only_when_that_is_sure(guild, expected):
    assert hidden(guild, ME) == expected
