"""Who may be quoted what, where: the whole table of one collection."""

import pytest

from bot.domain.knowledge import CollectionSettings, Passage, readable
from bot.domain.permissions import ROLES, Principal

HERE, ELSEWHERE = ("fake", "fake:T", "fake:T:C"), ("fake", "fake:T", "fake:T:D")
NAMES = ("fake:T:ann", "fake:T:@crew")


def may(readers=(), places=(), *, role="member", where=HERE, private=True, names=NAMES):
    settings = CollectionSettings(readers=readers, places=places)
    principal = Principal(name=names[0], role=role)
    return readable(settings, principal, names=names, places=where, private=private)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("private", [True, False])
def test_what_is_open_is_for_everybody_but_the_blocked(role, private):
    assert may(role=role, private=private) is (role != "blocked")


@pytest.mark.parametrize("needed", ROLES[1:])
@pytest.mark.parametrize("role", ROLES)
def test_a_role_reads_what_is_for_it_and_below(role, needed):
    allowed = role != "blocked" and ROLES.index(role) >= ROLES.index(needed)
    assert may([needed], role=role) is allowed
    assert not may([needed], role=role, private=False)
    assert may([needed], ["fake:T:C"], role=role, private=False) is allowed


@pytest.mark.parametrize("reader", NAMES)
def test_a_person_and_a_role_of_a_platform_are_named(reader):
    assert may([reader])
    assert not may([reader], names=("fake:T:bob", "fake:U:@crew"))
    assert not may([reader], role="blocked")
    assert not may([reader], private=False)


def test_no_role_is_a_name_and_no_name_a_role():
    assert not may(["@crew"])
    assert not may(["ann"])
    assert not may(["nobody"])


@pytest.mark.parametrize(
    ("places", "allowed"),
    [(["fake:T:C"], True), (["fake:T"], True), (["fake:T:D"], False), (["fake:T:D", "fake"], True)],
)
def test_in_a_group_only_what_is_meant_for_it_is_quoted(places, allowed):
    assert may(places=places, private=False) is allowed
    assert may(places=places)  # in a direct message nobody else reads along


def test_a_place_does_not_make_a_reader():
    assert not may(["admin"], ["fake:T:C"], private=False)
    assert not may(["admin"], ["fake:T:C"])
    assert not may([NAMES[0]], ["fake:T:C"], private=False, where=ELSEWHERE)


def test_a_passage_is_named_by_its_headings_and_never_shows_its_text_in_logs():
    passage = Passage(id=1, document=1, title="T", path=("A", "B"), text="SECRET", source="t.md")
    assert passage.name == "A › B"
    assert Passage(id=1, document=1, title="T", path=(), text="", source="").name == "T"
    assert "SECRET" not in repr(passage)
