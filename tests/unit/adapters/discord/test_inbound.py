"""What each gateway payload means to the core."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.inbound import READERS, earliest, event_from, moment
from adapters.discord.places import LEARNED, Places
from bot.domain.events import Attachment, MessageReceived, from_plain, to_plain
from tests.unit.adapters.discord.payloads import (
    CHANNEL,
    DISPATCHES,
    FIRST,
    GUILD,
    ME,
    ROLE,
    THREAD,
    aloud,
    guild,
    interaction,
    message,
    reaction,
    user,
)

NOW = 1_777_000_000.0


@pytest.fixture
def places():
    known = Places(me=ME)
    known.learn("GUILD_CREATE", guild())
    return known


def read(places, data, name="MESSAGE_CREATE"):
    return event_from(name, data, places, NOW)


def test_a_direct_message_is_private_and_always_addressed(places):
    event = read(places, message("hello"))
    assert isinstance(event, MessageReceived)
    assert (event.id, event.message, event.text) == (f"discord:{FIRST}", FIRST, "hello")
    assert (event.private, event.addressed, str(event.conversation)) == (
        True, True, "discord::7501:",
    )  # fmt: skip
    assert str(event.author) == "discord::501"
    assert (event.author.name, event.author.bot, event.author.roles) == ("User 501", False, ())
    assert event.at == moment(FIRST)


def test_a_message_of_a_server_carries_member_name_and_roles(places):
    event = read(places, aloud("hello"))
    assert (event.private, event.addressed) == (False, False)
    assert str(event.conversation) == f"discord:{GUILD}:{CHANNEL}:"
    assert (event.author.name, event.author.roles) == ("Ann", ("77", "78"))


def test_a_message_in_a_thread_or_forum_post_belongs_to_its_channel(places):
    event = read(places, aloud(channel_id=THREAD))
    assert (event.conversation.channel, event.conversation.thread) == (CHANNEL, THREAD)
    post = {"id": "9300", "type": 11, "parent_id": "9200", "name": "how?"}
    places.learn("THREAD_CREATE", {**post, "guild_id": GUILD})
    event = read(places, aloud(channel_id="9300"))
    assert (event.conversation.channel, event.conversation.thread) == ("9200", "9300")
    places.learn("THREAD_DELETE", post)
    assert read(places, aloud(channel_id="9300")).conversation.thread == ""


@pytest.mark.parametrize(
    "data",
    [
        aloud(f"<@{ME}> hello", mentions=[user(ME)]),
        aloud(f"<@!{ME}> hello", mentions=[user(ME)]),
        aloud(f"hello <@&{ROLE}>", mention_roles=[ROLE]),
        aloud("hello", type=19, referenced_message=aloud("?", author=user(ME))),
        message(f"hello <@{ME}>", mentions=[user(ME)]),
    ],
)
def test_a_mention_a_role_mention_and_a_reply_address_the_bot_and_leave_no_trace(places, data):
    event = read(places, data)
    assert (event.addressed, event.text, event.quoted) == (True, "hello", "")


@pytest.mark.parametrize(
    "data",
    [
        aloud("hello", mentions=[user("7")]),
        aloud("hello", mention_roles=["77"]),
        aloud("@everyone hello", mention_everyone=True),
        aloud("hello", type=19, referenced_message=None),
        aloud("hello", type=19, referenced_message=aloud("?", author=user("7"))),
    ],
)
def test_other_mentions_and_replies_do_not(places, data):
    assert read(places, data).addressed is False


def test_a_role_mention_counts_only_in_its_own_server(places):
    assert read(places, aloud("x", guild_id="1", mention_roles=[ROLE])).addressed is False


def test_what_somebody_else_said_is_quoted_and_cut_visibly(places):
    long = aloud("w" * 1500, author=user("7"))
    assert read(places, aloud("so?", type=19, referenced_message=long)).quoted == "w" * 999 + "…"
    forwarded = aloud(
        "", message_reference={"type": 1, "message_id": "1"},
        message_snapshots=[{"message": {"content": "look <@7>", "mentions": [user("7")]}}],
    )  # fmt: skip
    assert read(places, forwarded).quoted == "look @User 7"


def test_files_are_named_and_empty_messages_are_dropped(places):
    files = [{"id": "1", "filename": "plan\ud800.pdf", "url": "https://cdn"}]
    event = read(places, message("", attachments=files))
    assert (event.text, event.attachments) == (
        "",
        (Attachment(name="plan\ufffd.pdf", source="https://cdn"),),
    )
    assert read(places, message("")) is None
    assert read(places, aloud(f"<@{ME}>", mentions=[user(ME)])).text == ""


def test_own_messages_and_notices_are_ignored(places):
    assert read(places, message(author=user(ME))) is None
    read_types = [kind for kind in range(60) if read(places, message(type=kind))]
    assert read_types == [0, 19]


def test_bots_and_webhooks_are_marked_as_bots(places):
    assert read(places, aloud(author=user("8", bot=True))).author.bot
    assert read(places, aloud(webhook_id="9")).author.bot


def test_text_is_made_storable(places):
    assert read(places, message("a\x00b\ud800")).text == "a\ufffdb\ufffd"


def test_an_edit_has_its_own_id_and_an_unfurled_link_is_none(places):
    stamp = "2026-05-02T10:00:01.500000+00:00"
    event = read(places, aloud("new", edited_timestamp=stamp), "MESSAGE_UPDATE")
    assert (event.id, event.message, event.text) == (f"discord:{FIRST}:edit:{stamp}", FIRST, "new")
    assert event.at == pytest.approx(1777716001.5)
    assert read(places, aloud("new"), "MESSAGE_UPDATE") is None
    assert (
        read(places, {"id": FIRST, "channel_id": CHANNEL, "embeds": []}, "MESSAGE_UPDATE") is None
    )
    own = aloud(author=user(ME), edited_timestamp=stamp)
    assert read(places, own, "MESSAGE_UPDATE") is None


def test_deletions_come_alone_or_in_bulk(places):
    one = read(places, DISPATCHES["MESSAGE_DELETE"], "MESSAGE_DELETE")
    many = read(places, DISPATCHES["MESSAGE_DELETE_BULK"], "MESSAGE_DELETE_BULK")
    assert (one.messages, many.messages) == ((FIRST,), (FIRST, "2"))
    assert one.conversation == many.conversation


@pytest.mark.parametrize(
    ("emoji", "added", "removed"), [("👍", 1, 0), ("👎🏽", -1, 0), ("🎉", None, None)]
)
def test_thumbs_rate_an_answer_and_taking_them_back_counts_nothing(places, emoji, added, removed):
    add = read(places, reaction(emoji, message_author_id=ME), "MESSAGE_REACTION_ADD")
    remove = read(places, reaction(emoji), "MESSAGE_REACTION_REMOVE")
    assert (add and add.value, remove and remove.value) == (added, removed)


def test_reactions_to_others_by_itself_or_without_a_name_are_no_ratings(places):
    for data in (
        reaction(message_author_id="7"),
        reaction(user_id=ME),
        {**reaction(), "emoji": {"id": "5", "name": None}},
    ):
        assert read(places, data, "MESSAGE_REACTION_ADD") is None


def test_two_reactions_of_one_person_are_two_events(places):
    first = event_from("MESSAGE_REACTION_ADD", reaction(), places, NOW)
    second = event_from("MESSAGE_REACTION_ADD", reaction(), places, NOW + 0.001)
    assert first.id != second.id


def test_a_command_joins_its_options_and_hides_its_way_back(places):
    event = read(places, interaction(), "INTERACTION_CREATE")
    assert (event.name, event.words, event.reply_via) == ("model", "big now", "4000/itoken")
    assert event.author.roles[:2] == ("77", "administrator")
    assert "itoken" not in repr(event)


@pytest.mark.parametrize("name", ["GUILD_CREATE", "THREAD_CREATE", "THREAD_LIST_SYNC"])
def test_what_happens_in_a_private_thread_is_closed_to_its_channel(places, name):
    thread = {"id": "9400", "type": 12, "parent_id": CHANNEL, "name": "among us"}
    told = {"GUILD_CREATE": guild(threads=[thread]), "THREAD_CREATE": thread,
            "THREAD_LIST_SYNC": {"guild_id": GUILD, "threads": [thread]}}  # fmt: skip
    places.learn(name, told[name])
    inside = aloud(channel_id="9400")
    edit = {**inside, "edited_timestamp": "2026-05-01T10:00:00+00:00"}
    command = interaction(channel_id="9400", channel=thread)
    seen = [
        read(places, inside), read(places, edit, "MESSAGE_UPDATE"),
        read(places, command, "INTERACTION_CREATE"),
    ]  # fmt: skip
    assert [str(event.conversation) for event in seen] == [f"discord:{GUILD}:{CHANNEL}:9400"] * 3
    assert [event.closed for event in seen] == [True] * 3
    for open_to_all in (aloud(), aloud(channel_id=THREAD)):
        assert not read(places, open_to_all).closed


def test_a_thread_of_which_only_the_name_is_known_is_closed_until_discord_tells(places):
    places.recall(places.conversation(GUILD, THREAD))
    assert not read(places, aloud(channel_id=THREAD)).closed
    known = Places(me=ME)
    known.recall(places.conversation(GUILD, THREAD))
    assert read(known, aloud(channel_id=THREAD)).closed
    known.learn("GUILD_CREATE", guild())
    assert not read(known, aloud(channel_id=THREAD)).closed


def test_a_subcommand_is_a_word_too(places):
    option = {"name": "allow", "type": 1, "options": [{"name": "who", "type": 3, "value": "7"}]}
    data = {"name": "admin", "options": [option]}
    assert read(places, interaction(data=data), "INTERACTION_CREATE").words == "allow 7"


def test_a_command_in_a_thread_or_in_private_knows_where_it_was_given(places):
    channel = {"id": "9301", "type": 12, "parent_id": CHANNEL}
    event = read(places, interaction(channel_id="9301", channel=channel), "INTERACTION_CREATE")
    assert (event.conversation.channel, event.conversation.thread) == (CHANNEL, "9301")
    private = interaction(user=user(), channel_id="7501", channel={"id": "7501", "type": 1})
    del private["guild_id"], private["member"]
    event = read(places, private, "INTERACTION_CREATE")
    assert (event.private, str(event.conversation)) == (True, "discord::7501:")


def test_a_button_has_an_action_and_a_value(places):
    data = {"custom_id": "rate:up:1", "component_type": 2}
    event = read(places, interaction(3, data=data, message={"id": "5"}), "INTERACTION_CREATE")
    assert (event.action, event.value, event.message) == ("rate", "up:1", "5")
    assert event.reply_via == "4000/itoken/followup"


@pytest.mark.parametrize("kind", [1, 4, 5])
def test_other_interactions_are_ignored(places, kind):
    assert read(places, interaction(kind), "INTERACTION_CREATE") is None


def test_joining_is_told_apart_from_connecting_and_leaving_from_an_outage(places):
    assert read(places, guild(), "GUILD_CREATE") is None
    joined = read(places, guild(id="9999"), "GUILD_CREATE")
    assert (joined.conversation.workspace, joined.conversation.channel) == ("9999", CHANNEL)
    assert read(places, {"id": GUILD, "unavailable": True}, "GUILD_DELETE") is None
    left = read(places, {"id": GUILD}, "GUILD_DELETE")
    assert (left.conversation.workspace, left.conversation.channel) == (GUILD, "")
    places.learn("GUILD_DELETE", {"id": GUILD})
    assert read(places, guild(), "GUILD_CREATE").id == joined.id.replace("9999", GUILD)


def test_a_deleted_channel_or_thread_was_left(places):
    thread = read(places, DISPATCHES["THREAD_DELETE"], "THREAD_DELETE").conversation
    channel = read(places, DISPATCHES["CHANNEL_DELETE"], "CHANNEL_DELETE").conversation
    assert (thread.channel, thread.thread) == (CHANNEL, THREAD)
    assert (channel.channel, channel.thread) == (CHANNEL, "")


def test_ids_tell_the_time():
    assert moment("175928847299117063") == 1462015105.796  # the example of Discord's documentation
    assert moment(str(earliest(NOW))) == NOW


@pytest.mark.parametrize("name", sorted(DISPATCHES))
def test_every_dispatch_of_discord_is_understood_or_ignored(places, name):
    event = read(places, DISPATCHES[name], name)
    assert (event is not None) <= (name in READERS)
    if event is not None:
        assert from_plain(to_plain(event)) == event
    if name in LEARNED:
        places.learn(name, DISPATCHES[name])


def test_the_table_of_dispatches_is_broad():
    assert len(DISPATCHES) >= 70
    assert set(DISPATCHES) >= {*READERS, *LEARNED}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("9" * 400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(data=st.data())
def test_no_shape_makes_it_raise(data):
    name = data.draw(st.sampled_from(sorted(READERS)))
    payload = dict(DISPATCHES[name])
    for field in data.draw(st.lists(st.sampled_from(sorted(payload)), max_size=4)):
        payload[field] = data.draw(json_values)
    for field in data.draw(st.lists(st.sampled_from(sorted(payload)), max_size=2)):
        payload.pop(field, None)
    event_from(name, payload, Places(me=ME), NOW)
