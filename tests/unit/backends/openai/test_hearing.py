"""Answers as servers write them, however the network cuts them."""

import json
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.backends.openai.hearing import (
    LONGEST_ANSWER,
    LONGEST_LINE,
    MOST_TOKENS,
    Complaint,
    Garbled,
    Hearing,
)


def data(event) -> bytes:
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def words(content, ending=None, **more) -> bytes:
    return data({"choices": [{"delta": {"content": content}, "finish_reason": ending}], **more})


USAGE = data({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}})
DONE = b"data: [DONE]\n\n"
USUAL = words("") + words("Grüß ") + words("dich 👋") + words(None, "stop") + USAGE + DONE


def hear(*reads: bytes) -> tuple[str, Hearing]:
    hearing = Hearing()
    said = "".join(map(hearing.feed, reads))
    return said + hearing.close(), hearing


def test_a_usual_answer():
    said, hearing = hear(USUAL)
    assert said == "Grüß dich 👋"
    assert (hearing.reason, hearing.used, hearing.done) == ("complete", (5, 2), True)


def test_events_of_one_read_come_as_one_string():
    assert Hearing().feed(words("a") + words("b") + words("c")) == "abc"


@given(
    st.lists(st.integers(0, len(USUAL)), max_size=12).map(sorted), st.sampled_from([b"\n", b"\r\n"])
)
def test_cuts_and_line_ends_do_not_matter(cuts, end):
    wire = USUAL.replace(b"\n", end)
    ends = [0, *cuts, len(wire)]
    said, hearing = hear(*(wire[a:b] for a, b in pairwise(ends)))
    assert said == "Grüß dich 👋"
    assert (hearing.reason, hearing.used) == ("complete", (5, 2))


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        ("stop", "complete"),
        ("length", "length"),
        ("content_filter", "filtered"),
        ("tool_calls", "complete"),
        ("abort", "interrupted"),
        ("something new", "complete"),
        (None, None),
    ],
)
def test_reasons_of_the_end(ending, reason):
    assert hear(words("a", ending))[1].reason == reason


def test_an_end_mark_alone_completes_an_answer():
    assert hear(words("a") + DONE)[1].reason == "complete"
    assert hear(words("a", "length") + DONE)[1].reason == "length"


@pytest.mark.parametrize(
    "event",
    [
        {"choices": []},
        {"choices": None},
        {},
        None,
        "text",
        {"choices": [{"delta": {"content": None}}]},
        {"choices": [{"delta": None}]},
        {"choices": [{"index": 0}]},
        {"choices": [{"delta": {"tool_calls": [{"function": {"name": "f"}}]}}]},
        {"choices": [{"delta": {"reasoning_content": "hm"}}]},
        {"choices": [{"delta": {"content": "", "reasoning": "hm"}}]},
        {"choices": [{"delta": {"content": [{"type": "thinking", "thinking": []}]}}]},
        {"usage": {"prompt_tokens": None}},
    ],
)
def test_events_without_words_are_passed_over(event):
    said, hearing = hear(words("a") + data(event) + words("b", "stop"))
    assert said == "ab"
    assert hearing.trouble is None


def test_words_in_unusual_places_are_found():
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "b"}]
    refusal = data({"choices": [{"delta": {"content": None, "refusal": "No."}}]})
    assert hear(words("a") + words(parts) + refusal)[0] == "abNo."


def test_comments_names_and_missing_blanks_are_understood():
    wire = b": PROCESSING\n\nevent: message\nid: 7\n" + words("a").replace(b"data: ", b"data:")
    assert hear(wire)[0] == "a"


def test_thoughts_count_as_output_but_are_not_heard():
    said, hearing = hear(data({"choices": [{"delta": {"reasoning_content": "hmm"}}]}) + words("a"))
    assert said == "a"
    assert hearing.size == 4
    assert hear(words("<thi") + words("nk>no</think>") + words("\n\nyes", "stop"))[0] == "yes"


@pytest.mark.parametrize(
    "wire",
    [
        data({"error": {"message": "boom"}}),
        data({"error": "boom"}),
        data({"object": "error", "message": "boom"}),
        data({"error": {"message": "boom"}, "choices": [{"delta": {}, "finish_reason": "error"}]}),
        b'error: {"message": "boom"}\n\n',
    ],
)
def test_an_error_keeps_the_words_before_it(wire):
    said, hearing = hear(words("a") + wire + words("b"))
    assert said == "a"
    assert isinstance(hearing.trouble, Complaint)
    assert "boom" in str(hearing.trouble.said)
    assert hearing.reason is None


@pytest.mark.parametrize(
    "wire",
    [b"data: {broken\n\n", b'data: {"choices": 7}\n\n', b'data: {"choices": [7]}\n\n',
     b"x" * (LONGEST_LINE + 1), b"data: " + b"[" * 100_000 + b"\n\n",
     data({"choices": [{"delta": {"content": 7}}]}), data({"usage": {"prompt_tokens": "many"}}),
     data({"choices": [{"delta": {}, "finish_reason": {"a": 1}}]})],
    ids=lambda wire: wire[:40].decode(),
)  # fmt: skip
def test_garbage_keeps_the_words_before_it(wire):
    said, hearing = hear(words("a") + wire)
    assert said == "a"
    assert isinstance(hearing.trouble, Garbled)


def test_characters_that_nobody_can_store_are_replaced():
    assert hear(words("a\ud83d") + words("\ude00b\x00"))[0] == "a\ufffd\ufffdb\ufffd"


def test_a_model_that_cannot_stop_is_stopped():
    said, hearing = hear(*[words("x" * 9_999)] * 30)
    assert len(said) == LONGEST_ANSWER
    assert (hearing.reason, hearing.done) == ("length", True)


def test_nothing_is_read_behind_the_end_mark():
    said, _ = hear(words("a") + DONE + words("b"))
    assert said == "a"


def test_an_answer_in_one_piece():
    hearing = Hearing()
    choice = {"message": {"content": "<think>x</think>Yes."}, "finish_reason": "length"}
    event = {"choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}
    assert hearing.whole(json.dumps(event).encode()) == "Yes."
    assert (hearing.reason, hearing.used) == ("length", (3, 1))


@pytest.mark.parametrize("event", [{"error": "no"}, {"choices": []}, {"detail": "no"}, []])
def test_one_piece_without_an_answer_is_a_complaint(event):
    with pytest.raises(Complaint):
        Hearing().whole(json.dumps(event).encode())


def test_one_piece_that_is_no_json_is_garbled():
    with pytest.raises(Garbled, match="not JSON"):
        Hearing().whole(b"oops")


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["content", "text", "type"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def fields(*names, **known):
    """Return objects that have some of these fields, with whatever in them."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, ODD) | known) | ODD


TURN = fields("content", "refusal", "reasoning")
CHOICE = fields("finish_reason", delta=TURN, message=TURN)
EVENT = fields(
    "error",
    choices=st.lists(CHOICE, max_size=2) | ODD,
    usage=fields("prompt_tokens", "completion_tokens"),
)


@given(EVENT)
@settings(max_examples=500, deadline=None)
def test_whatever_the_types_are_an_answer_is_text_and_its_usage_is_sane(event):
    said, hearing = hear(words("a") + data(event))
    assert said.startswith("a")
    assert hearing.trouble is None or isinstance(hearing.trouble, Complaint | Garbled)
    assert hearing.used is None or all(0 <= count <= MOST_TOKENS for count in hearing.used)
    with suppress(Complaint, Garbled):
        assert isinstance(Hearing().whole(json.dumps(event).encode()), str)
