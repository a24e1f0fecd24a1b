"""People under a keyed hash: the same one always, another one with another key."""

from bot.core.identity import Identity

ONE, OTHER = Identity(b"k" * 32), Identity(b"K" * 32)


def test_the_hash_names_one_person_of_one_installation():
    assert ONE.who("slack:T1:U1") == ONE.who("slack:T1:U1")
    assert ONE.who("slack:T1:U1") != ONE.who("slack:T1:U2")
    assert ONE.who("slack:T1:U1") != OTHER.who("slack:T1:U1")


def test_the_hash_tells_neither_the_person_nor_the_key():
    assert len(ONE.who("slack:T1:U1")) == 32
    assert "U1" not in ONE.who("slack:T1:U1")
    assert "kkk" not in repr(ONE)
