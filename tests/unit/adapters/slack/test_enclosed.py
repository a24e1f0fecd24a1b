"""Files and shared messages in Slack's payloads."""

import pytest

from bot.domain.conversation import Person
from bot.domain.events import Attachment
from tests.unit.adapters.slack.test_inbound import message

URL = "https://files.slack.com/files-pri/T1-F1/a.pdf"


def share(text="their words", author="U8", **more):
    return {"is_share": True, "text": text, "author_id": author, **more}


def quoted(*shared):
    event = message(attachments=list(shared))
    return event.quoted, event.quoted_by


def test_who_wrote_a_shared_message_is_told_as_a_person_is_written():
    person = Person(platform="slack", workspace="T1", user="U8")
    assert quoted(share()) == ("their words", str(person))
    assert quoted(share(channel_team="T1")) == ("their words", str(person))


def test_the_author_belongs_to_the_workspace_that_it_was_written_in():
    assert quoted(share(channel_team="T2"))[1] == "slack:T2:U8"
    assert quoted(share(channel_team="E1"))[1] == "slack:T1:U8"


def test_an_app_that_is_quoted_is_known_by_its_id():
    assert quoted(share(author="", bot_id="B2", author_name="Admin"))[1] == "slack:T1:B2"


def test_words_of_several_people_are_nobodys():
    assert quoted(share("a"), share("b")) == ("a\nb", "slack:T1:U8")
    assert quoted(share("a"), share("b", "U9")) == ("a\nb", "")
    assert quoted(share("a"), share("a", "U9")) == ("a\na", "")
    assert quoted(share("a"), share("", "U9")) == ("a", "slack:T1:U8")


def test_words_of_the_bots_own_are_those_of_who_shares_them():
    assert quoted(share(author="UBOT")) == ("their words", "slack:T1:U7")
    assert quoted(share(author="", bot_id="BBOT"))[1] == "slack:T1:U7"
    assert quoted(share("a", "UBOT"), share("b"))[1] == ""


@pytest.mark.parametrize("author", [None, "", 7, ["U8"]])
def test_who_is_not_named_is_unknown(author):
    assert quoted(share(author=author)) == ("their words", "")


def test_an_unfurled_link_quotes_nobody():
    assert quoted({"text": "a page", "author_id": "U8"}) == ("", "")


def test_slack_tells_an_answer_by_its_thread():
    assert message(thread_ts="1600000000.000100", parent_user_id="UBOT").answers == ""


def test_files_say_type_size_and_where_they_are():
    file = {"id": "F1", "name": "a.pdf", "mimetype": "application/pdf", "size": 12,
            "url_private": URL, "url_private_download": f"{URL}/download"}  # fmt: skip
    bare = {"id": "F2", "title": "A note", "url_private": URL, "size": "12", "mimetype": None}
    event = message(files=[file, bare, {"id": "F3", "file_access": "check_file_info"}])
    assert event.attachments == (
        Attachment(name="a.pdf", type="application/pdf", size=12, source=f"{URL}/download"),
        Attachment(name="A note", source=URL),
    )
    assert "files.slack.com" not in repr(event)
