"""Slack payloads become events, values in and out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.inbound import convert
from adapters.slack.payloads import Account
from bot.domain.conversation import Conversation, Person
from bot.domain.events import (
    Attachment,
    CommandGiven,
    Joined,
    Left,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    Pressed,
    Rated,
    StopAsked,
    from_plain,
    to_plain,
)
from tests.unit.adapters.slack.payload_book import EVENTS, SUBTYPES, callback, events

US = Account(team="T1", user="UBOT", bot="BBOT")
TS, LATER = "1700000000.000100", "1700000009.000200"


def read(event, **payload):
    return convert(callback(event, **payload), US, at=7.0)


def message(text="hi", channel="C1", **more):
    return read(
        {"type": "message", "channel": channel, "user": "U7", "text": text, "ts": TS, **more}
    )


def place(channel="C1", thread=""):
    return Conversation(platform="slack", workspace="T1", channel=channel, thread=thread)


def test_a_direct_message_is_addressed_and_private():
    assert message(channel="D1", team="T1", files=[{"name": "a.pdf"}, {"id": "F2"}]) == MessageReceived(
        id=f"slack:T1:D1:{TS}", at=1700000000.0001, conversation=place("D1"), text="hi",
        author=Person(platform="slack", workspace="T1", user="U7"), message=TS, addressed=True,
        private=True, attachments=(Attachment(name="a.pdf"),),
    )  # fmt: skip


def test_a_mention_addresses_us_and_says_the_same_as_the_message():
    said = {"channel": "C1", "user": "U7", "text": "<@UBOT> hey <@UBOT|parley> you", "ts": TS}
    seen = read({"type": "message", "channel_type": "channel", **said}, event_id="Ev1")
    assert seen == read({"type": "app_mention", **said}, event_id="Ev2")
    assert (seen.text, seen.addressed, seen.private) == ("hey you", True, False)


def test_who_talks_to_others_does_not_address_us():
    assert message("<@U8> look").addressed is False
    assert message("<@UBOTX> look").addressed is False


@pytest.mark.parametrize(
    ("channel", "thread", "expected"),
    [
        ("C1", None, TS),
        ("C1", TS, TS),
        ("C1", "1600000000.000100", "1600000000.000100"),
        ("D1", None, ""),
        ("D1", TS, ""),
        ("D1", "1600000000.000100", "1600000000.000100"),
    ],
)
def test_threads_are_lanes_in_channels_and_where_people_open_them(channel, thread, expected):
    assert message(channel=channel, thread_ts=thread).conversation == place(channel, expected)


def test_a_channel_shared_between_organisations_keeps_one_name():
    body = {"type": "message", "channel": "C1", "user": "U9", "text": "x", "ts": TS}
    theirs = read({**body, "team": "T2", "user_team": "T2"}, team_id="T2", authorizations=[])
    assert (theirs.conversation.workspace, theirs.author.workspace) == ("T1", "T2")
    ours = read({**body, "team": "E1"}, context_team_id=None)
    assert (ours.conversation.workspace, ours.author.workspace) == ("T1", "T1")


def test_our_own_messages_are_no_events():
    assert message(user="UBOT") is None
    assert message(user="U8", bot_id="BBOT") is None
    assert (
        read(
            {
                "type": "message",
                "subtype": "bot_message",
                "bot_id": "BBOT",
                "channel": "C1",
                "ts": TS,
            }
        )
        is None
    )


def test_messages_of_other_bots_say_that_a_bot_wrote_them():
    alert = read({"type": "message", "subtype": "bot_message", "bot_id": "B2", "username": "CI\nbot",
                  "channel": "C1", "text": "red", "ts": TS})  # fmt: skip
    assert alert.author == Person(
        platform="slack", workspace="T1", user="B2", name="CI bot", bot=True
    )
    assert message(bot_id="B2").author.bot is True
    assert message(user="USLACKBOT").author.bot is True
    assert message().author.bot is False


def test_names_are_taken_where_slack_sends_them():
    assert message(user_profile={"display_name": "", "real_name": "Ada"}).author.name == "Ada"


def test_what_is_forwarded_is_quoted():
    shared = [{"is_share": True, "text": "their &lt;words&gt;"}, {"text": "an unfurled link"}]
    assert message(attachments=shared).quoted == "their <words>"


def test_an_edit_is_an_event_and_an_unfurled_link_is_none():
    now = {"user": "U7", "text": "new <@UBOT>", "ts": TS, "edited": {"user": "U7", "ts": LATER}}
    change = {"type": "message", "subtype": "message_changed", "channel": "C1", "event_ts": LATER}
    assert read({**change, "message": now, "previous_message": {"text": "old"}}) == MessageEdited(
        id=f"slack:T1:C1:{TS}:edited:{LATER}", at=1700000009.0002, message=TS, text="new",
        conversation=place(thread=TS), author=Person(platform="slack", workspace="T1", user="U7"),
    )  # fmt: skip
    assert read({**change, "message": now, "previous_message": {"text": "new <@UBOT>"}}) is None
    assert read({**change, "message": {**now, "user": "UBOT"}, "previous_message": {}}) is None


@pytest.mark.parametrize("thread", [None, "1600000000.000100"])
def test_deletions_name_the_message_and_its_lane(thread):
    gone = {"type": "message", "channel": "C1", "event_ts": LATER}
    expected = MessageDeleted(
        id=f"slack:T1:C1:{TS}:deleted", at=1700000009.0002,
        conversation=place(thread=thread or TS), messages=(TS,),
    )  # fmt: skip
    deleted = {
        "subtype": "message_deleted",
        "deleted_ts": TS,
        "previous_message": {"ts": TS, "thread_ts": thread},
    }
    assert read({**gone, **deleted}) == expected
    tombstone = {"subtype": "tombstone", "user": "USLACKBOT", "ts": TS, "thread_ts": thread}
    assert read({**gone, "subtype": "message_changed", "message": tombstone}) == expected


@pytest.mark.parametrize(
    ("kind", "reaction", "value"),
    [
        ("reaction_added", "+1", 1),
        ("reaction_added", "thumbsup::skin-tone-3", 1),
        ("reaction_added", "-1", -1),
        ("reaction_removed", "thumbsdown", 0),
    ],
)
def test_thumbs_rate_our_messages(kind, reaction, value):
    item = {"type": "message", "channel": "C1", "ts": TS}
    body = {"type": kind, "user": "U7", "reaction": reaction, "item": item, "event_ts": LATER}
    rated = read({**body, "item_user": "UBOT"})
    assert isinstance(rated, Rated)
    assert (rated.value, rated.message, rated.conversation) == (value, TS, place())
    assert read({**body, "item_user": "U8"}) is None
    assert read({**body, "user": "UBOT"}) is None
    assert read({**body, "reaction": "parrot"}) is None


def test_comings_and_goings_of_ours_are_events_and_those_of_others_are_none():
    stamp = {"event_ts": LATER, "channel": "C1"}
    joined = read({"type": "member_joined_channel", "user": "UBOT", **stamp})
    assert joined == Joined(id=f"slack:T1:C1:member_joined_channel:{LATER}", at=1700000009.0002,
                            conversation=place())  # fmt: skip
    for kind in ("channel_left", "channel_deleted", "group_left", "group_deleted",
                 "member_left_channel"):  # fmt: skip
        left = read({"type": kind, "user": "UBOT", **stamp})
        assert left == Left(id=f"slack:T1:C1:{kind}:{LATER}", at=1700000009.0002,
                            conversation=place())  # fmt: skip
        assert left.conversation.thread == ""
    assert read({"type": "member_left_channel", "user": "U7", **stamp}) is None
    assert read({"type": "member_joined_channel", "user": "U7", **stamp}) is None


def test_a_revoked_app_has_left_the_workspace():
    assert read({"type": "app_uninstalled"}) == Left(
        id="slack:T1:Ev1", at=1700000002.0, conversation=place("")
    )
    revoked = read({"type": "tokens_revoked", "tokens": {"bot": ["UBOT"]}}, event_time=1700000009)
    assert revoked == Left(id="slack:T1:Ev1", at=1700000009.0, conversation=place(""))
    assert (revoked.conversation.channel, revoked.conversation.thread) == ("", "")
    assert read({"type": "tokens_revoked", "tokens": {"oauth": ["U7"], "bot": []}}) is None


def test_the_stop_button_is_an_event():
    asked = read(
        {"type": "agent_session_stopped", "event_ts": LATER, **EVENTS["agent_session_stopped"]}
    )
    assert isinstance(asked, StopAsked)
    assert (asked.conversation, asked.author.user) == (place("D1", TS), "U7")


def slash(**fields):
    form = {"command": "/parley", "text": "", "user_id": "U7", "user_name": "ada", "team_id": "T1",
            "channel_id": "C1", "trigger_id": "1.2.a", "response_url": "https://hooks.slack.com/1"}  # fmt: skip
    return convert(form | fields, US, at=7.0)


def test_a_slash_command_is_an_event():
    assert slash(text=" Forget-Me  now ") == CommandGiven(
        id="slack:T1:C1:U7:command:1.2.a", at=7.0, conversation=place(), name="forget_me", words="now",
        author=Person(platform="slack", workspace="T1", user="U7", name="ada"),
        reply_via="https://hooks.slack.com/1",
    )  # fmt: skip
    assert slash().name == "help"
    assert slash(command="/reset", text="all").name == "reset"
    assert slash(channel_id="D1").private is True
    assert slash(text="admin allow <@U8|bob> <#C2|ops> &amp; co").words == "allow @U8 #C2 & co"
    assert slash(user_id="") is None


def test_a_response_url_is_not_shown_by_the_event():
    assert "hooks" not in repr(slash())


def test_a_pressed_button_is_an_event():
    press = {"type": "block_actions", "user": {"id": "U7", "team_id": "T1", "name": "ada"},
             "team": {"id": "T1"}, "channel": {"id": "C1"}, "trigger_id": "1.2.b",
             "container": {"message_ts": LATER, "channel_id": "C1", "thread_ts": TS},
             "actions": [{"action_id": "fb", "action_ts": "8.000000", "selected_option": {"value": "x"}}],
             "response_url": "https://hooks.slack.com/2"}  # fmt: skip
    assert convert(press, US, at=7.0) == Pressed(
        id="slack:T1:C1:U7:fb:1.2.b", at=8.0, conversation=place(thread=TS), action="fb", value="x",
        author=Person(platform="slack", workspace="T1", user="U7", name="ada"), message=LATER,
        reply_via="https://hooks.slack.com/2",
    )  # fmt: skip
    assert convert({**press, "actions": []}, US, at=7.0) is None
    assert convert({**press, "type": "view_submission"}, US, at=7.0) is None


def test_what_no_store_can_carry_is_replaced():
    assert message("a\x00b\ud800").text == "a\ufffdb\ufffd"


def test_every_documented_event_is_converted_or_knowingly_ignored():
    assert len(EVENTS) >= 90
    kinds = {event["type"]: read(event) for event in events() if event.get("subtype") is None}
    assert {kind for kind, event in kinds.items() if event is not None} == {
        "agent_session_stopped", "app_mention", "app_uninstalled", "channel_deleted",
        "channel_left", "group_deleted", "group_left", "message", "reaction_added",
        "reaction_removed", "tokens_revoked",
    }  # fmt: skip
    written = {subtype for subtype in SUBTYPES if message(subtype=subtype) is not None}
    assert written == {"bot_message", "file_share", "me_message", "thread_broadcast"}


@pytest.mark.parametrize("event", events(), ids=lambda event: event.get("subtype") or event["type"])
def test_events_survive_the_store(event):
    converted = read(event)
    assert converted is None or from_plain(to_plain(converted)) == converted


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
trees = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6
)
keys = sorted(
    {key for event in events() for key in event} | {"authorizations", "actions", "container"}
)


@given(
    st.sampled_from(events()),
    st.dictionaries(st.sampled_from(keys), trees),
    st.sampled_from(keys),
    trees,
)
def test_no_payload_whatever_its_shape_raises(event, wrong, key, value):
    read({**event, **wrong})
    convert({**callback(event), key: value}, US, at=7.0)
    convert({"type": "block_actions", **wrong, key: value}, US, at=7.0)
    convert({"command": "/parley", **wrong, key: value}, US, at=7.0)
