"""Files, replies and forwarded words of Telegram's messages."""

import pytest

from bot.domain.conversation import Person
from bot.domain.events import Attachment
from tests.unit.adapters.telegram.payloads import ANNA, BOT, GROUP, got, message

BERT = {"id": 43, "is_bot": False, "first_name": "Bert"}
NEWS = {"id": -1009, "type": "channel", "title": "News"}
HIDDEN = {"type": "hidden_user", "sender_user_name": "Anna Ber", "date": 1}


def reply(text="so", author=BERT, **more):
    return {"reply_to_message": message(text, GROUP, message_id=3, **{"from": author}, **more)}


def told(**more):
    event = got("why?", GROUP, **more)
    return event.quoted, event.quoted_by, event.answers


def test_who_is_quoted_is_told_as_a_person_is_written():
    assert told(**reply()) == ("so", str(Person(platform="telegram", user="43")), "3")


def test_a_chat_that_is_quoted_is_told_by_its_own_id():
    assert told(**reply(sender_chat=NEWS)) == ("so", "telegram::-1009", "3")
    assert told(**reply(author=None, sender_chat=GROUP)) == ("so", "telegram::-1001", "3")


def test_a_reply_to_the_bot_says_so_and_quotes_nothing():
    assert told(**reply(author=BOT)) == ("", "", "3")


def test_words_of_the_bots_own_are_those_of_who_quotes_them():
    assert told(quote={"text": "s"}, **reply(author=BOT)) == ("s", "telegram::42", "3")
    forwarded = got("mine", GROUP, forward_origin={"type": "user", "sender_user": BOT, "date": 1})
    assert (forwarded.quoted, forwarded.quoted_by) == ("mine", "telegram::42")


def test_a_reply_to_what_has_no_words_quotes_nobody():
    assert told(**reply(None, photo=[])) == ("", "", "3")


@pytest.mark.parametrize(
    ("origin", "said_by"),
    [
        ({"type": "user", "sender_user": BERT, "date": 1}, "telegram::43"),
        (HIDDEN, ""),
        ({"type": "chat", "sender_chat": GROUP, "date": 1}, "telegram::-1001"),
        ({"type": "channel", "chat": NEWS, "message_id": 3, "date": 1}, "telegram::-1009"),
    ],
)
def test_forwarded_and_foreign_words_name_who_said_them_unless_that_is_hidden(origin, said_by):
    forwarded = got("buy now", GROUP, forward_origin=origin)
    assert (forwarded.quoted, forwarded.quoted_by) == ("buy now", said_by)
    elsewhere = {"origin": origin, "message_id": 8}
    assert told(quote={"text": "buy"}, external_reply=elsewhere) == ("buy", said_by, "")


def test_a_forwarded_reply_is_not_taken_for_a_quote_of_whom_it_answered():
    event = got("buy now", GROUP, forward_origin=HIDDEN, **reply(author=ANNA))
    assert (event.quoted, event.quoted_by) == ("buy now", "")


def test_in_a_topic_nobody_replies_to_the_message_that_opened_it():
    opened = reply(None, BOT, forum_topic_created={"name": "T"})
    assert told(is_topic_message=True, message_thread_id=3, **opened) == ("", "", "")


@pytest.mark.parametrize(
    ("more", "file"),
    [
        (
            {"document": {"file_id": "d", "file_name": "a.pdf", "mime_type": "application/pdf",
                          "file_size": 12}},
            Attachment(name="a.pdf", type="application/pdf", size=12, source="d"),
        ),
        (
            {"photo": [{"file_id": "s", "width": 90, "height": 60, "file_size": 1},
                       {"file_id": "l", "width": 900, "height": 600, "file_size": 2},
                       {"file_id": "m", "width": 320, "height": 200, "file_size": 3}]},
            Attachment(name="photo", type="image/jpeg", size=2, source="l"),
        ),
        ({"photo": []}, Attachment(name="photo", type="image/jpeg")),
        (
            {"voice": {"file_id": "v", "mime_type": "audio/ogg", "file_size": 9}},
            Attachment(name="voice", type="audio/ogg", size=9, source="v"),
        ),
        ({"location": {"latitude": 1.0, "longitude": 2.0}}, Attachment(name="location")),
        ({"document": {"file_id": 7, "mime_type": [], "file_size": 10**400}},
         Attachment(name="document")),
    ],
)  # fmt: skip
def test_files_say_type_size_and_where_they_are(more, file):
    assert got(None, **more).attachments == (file,)
