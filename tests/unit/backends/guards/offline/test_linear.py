"""The models say what the ones they were made from say, and their files are those we know."""

import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.backends.guards.offline.linear import (
    BUCKETS,
    FOLDER,
    TOXICITY,
    Injection,
    Toxicity,
    features,
    packed,
    unpacked,
)

REFERENCE = Path(__file__).with_name("reference.tsv")
TOXIC, INJECTED = Toxicity.load(), Injection.load()
ORIGINAL = Toxicity.unpack(TOXICITY.read_bytes())
FILES = {
    "toxicity.bin": "d0570fdf6d58375f4595aa59f5b6feaf2e1faeb6495e9c41bbd8e1f5c5c7fd7c",
    "everyday.txt": "86405d0cdc990f2b812e31d6e0aa6498413c56551ec9d997cbdb9bd92081f091",
    "injection.bin": "bc293e174ee7769d1b405d5064890f9dc2c7c043bcb5ddaee3c828f8ec272f4e",
}


@pytest.mark.parametrize("name", FILES)
def test_the_weights_are_those_that_the_notice_tells_of(name):
    sha256 = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()

    assert sha256 == FILES[name]
    assert sha256 in (FOLDER / "NOTICE").read_text(encoding="utf-8")


def test_the_exported_model_says_what_the_original_said():
    lines = [line.split("\t") for line in REFERENCE.read_text(encoding="utf-8").splitlines()]

    ours = [ORIGINAL.score(re.findall(r"\b\w\w+\b", text.lower())) for _, text in lines]

    assert len(lines) == 150
    assert ours == pytest.approx([float(score) for score, _ in lines], abs=1e-3)


@pytest.mark.parametrize("text", ["that sucks", "i am so dumb", "it was sick and stupid"])
def test_everyday_words_count_only_where_somebody_is_addressed(text):
    words = text.split()

    assert TOXIC.score(words) < 0.5 < ORIGINAL.score(words)
    assert TOXIC.score(["you", *words]) == ORIGINAL.score(["you", *words])


def test_a_packed_model_comes_back():
    assert Toxicity.unpack(ORIGINAL.pack()) == ORIGINAL


@given(st.lists(st.floats(width=16, allow_nan=False)))
def test_packed_numbers_come_back(numbers):
    assert list(unpacked(packed(numbers))) == numbers


@given(st.lists(st.text()))
def test_features_are_buckets(words):
    assert all(0 <= at < BUCKETS for at in features(words))


def test_the_order_of_words_counts():
    assert features(["ignore", "rules"]) != features(["rules", "ignore"])


@given(st.lists(st.text()))
def test_scores_are_probabilities(words):
    assert 0 <= TOXIC.score(words) <= 1
    assert 0 <= INJECTED.score(words) <= 1


def test_no_words_are_no_injection():
    assert INJECTED.score([]) == 0
