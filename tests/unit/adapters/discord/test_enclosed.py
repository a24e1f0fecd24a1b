"""Files, replies and forwarded words of Discord's messages."""

import pytest

from adapters.discord.inbound import event_from
from adapters.discord.places import Places
from bot.domain.conversation import Person
from bot.domain.events import Attachment
from tests.unit.adapters.discord.payloads import GUILD, ME, aloud, guild, message, user

REPLY = {"type": 0, "message_id": "77", "channel_id": "1"}


def read(data):
    places = Places(me=ME)
    places.learn("GUILD_CREATE", guild())
    return event_from("MESSAGE_CREATE", data, places, 7.0)


def reply(answered, **more):
    return aloud(type=19, message_reference=REPLY, referenced_message=answered, **more)


@pytest.mark.parametrize("said", [aloud("so", author=user("7")), message("so", author=user("7"))])
def test_who_is_quoted_is_told_as_a_person_is_written(said):
    event = read(reply(said))
    assert (event.quoted, event.quoted_by) == ("so", str(Person(platform="discord", user="7")))
    assert event.answers == "77"


def test_a_webhook_that_is_quoted_is_known_by_its_id_alone():
    forged = {"id": "666", "username": "Admin", "global_name": "Admin", "bot": True}
    event = read(reply(aloud("so", author=forged, webhook_id="666")))
    assert event.quoted_by == "discord::666"


def test_a_reply_to_the_bot_says_so_and_quotes_nothing():
    event = read(reply(aloud("mine", author=user(ME))))
    assert (event.answers, event.quoted, event.quoted_by) == ("77", "", "")


def test_a_reply_to_what_is_gone_still_says_what_it_answered():
    event = read(reply(None))
    assert (event.answers, event.quoted, event.quoted_by) == ("77", "", "")


def test_of_forwarded_words_nobody_knows_who_said_them():
    forward = {"type": 1, "message_id": "8", "channel_id": "2", "guild_id": GUILD}
    words = [{"message": {"content": "buy now", "mentions": []}}]
    event = read(aloud("", message_reference=forward, message_snapshots=words))
    assert (event.quoted, event.quoted_by, event.answers) == ("buy now", "", "")


def test_a_message_that_follows_another_channel_answers_nothing():
    assert read(aloud("news", message_reference=REPLY)).answers == ""


def test_an_author_without_words_is_not_quoted():
    assert read(reply(aloud("", author=user("7")))).quoted_by == ""


@pytest.mark.parametrize("wrong", [None, -1, "12", 10**400])
def test_files_say_type_size_and_where_they_are(wrong):
    file = {"id": "1", "filename": "a.pdf", "content_type": "application/pdf", "size": 12,
            "url": "https://cdn.discordapp.com/attachments/1/2/a.pdf?ex=1"}  # fmt: skip
    files = read(message("", attachments=[file, {"id": "2", "filename": "b", "size": wrong}]))
    assert files.attachments == (
        Attachment(name="a.pdf", type="application/pdf", size=12, source=file["url"]),
        Attachment(name="b"),
    )
    assert "cdn" not in repr(files)
