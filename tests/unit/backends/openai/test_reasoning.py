"""Thoughts between tags are hidden, wherever a stream cuts them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.backends.openai.reasoning import Thinking

pieces = st.lists(
    st.sampled_from(["<think>", "</think>", "<", "</", "think", ">", "a", " ", "\n", "`", "b c"]),
    max_size=14,
)


def shown(*chunks: str, complete: bool = True) -> str:
    thinking = Thinking()
    return "".join([*map(thinking.feed, chunks), thinking.close(complete=complete)])


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("plain words", "plain words"),
        ("<think>hm</think>Yes.", "Yes."),
        ("<think>hm</think>\n\n  Yes.", "Yes."),
        ("\n<think>\nhm\n</think>\n\nYes.", "Yes."),
        ("<think>a</think>\n<think>b</think>\nYes.", "Yes."),
        ("Well, <think>hm</think> yes.", "Well, yes."),
        ("<think></think>Yes.", "Yes."),
        ("1 < 2 and <thin> is no tag", "1 < 2 and <thin> is no tag"),
        ("Write `<think>` and `</think>`", "Write `<think>` and `</think>`"),
        ("ends with <thi", "ends with <thi"),
        ("  indented", "  indented"),
        ("<think>only thoughts</think>", ""),
        ("", ""),
    ],
)
def test_what_people_see(said, seen):
    assert shown(said) == seen
    assert shown(*said) == seen


def test_a_thought_without_an_end_is_never_shown():
    assert shown("<think>still at it", complete=True) == ""
    assert shown("Yes. <think>still at it", complete=False) == "Yes. "


def test_a_tag_that_a_finished_answer_only_mentions_is_shown():
    assert shown("The tag <think> opens a thought.") == "The tag <think> opens a thought."


def test_words_flow_while_no_tag_can_begin():
    thinking = Thinking()
    assert thinking.feed("Hello ") == "Hello "
    assert thinking.feed("a <") == "a "
    assert thinking.feed("b") == "<b"


@given(pieces, st.data())
def test_cuts_do_not_matter(parts, data):
    said = "".join(parts)
    cuts = data.draw(st.lists(st.integers(0, len(said)), max_size=6).map(sorted))
    ends = [0, *cuts, len(said)]
    chunks = [said[a:b] for a, b in pairwise(ends)]
    assert shown(*chunks) == shown(said)


@given(pieces)
def test_text_without_a_whole_tag_stays_as_it_is(parts):
    said = "".join(parts).replace("<think>", "")
    if "<think>" not in said:
        assert shown(said) == said
