"""Realistic updates, as the Bot API documents them."""

import pytest

from adapters.telegram.words import Me
from bot.domain.conversation import Conversation, Person
from bot.domain.events import Attachment, CommandGiven, MessageReceived
from tests.unit.adapters.telegram.payloads import ANNA, BOT, GROUP, PRIVATE, got, message


def mention(text, name="@parley_bot", kind="mention", **more):
    start = len(text[: text.index(name)].encode("utf-16-le")) // 2
    length = len(name.encode("utf-16-le")) // 2
    return [{"type": kind, "offset": start, "length": length, **more}]


def in_group(text, **more):
    return got(text, GROUP, **more)


def test_a_private_message():
    assert got() == MessageReceived(
        id="telegram:99:5", at=1_795_000_000.0, text="hi", message="7", addressed=True,
        private=True,
        conversation=Conversation(platform="telegram", channel="42"),
        author=Person(platform="telegram", user="42", name="Anna Ber"),
    )  # fmt: skip


def test_a_group_message_is_addressed_by_a_mention_which_is_taken_out():
    text = "hey @Parley_bot, what now?"
    event = in_group(text, entities=mention(text, "@Parley_bot"))
    assert (event.addressed, event.private, event.text) == (True, False, "hey, what now?")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("@parley_bot what now?", "what now?"),
        ("@parley_bot: translate:", "translate:"),
        ("🎉👨‍👩‍👧 ask @parley_bot about it", "🎉👨‍👩‍👧 ask about it"),
        ("what now @parley_bot", "what now"),
        ("do it @parley_bot\n- one", "do it\n- one"),
        ("one @parley_bot two", "one two"),
        ("@parley_bot", "@parley_bot"),
    ],
)
def test_the_mention_leaves_the_rest_as_it_was(text, left):
    event = in_group(text, entities=mention(text))
    assert (event.addressed, event.text) == (True, left)


def test_a_mention_of_somebody_else_does_not_address_the_bot():
    text = "@parley_bot_two and parley_bot: hi"
    event = in_group(text, entities=mention(text, "@parley_bot_two"))
    assert (event.addressed, event.text) == (False, text)


def test_a_mention_without_a_user_name_counts_too():
    text = "Parley, hello"
    event = in_group(text, entities=mention(text, "Parley", "text_mention", user=BOT))
    assert (event.addressed, event.text) == (True, "hello")


def test_a_reply_to_the_bot_addresses_it_and_quotes_nothing():
    event = in_group("why?", reply_to_message=message("because", GROUP, **{"from": BOT}))
    assert (event.addressed, event.quoted) == (True, "")


def test_a_passage_of_the_bots_own_words_is_quoted():
    answered = message("one two three", GROUP, **{"from": BOT})
    event = in_group("why?", reply_to_message=answered, quote={"text": "two", "position": 4})
    assert event.quoted == "two"


def test_somebody_elses_message_is_quoted_and_cut_visibly():
    event = in_group("true?", reply_to_message=message("x" * 1001, GROUP))
    assert (event.addressed, event.quoted) == (False, "x" * 1000 + "…")


def test_a_quote_from_another_chat_is_read():
    assert in_group("true?", quote={"text": "elsewhere", "position": 0}).quoted == "elsewhere"


def test_the_message_that_opened_a_topic_is_not_what_is_answered():
    opened = message(None, GROUP, **{"from": BOT}, forum_topic_created={"name": "T"})
    event = in_group("hi", reply_to_message=opened, is_topic_message=True, message_thread_id=3)
    assert (event.addressed, event.conversation.thread) == (False, "3")


@pytest.mark.parametrize(
    ("more", "thread"),
    [
        ({"is_topic_message": True, "message_thread_id": 12}, "12"),
        ({"is_topic_message": True, "message_thread_id": 1}, ""),  # General
        ({"message_thread_id": 12}, ""),  # a chain of replies, no topic
    ],
)
def test_topics_are_threads(more, thread):
    assert in_group("hi", **more).conversation == Conversation(
        platform="telegram", channel="-1001", thread=thread
    )


def test_forwarded_words_are_somebody_elses():
    origin = {"type": "hidden_user", "sender_user_name": "X", "date": 1}
    event = got("/reset buy now", forward_origin=origin)
    assert (event.text, event.quoted, event.addressed) == ("", "/reset buy now", True)


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("/reset", "reset", ""),
        ("/new  all of it ", "reset", "all of it"),  # an alias
        ("/RESET@PARLEY_BOT now", "reset", "now"),
        ("/help\nline", "help", "line"),
        ("/start deep-link", "help", ""),
    ],
)
@pytest.mark.parametrize("chat", [PRIVATE, GROUP], ids=["private", "group"])
def test_commands(text, name, words, chat):
    event = got(text, chat)
    assert isinstance(event, CommandGiven)
    assert (event.name, event.words, event.message) == (name, words, "7")
    assert event.private == (chat is PRIVATE)


def test_a_command_below_an_answer_says_which():
    event = in_group("/help", reply_to_message=message("because", GROUP, **{"from": BOT}))
    assert (event.name, event.answers) == ("help", str(message("because")["message_id"]))
    assert in_group("/help").answers == ""


def test_a_command_for_another_bot_is_passed_over():
    assert in_group("/reset@other_bot") is None
    assert in_group("/unknown@other_bot") is None


def test_an_unknown_command_is_a_message_where_it_is_meant_for_the_bot():
    text = "/unknown@parley_bot do"
    assert got("/etc is a directory").text == "/etc is a directory"
    assert in_group(text, entities=mention(text, "/unknown@parley_bot", "bot_command")).addressed
    assert in_group("/unknown do") is None


def test_a_command_only_counts_at_the_begin():
    assert isinstance(got("say /reset"), MessageReceived)
    assert isinstance(got("/reset/all"), MessageReceived)


def test_before_the_commands_are_published_every_one_goes_to_the_core():
    event = got("/anything else", me=Me(99, "parley_bot"))
    assert (event.name, event.words) == ("anything", "else")


def test_own_messages_are_dropped_and_other_bots_are_marked():
    other = {"id": 77, "is_bot": True, "first_name": "Other", "username": "other_bot"}
    assert in_group("hi", **{"from": BOT}) is None
    assert in_group("hi", **{"from": other}).author.bot


def test_an_anonymous_administrator_is_the_chat_itself():
    stand_in = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    author = in_group("hi", **{"from": stand_in}, sender_chat=GROUP).author
    assert author == Person(
        platform="telegram", user="-1001", name="Team", roles=("administrator",)
    )


def test_a_channel_that_writes_in_a_group_is_a_person_of_its_own():
    channel = {"id": -1009, "type": "channel", "title": "News"}
    author = in_group("hi", sender_chat=channel).author
    assert (author.user, author.name, author.roles) == ("-1009", "News", ())


@pytest.mark.parametrize(
    ("more", "files"),
    [
        ({"photo": [{"file_id": "1"}]}, ("photo",)),
        ({"document": {"file_id": "1", "file_name": "plan.pdf"}}, ("plan.pdf",)),
        ({"animation": {"file_id": "1"}, "document": {"file_name": "x.mp4"}}, ("animation",)),
        ({"voice": {"file_id": "1"}}, ("voice",)),
        ({"video_note": {"file_id": "1"}}, ("video note",)),
        ({"sticker": {"emoji": "👍"}}, ("sticker",)),
    ],
)
def test_captions_are_text_and_files_are_named(more, files):
    caption = "look @parley_bot"
    event = got(None, GROUP, caption=caption, caption_entities=mention(caption), **more)
    assert (event.text, event.addressed) == ("look", True)
    assert tuple(file.name for file in event.attachments) == files


def test_learn_above_a_file_is_a_message_to_the_bot_since_no_command_has_files():
    file = {"document": {"file_id": "1", "file_name": "plan.pdf"}}
    event = got(None, GROUP, caption="/learn", **file)
    assert isinstance(event, MessageReceived)
    assert (event.text, event.addressed) == ("/learn", True)
    assert [file.name for file in event.attachments] == ["plan.pdf"]
    assert isinstance(got(None, GROUP, caption="/reset", **file), CommandGiven)


def test_a_file_without_words_is_a_message():
    assert got(None, voice={"file_id": "1"}).attachments == (
        Attachment(name="voice", type="audio/ogg", source="1"),
    )


def test_a_rich_message_gives_its_words():
    blocks = [
        {"type": "heading", "text": "Plan", "size": 1},
        {"type": "paragraph", "text": ["buy ", {"type": "bold", "text": "milk"}]},
        {"type": "list", "items": [{"label": "•", "blocks": [{"type": "paragraph", "text": "x"}]}]},
        {"type": "table", "cells": [[{"text": "a"}, {"text": ["b"]}]]},
    ]
    text = got(None, rich_message={"blocks": blocks}).text
    lines = [line.strip() for line in text.splitlines()]
    assert [line for line in lines if line] == ["Plan", "buy milk", "x", "a b"]


def test_service_messages_are_passed_over():
    assert in_group(None, new_chat_members=[ANNA]) is None
    assert in_group(None, pinned_message=message()) is None
    assert in_group(None, migrate_from_chat_id=-5) is None


def test_what_cannot_be_stored_is_replaced():
    event = got("a\x00b", **{"from": {"id": 1, "first_name": "\x00"}})
    assert (event.text, event.author.name) == ("a\ufffdb", "\ufffd")
