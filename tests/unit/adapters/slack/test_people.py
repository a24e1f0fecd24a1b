"""Who is a stranger and who is a bot, as Slack's payloads show without asking."""

import pytest

from adapters.slack.inbound import convert
from adapters.slack.payloads import Account
from tests.unit.adapters.slack.payload_book import callback
from tests.unit.adapters.slack.test_inbound import TS, message, read, slash

HOME = Account(team="T1", user="UBOT", bot="BBOT", enterprise="E1")


def roles(account=HOME, **said):
    event = {"type": "message", "channel": "C1", "user": "U7", "text": "hi", "ts": TS, **said}
    return convert(callback(event), account, at=7.0).author.roles


@pytest.mark.parametrize("said", [{}, {"team": "T1"}, {"user_team": "T1"}, {"team": "E1"}])
def test_our_own_people_have_no_role_yet(said):
    assert roles(**said) == ()


@pytest.mark.parametrize(
    "said", [{"team": "T2"}, {"user_team": "T2", "team": "T1"}, {"team": "E2"}]
)
def test_who_comes_from_elsewhere_is_external(said):
    assert roles(**said) == ("external",)


def test_without_an_organisation_of_our_own_every_organisation_is_foreign():
    assert roles(Account(team="T1", user="UBOT"), team="E1") == ("external",)


def test_an_edit_a_command_and_a_button_say_so_too():
    now = {"user": "U9", "user_team": "T2", "text": "new", "ts": TS}
    change = {"type": "message", "subtype": "message_changed", "channel": "C1", "message": now}
    assert read(change).author.roles == ("external",)
    assert slash(team_id="T2").author.roles == ("external",)
    press = {"type": "block_actions", "user": {"id": "U9", "team_id": "T2"}, "team": {"id": "T2"},
             "channel": {"id": "C1"}, "actions": [{"action_id": "a"}]}  # fmt: skip
    assert convert(press, HOME, at=7.0).author.roles == ("external",)
    press["user"]["team_id"] = press["team"]["id"] = "T1"
    assert convert(press, HOME, at=7.0).author.roles == ()


def test_neither_a_name_nor_a_foreign_grant_makes_somebody_ours():
    grant = [{"team_id": "T2", "enterprise_id": "E2", "user_id": "U9", "is_bot": False}]
    event = {"type": "message", "channel": "C1", "user": "U9", "text": "hi", "ts": TS,
             "team": "E2", "user_profile": {"display_name": "owner", "team": "T1"}}  # fmt: skip
    author = convert(callback(event, authorizations=grant), HOME, at=7.0).author
    assert (author.name, author.roles) == ("owner", ("external",))


@pytest.mark.parametrize(
    ("said", "bot"),
    [
        ({"bot_id": "B2", "user": None, "subtype": "bot_message"}, True),
        ({"bot_id": "B2"}, True),
        ({"bot_profile": {"id": "B2", "app_id": "A2"}}, True),
        ({"bot_profile": None, "app_id": "A2"}, False),
        ({"username": "a person"}, False),
    ],
)
def test_apps_are_bots(said, bot):
    assert message(**said).author.bot is bot
