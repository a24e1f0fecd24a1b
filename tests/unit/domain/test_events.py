"""Events can be stored and read back, whatever they contain."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.conversation import Conversation, Person
from bot.domain.events import KINDS, Attachment, from_plain, to_plain
from bot.domain.replies import Button
from bot.domain.text import NAME_LIMIT, display_name, storable
from tests.events import message

text = st.text(max_size=20)
place = st.builds(Conversation, platform=text, workspace=text, channel=text, thread=text)
person = st.builds(
    Person, platform=text, workspace=text, user=text, name=text, bot=st.booleans(),
    roles=st.lists(text, max_size=3).map(tuple),
)  # fmt: skip
attachment = st.builds(
    Attachment, name=text, type=text, size=st.integers(0), source=text,
    message=text,
)  # fmt: skip
button = st.builds(
    Button, label=st.text(min_size=1, max_size=20).map("x{}".format),
    action=st.from_regex(r"[a-z_]{1,12}", fullmatch=True), value=st.text(max_size=12),
)  # fmt: skip
VALUES = {
    "id": text, "at": st.floats(0, 4e9), "conversation": place, "to": place, "author": person,
    "text": text, "message": text, "addressed": st.booleans(), "private": st.booleans(),
    "quoted": text, "attachments": st.lists(attachment, max_size=3).map(tuple), "replaces": text,
    "buttons": st.lists(button, max_size=3).map(tuple), "quoted_by": text, "answers": text,
    "hidden": st.booleans(), "closed": st.booleans(), "in_order": st.booleans(), "remembered": st.booleans(),
    "messages": st.lists(text, max_size=3).map(tuple), "name": text, "words": text,
    "reply_via": text, "action": text, "value": text, "edited": st.floats(0, 4e9), "album": text, "asker": st.none() | person,
    "before": st.lists(st.tuples(text, text), max_size=3).map(tuple),
}  # fmt: skip


def events():
    return st.one_of([
        st.builds(kind, **{
            name: st.sampled_from([-1, 0, 1]) if (kind.__name__, name) == ("Rated", "value")
            else VALUES[name] for name in kind.__dataclass_fields__ if name != "track"
        }) for kind in KINDS.values()
    ])  # fmt: skip


@given(events())
def test_an_event_survives_storage(event):
    assert from_plain(json.loads(json.dumps(to_plain(event)))) == event


@given(events())
def test_a_newer_version_may_add_fields(event):
    assert from_plain({**to_plain(event), "from_the_future": 1}) == event


def test_the_way_back_is_not_shown():
    event = KINDS["CommandGiven"](
        id="1", at=1.0, conversation=Conversation(platform="p", channel="c"),
        author=Person(platform="p", user="u"), name="help", reply_via="secret-token",
    )  # fmt: skip
    assert "secret-token" not in repr(event)


def test_several_messages_taken_together_change_one_by_one():
    event = replace(message("three", message="3"), before=(("1", "one"), ("2", "two")))
    assert event.with_text("2", "zwei", 5.0).words == "one\nzwei\nthree"
    assert event.with_text("3", "drei", 5.0).words == "one\ntwo\ndrei"
    assert event.without("2").words == "one\nthree"
    last = event.without("3")
    assert (last.words, last.message) == ("one\ntwo", "2")
    assert message("alone", message="1").without("1") is None


@given(st.text(alphabet=st.characters(), max_size=50))
def test_storable_text_can_be_encoded_and_keeps_its_length(raw):
    assert len(storable(raw)) == len(raw)
    assert "\x00" not in storable(raw)
    storable(raw).encode()


def test_storable_replaces_lone_surrogates():
    assert storable("a\ud800b\x00") == "a\ufffdb\ufffd"


@given(st.text(max_size=200))
def test_a_name_is_one_short_line(name):
    shown = display_name(name)
    assert len(shown) <= NAME_LIMIT
    assert shown.splitlines() in ([], [shown])
