"""What happens beside the messages: edits, buttons, ratings, moves."""

import pytest

from adapters.telegram.inbound import read
from bot.domain.conversation import Conversation, Person
from bot.domain.events import Joined, Left, MessageEdited, Moved, Pressed, Rated, StopAsked
from tests.unit.adapters.telegram.payloads import ANNA, BOT, GROUP, ME, PRIVATE, got, message


def test_a_group_that_became_a_supergroup_has_moved():
    old = {"id": -5, "type": "group", "title": "Team"}
    event = got(None, old, migrate_to_chat_id=-1001)
    assert isinstance(event, Moved)
    assert (event.conversation.channel, event.to.channel) == ("-5", "-1001")


def test_edits():
    text = "@parley_bot better"
    changed = message(
        text,
        GROUP,
        edit_date=1_795_000_060,
        entities=[{"type": "mention", "offset": 0, "length": 11}],
    )
    event = read({"update_id": 6, "edited_message": changed}, ME)
    assert event == MessageEdited(
        id="telegram:99:6", at=1_795_000_060.0, message="7", text="better",
        conversation=Conversation(platform="telegram", channel="-1001"),
        author=Person(platform="telegram", user="42", name="Anna Ber"),
    )  # fmt: skip
    moved = message(None, edit_date=1, location={"latitude": 1, "longitude": 2})
    assert read({"update_id": 7, "edited_message": moved}, ME) is None


def test_buttons():
    query = {"id": "1", "from": ANNA, "chat_instance": "1", "data": "rate:1:x",
             "message": message("answer", GROUP, **{"from": BOT})}  # fmt: skip
    event = read({"update_id": 6, "callback_query": query}, ME)
    assert isinstance(event, Pressed)
    assert (event.action, event.value, event.message) == ("rate", "1:x", "7")
    assert (event.author.user, event.private, event.reply_via) == ("42", False, "")
    del query["message"]
    assert read({"update_id": 6, "callback_query": query}, ME) is None


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("", "👍", 1),
        ("", "👎", -1),
        ("👍", "", 0),
        ("👍", "👎", -1),
        ("", "🔥", None),
        ("🔥", "", None),
    ],
)
def test_ratings(old, new, value):
    def kinds(emoji):
        return [{"type": "emoji", "emoji": emoji}] if emoji else []

    change = {"chat": GROUP, "message_id": 7, "user": ANNA, "date": 1,
              "old_reaction": kinds(old), "new_reaction": kinds(new)}  # fmt: skip
    event = read({"update_id": 6, "message_reaction": change}, ME)
    assert (event.value if isinstance(event, Rated) else event) == value


@pytest.mark.parametrize(
    ("chat", "was", "now", "kind"),
    [
        (GROUP, "left", "member", Joined),
        (GROUP, "kicked", "administrator", Joined),
        (GROUP, "member", "left", Left),
        (GROUP, "administrator", "kicked", Left),
        (GROUP, "member", "administrator", None),
        (GROUP, "member", "restricted", Left),
        (PRIVATE, "member", "kicked", Left),
        (PRIVATE, "kicked", "member", None),
        ({"id": -9, "type": "channel", "title": "C"}, "left", "administrator", None),
    ],
)
def test_membership(chat, was, now, kind):
    change = {"chat": chat, "from": ANNA, "date": 1,
              "old_chat_member": {"status": was, "user": BOT},
              "new_chat_member": {"status": now, "user": BOT, "is_member": False}}  # fmt: skip
    event = read({"update_id": 6, "my_chat_member": change}, ME)
    assert (type(event) if event else None) == kind


def test_the_stop_button():
    stop = {"chat": PRIVATE, "message_thread_id": 4, "draft_id": 9}
    event = read({"update_id": 6, "stopped_message_generation": stop}, ME)
    assert isinstance(event, StopAsked)
    assert event.conversation == Conversation(platform="telegram", channel="42", thread="4")


@pytest.mark.parametrize(
    "kind", ["channel_post", "edited_channel_post", "business_message", "guest_message"]
)
def test_other_peoples_kinds_of_messages_are_passed_over(kind):
    assert read({"update_id": 6, kind: message()}, ME) is None
