"""What the guard learned from is kept apart from what it is measured with."""

import hashlib
import zipfile

import pytest

from bot.training.guards.sources import harmless, inside

QUARTERS = ("injection", "everyday", "tuning", "measuring")


def test_the_same_messages_are_drawn_each_time():
    assert harmless("measuring", 50) == harmless("measuring", 50)


def test_no_conversation_is_in_two_quarters():
    drawn = [{text for text in harmless(quarter, 2_000) if len(text) > 60} for quarter in QUARTERS]

    assert all(drawn)
    assert len(set.union(*drawn)) == sum(map(len, drawn))


def test_only_the_wheel_that_is_known_is_read(tmp_path):
    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("a.txt", "text")
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()

    assert inside(wheel, sha256, "a.txt") == b"text"
    with pytest.raises(ValueError, match=r"a\.whl: is not the file"):
        inside(wheel, "0" * 64, "a.txt")
