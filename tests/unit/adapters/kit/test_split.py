"""The splitter: nothing is lost, nothing is too long, nothing that was posted moves."""

import html
import time
import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from adapters.kit.fences import edges
from adapters.kit.split import Slice, split, utf16


def escaped(text: str) -> int:
    return len(html.escape(text))


MEASURES = (len, utf16, escaped)
FRAGMENTS = st.sampled_from(
    [
        "word ", "another word. ", "Stop! ", "x" * 50, "\n", "\n\n", "\n\n\n", "    ", "  - item\n",
        "1. one\n", "😀", "👩‍👩‍👧‍👦", "🇩🇪🇫🇷", "e\u0301", "👍🏽", "❤️", "&<>\"'", "\t", "日本語。",
        "\n```py\n", "\n```\n", "```", "\n~~~~text\n", "\n~~~~\n", "    return 1\n", "a = {1: 2}\n",
        "\n- in a list\n  ```sh\n  ls -l\n  ```\n", "\n| a | b |\n", "``", "~~", "\r\n", "# Title\n",
    ]
)  # fmt: skip
TEXTS = st.lists(FRAGMENTS, max_size=60).map("".join) | st.text(max_size=300)
LIMITS = st.integers(min_value=60, max_value=200)


def joined(text: str, slices: list[Slice]) -> str:
    return "".join(text[piece.start : piece.end] for piece in slices)


def unfenced(text: str) -> str:
    return text.replace("`", "'").replace("~", "-")


def balanced(shown: str) -> bool:
    found = list(edges(shown))
    return not found or not found[-1].opens


@given(TEXTS, LIMITS, st.sampled_from(MEASURES))
@example("a" * 50 + "\n  ```sh\n  ls\n  ```\n", 69, len)  # the cut is right behind the fence
def test_sources_joined_are_the_text_and_no_message_is_too_long(text, limit, measure):
    slices = split(text, limit, measure)
    assert joined(text, slices) == text
    assert all(measure(piece.shown) <= limit for piece in slices)


@given(TEXTS, LIMITS)
@example("a" * 60 + "\n    ", 60)
def test_only_a_blank_text_gives_a_blank_message(text, limit):
    slices = split(text, limit)
    if text.strip():
        assert all(piece.shown.strip() for piece in slices)
    else:
        assert len(slices) == bool(text)


@given(TEXTS, LIMITS)
def test_nothing_but_whitespace_and_fences_is_left_out(text, limit):
    shown = "".join(piece.shown for piece in split(text, limit))
    letters = [char for char in text if char.isalnum() or char in "{}|&"]
    rest = iter(shown)
    assert all(char in rest for char in letters)


@given(TEXTS, LIMITS)
@example("```" + "x" * 70 + "```", 60)
@example("x" * 50 + " ```word" + " and" * 20, 60)
@example("```word " + "x" * 50, 60)
@example("```word " + "x" * 50 + "\n```py\n", 60)
@example("\n```py\n1. one\n" + "x" * 50 + "```", 67)
@example("word word " + "x" * 50 + "```\n```\n", 60)
def test_fences_are_whole_in_every_message(text, limit):
    assume(all(edge.indent < 4 for edge in edges(text)))  # deeper ones need their item in sight
    assert all(balanced(piece.shown) for piece in split(text, limit))


@given(TEXTS.map(unfenced), LIMITS, st.sampled_from(MEASURES), st.integers(0, 1000))
@example("a" * 70 + "\n" * 80 + "b", 60, len, 71)
def test_growing_moves_no_boundary_of_a_full_part(text, limit, measure, stop):
    early = split(text[:stop], limit, measure)[:-1]
    assert early == split(text, limit, measure)[: len(early)]


@given(TEXTS, LIMITS, st.sampled_from(MEASURES), st.integers(1, 30))
def test_what_was_shown_live_and_the_final_parts_agree(text, limit, measure, step):
    full: list[Slice] = []
    for stop in range(step, len(text), step):
        slices = split(text[:stop], limit, measure, ends=[piece.end for piece in full])
        assert slices[: len(full)] == full
        full = slices[:-1]
    slices = split(text, limit, measure, ends=[piece.end for piece in full])
    assert slices[: len(full)] == full
    assert joined(text, slices) == text
    assert all(measure(piece.shown) <= limit for piece in slices)


@given(TEXTS, LIMITS, st.sampled_from(MEASURES), st.integers(0, 5))
@example("x" * 50 + "日本語。    word ", 60, len, 1)
def test_given_ends_are_kept_and_show_the_same(text, limit, measure, count):
    slices = split(text, limit, measure)
    ends = [piece.end for piece in slices[:count]]
    assert slices == split(text, limit, measure, ends=ends)


@given(TEXTS, st.integers(1, 40))
def test_a_foreign_limit_or_foreign_ends_lose_nothing(text, limit):
    assert joined(text, split(text, limit)) == text
    slices = split(text, 80, ends=[limit, limit, 2 * limit, 10**6])
    assert joined(text, slices) == text
    assert all(len(piece.shown) <= 80 for piece in slices if piece.end > 2 * limit)


def test_ends_stay_where_they_are_while_the_rest_is_cut_anew():
    text = "one two three four five six seven eight nine ten"
    assert [piece.end for piece in split(text, 20, ends=[5, 21])] == [5, 21, 40, 48]


def test_an_empty_text_has_no_messages():
    assert split("", 10) == []


def test_a_text_that_fits_is_measured_once():
    calls = []

    def measure(text: str) -> int:
        calls.append(text)
        return len(text)

    assert [Slice(0, 5, "hello")] == split("hello", 10, measure)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("First paragraph.\n\nSecond one.\nIts line. And more words here.", "First paragraph.\n\n"),
        ("First line, longer.\nsecond line. And more words here.", "First line, longer.\n"),
        ("A whole first sentence. And then more words.", "A whole first sentence. "),
        ("no sentence but many many words in one row", "no sentence but many many "),
        ("word word word word word words and more", "word word word word word words"),
        ("x" * 40, "x" * 30),
    ],
)
def test_a_cut_prefers_paragraph_line_sentence_space_character(text, first):
    assert first == split(text, 30)[0].shown


def test_the_space_at_a_cut_does_not_begin_the_next_message():
    assert split("word word word word word words  and more", 30)[1].shown == "and more"


def test_a_cut_before_a_fence_is_better_than_one_inside():
    text = "Some words of introduction:\n\n```py\na = 1\n\nb = 2\n```\n"
    assert split(text, 50)[0].shown == "Some words of introduction:\n\n"


def test_a_fence_is_closed_and_opened_again_with_its_language():
    text = "```python title=a.py\n" + "".join(f"    line_{n}()\n" for n in range(20)) + "```\nDone."
    first, second, *_, last = split(text, 120)
    assert first.shown.startswith("```python title=a.py\n    line_0()\n")
    assert first.shown.endswith("()\n```")
    assert second.shown.startswith("```python\n    line_")
    assert last.shown.endswith("    line_19()\n```\nDone.")


def test_long_fences_tildes_and_indentation_come_back_as_they_were():
    text = "  ~~~~ text\n" + "```\n" * 10 + "  ~~~~\n"
    first, second = split(text, 44)
    assert first.shown == "  ~~~~ text\n" + "```\n" * 6 + "  ~~~~"
    assert second.shown == "  ~~~~text\n" + "```\n" * 4 + "  ~~~~\n"


def test_a_fence_in_a_list_item_is_a_fence():
    text = "10. run\n    ```sh\n" + "    echo hello\n" * 8 + "    ```\n"
    first, second, *_ = split(text, 80)
    assert first.shown == "10. run\n    ```sh\n" + "    echo hello\n" * 3 + "    ```"
    assert second.shown == "   ```sh\n" + "    echo hello\n" * 4 + "   ```"


def test_what_looks_like_an_edge_of_a_fence_may_be_text():
    text = "```not` open\n```\n``` not closed\n        ```\n``\n- ```\n~~~\n````\n"
    assert [text[edge.start : edge.end] for edge in edges(text)] == ["```", "````"]


@pytest.mark.parametrize(
    "inside", ["a. https://evil.test/x and more", "https://evil.test/" + "x" * 30]
)
def test_inline_code_is_code_in_every_message(inside):
    for before in range(100):
        text = "x" * before + f" `{inside}` and so on, `b` for a while."
        assert all(piece.shown.count("`") % 2 == 0 for piece in split(text, 60)), before


def test_inline_code_that_is_longer_than_a_message_is_cut():
    assert [piece.shown for piece in split("`" + "x" * 70 + "`", 60)] == [
        "`" + "x" * 59,
        "x" * 11 + "`",
    ]


def test_four_columns_of_indentation_make_no_fence():
    assert list(edges("text\n\n    ```\n    quoted\n")) == []
    assert list(edges("- text\n\n          ```\n          quoted\n")) == []


def test_no_message_shows_an_empty_rest_of_a_fence():
    text = "```\n" + "x" * 30 + "\n\n" + "y" * 12 + "\n```" + "\n" * 50 + "The end."
    assert [piece.shown.rstrip() for piece in split(text, 41)] == [
        "```\n" + "x" * 30 + "\n\n```",
        "```\n" + "y" * 12 + "\n```",
        "The end.",
    ]


def test_no_message_ends_with_the_mere_begin_of_a_fence():
    text = "a" * 20 + "\n```python-or-so\n" + "x" * 100
    assert split(text, 60)[0].shown == "a" * 20 + "\n```python-or-so\n" + "x" * 19 + "\n```"


def test_a_closing_line_that_does_not_fit_is_not_repeated():
    text = "~~~\n" + "x" * 20 + "\n" + "~" * 30 + "\nThe end."
    assert [p.shown for p in split(text, 40)] == ["~~~\n" + "x" * 20 + "\n~~~", "The end."]


def test_blank_space_that_overflows_belongs_to_the_part_before():
    text = "a" * 60 + "\n" * 500 + "    indented"
    assert [(p.start, p.end) for p in split(text, 60)] == [(0, 560), (560, 572)]
    assert split(text, 60)[1].shown == "    indented"


def test_leading_blank_lines_are_not_shown():
    assert [Slice(0, 502, "hi")] == split("\n" * 500 + "hi", 60)


@pytest.mark.parametrize("cluster", ["👩‍👩‍👧‍👦", "🇩🇪", "e\u0301\u0323", "👍🏽", "❤️", "1️⃣", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"])
def test_no_visible_character_is_parted(cluster):
    for piece in split(cluster * 100, 64, utf16):
        assert set(piece.shown.split(cluster)) == {""}


def test_ten_thousand_emoji_keep_the_limit_of_telegram():
    slices = split("😀" * 10_000, 4096, utf16)
    assert [utf16(piece.shown) for piece in slices] == [4096] * 4 + [3616]


def test_text_that_measures_less_than_it_is_long_fills_its_message():
    text = "[a](https://example.org/" + "b" * 300 + ")" * 3
    assert len(split(text, 100, lambda shown: shown.count("["))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "x" * 50_000,
        "word " * 10_000,
        "\n" * 50_000 + "x",
        " " * 50_000 + "x",
        "```py\n" + "    call(1, 2, 3)\n" * 2_800 + "```",
        "    ```\n" * 6_000,
        "```\n" * 12_000,
        "🇩🇪" * 25_000,
        "\u0301" * 50_000,
    ],
)
def test_fifty_thousand_characters_are_cut_at_once(text):
    began = time.process_time()
    slices = split(text, 2000)
    assert time.process_time() - began < 0.5
    assert joined(text, slices) == text
    assert all(0 < len(piece.shown.strip()) <= len(piece.shown) <= 2000 for piece in slices)


def test_utf16_counts_as_telegram_does():
    assert [utf16(text) for text in ("abc", "é", "😀", "\ud800")] == [3, 1, 2, 1]
    assert unicodedata.name("😀") == "GRINNING FACE"
