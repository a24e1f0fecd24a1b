"""What holds where: channels inherit, changes in chat win, memory never crosses its scope."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.policies import Policies, ancestry, memory_key
from bot.domain.conversation import Conversation, Person
from bot.domain.policy import MemoryPolicy, Policy


class Changes:
    """Settings in a dict."""

    def __init__(self, moved=()):
        self.rows, self.moved = {}, dict(moved)

    async def overrides(self):
        return self.rows

    async def joined(self):
        return frozenset()

    async def moves(self):
        return self.moved

    async def override(self, lane, name, value):
        self.rows.setdefault(lane, {})[name] = value


def policies(**channels):
    changes = Changes()
    return Policies(
        default=Policy(model="small", system_prompt="be kind"),
        channels=channels, personas={"default": "be kind", "pirate": "arr"}, settings=changes,
        places=changes, models=("small", "a", "b", "c"),
    )  # fmt: skip


THREAD = Conversation(platform="slack", workspace="T1", channel="C1", thread="17.2")


def test_a_thread_inherits_from_channel_workspace_and_platform():
    channels = {
        "slack": {"model": "a", "memory": {"max_tokens": 100}},
        "slack:T1": {"memory": {"kind": "window"}},
        "slack:T1:C1": {"persona": "pirate", "model": "b"},
    }
    found = policies(**channels).resolve(THREAD)
    assert (found.model, found.persona, found.system_prompt) == ("b", "pirate", "arr")
    assert found.memory == MemoryPolicy(max_tokens=100, kind="window")
    elsewhere = Conversation(platform="slack", workspace="T2", channel="C1")
    assert policies(**channels).resolve(elsewhere).model == "a"


async def test_a_change_in_chat_wins_over_the_file_and_reaches_threads():
    found = policies(**{"slack:T1:C1": {"model": "b"}})
    await found.change(THREAD.parent, "model", "c")
    assert found.resolve(THREAD).model == "c"
    await found.change(THREAD.parent, "model", None)
    assert found.resolve(THREAD).model == "b"


def test_ancestry_goes_from_wide_to_narrow():
    assert ancestry(THREAD) == ("slack", "slack:T1", "slack:T1:C1", "slack:T1:C1:17.2")


parts = st.text(max_size=8)
places = st.builds(Conversation, platform=parts, workspace=parts, channel=parts, thread=parts)
people = st.builds(Person, platform=parts, workspace=parts, user=parts)


@given(places)
def test_a_conversation_survives_its_string_form(place):
    assert Conversation.parse(str(place)) == place
    assert str(place).count(":") == 3


@pytest.mark.parametrize("scope", ["thread", "channel", "person"])
@given(places, places, people, people)
def test_no_two_people_or_places_share_a_memory_that_the_scope_keeps_apart(scope, a, b, ann, bob):
    keys = [memory_key(place, str(who), scope=scope, private=False, closed=False)
            for place, who in ((a, ann), (b, bob))]  # fmt: skip
    if a.parent != b.parent or (scope == "person" and ann != bob) or (scope == "thread" and a != b):
        assert keys[0] != keys[1]


@given(places, places, people)
def test_a_direct_message_is_only_its_own_conversation(direct, other, person):
    key = memory_key(direct, str(person), scope="channel", private=True, closed=False)
    assert key == str(direct)
    if direct != other:
        theirs = memory_key(other, str(person), scope="person", private=False, closed=False)
        assert key != theirs


@pytest.mark.parametrize("scope", ["thread", "channel", "person"])
@given(places, places, people, people)
def test_a_private_thread_shares_its_memory_with_no_other_place(scope, closed, other, ann, bob):
    own = memory_key(closed, str(ann), scope=scope, private=False, closed=True)
    if closed not in (other, other.parent):  # only a thread can be a private one
        assert own != memory_key(other, str(ann), scope=scope, private=False, closed=False)
    together = own == memory_key(closed, str(bob), scope=scope, private=False, closed=True)
    assert together == (ann == bob or scope != "person")
