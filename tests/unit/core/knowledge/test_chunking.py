"""Cutting documents into passages: by structure first, and without losing a word."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.knowledge.chunking import MOST, chunked, tokens

LONG = " ".join(f"Sentence number {n} says something." for n in range(120))


def cut(text, kind="text/markdown"):
    return [(chunk.path, chunk.text) for chunk in chunked(text, kind)]


def words_in(text):
    return set(re.findall(r"\w+", text))


def words_of(chunks):
    return words_in(" ".join(" ".join([*chunk.path, chunk.text]) for chunk in chunks))


def test_a_passage_knows_the_headings_above_it():
    text = "Hello.\n\n# Shop\nAbout.\n\n## Returns\nBring it.\n\n### Sale\nNo.\n\n## Hours\nTen."

    assert cut(text) == [
        ((), "Hello."),
        (("Shop",), "About."),
        (("Shop", "Returns"), "Bring it."),
        (("Shop", "Returns", "Sale"), "No."),
        (("Shop", "Hours"), "Ten."),
    ]


def test_an_underlined_heading_is_one_and_a_rule_is_none():
    assert cut("Shop\n====\nHi.\n\nHours\n-----\nTen o'clock sharp.\n\n---\n\nBye.") == [
        (("Shop",), "Hi."),
        (("Shop", "Hours"), "Ten o'clock sharp.\n\n---\n\nBye."),
    ]


def test_a_question_and_its_answer_stay_one():
    answer = "\n\n".join(["Yes, within 14 days."] * 20)

    assert cut(f"# FAQ\n## May I return it?\n{answer}") == [(("FAQ", "May I return it?"), answer)]


def test_what_is_too_long_is_cut_between_sentences():
    chunks = chunked(f"# A\n{LONG}", "text/markdown")

    assert len(chunks) > 3
    assert all(chunk.text.endswith("something.") and chunk.path == ("A",) for chunk in chunks)
    assert all(chunk.tokens == tokens(chunk.text) <= MOST for chunk in chunks)


def test_code_is_not_cut_when_it_fits_and_hides_its_headings():
    code = "```python\n# no heading\n\n" + "\n".join(f"x{n} = {n}" for n in range(30)) + "\n```"
    before = " ".join(["word"] * 150)

    assert cut(f"# A\n{before}\n\n{code}") == [(("A",), before), (("A",), code)]


def test_code_that_is_too_long_is_code_in_every_part():
    code = "```c++\n" + "\n".join(f"print({n})  # {n}" for n in range(200)) + "\n```"

    parts = [text for _, text in cut(code)]

    assert len(parts) > 2
    assert all(p.startswith("```c++\n") and p.endswith("\n```") for p in parts)


def test_a_table_that_is_too_long_has_its_head_in_every_part():
    rows = "\n".join(f"| dress {n} | {n} EUR |" for n in range(100))

    parts = [text for _, text in cut(f"| item | price |\n|---|---|\n{rows}")]

    assert len(parts) > 2
    assert all(part.startswith("| item | price |\n|---|---|\n| dress") for part in parts)


def test_tiny_sections_stand_side_by_side_but_questions_do_not():
    days = "# Hours\n## Saturday\n10 to 14\n## Sunday\nclosed\n## Monday\n10 to 18"
    questions = "# FAQ\n## Cash?\nYes.\n## Cards?\nYes."

    assert cut(days) == [
        (("Hours",), "**Saturday**: 10 to 14\n**Sunday**: closed\n**Monday**: 10 to 18")
    ]
    assert [path for path, _ in cut(questions)] == [("FAQ", "Cash?"), ("FAQ", "Cards?")]


def test_a_heading_with_nothing_below_it_can_be_found():
    assert cut("# A\n## B\n# C\nText of C.") == [(("A", "B"), "B"), (("C",), "Text of C.")]


def test_each_row_of_a_table_stands_by_itself():
    text = 'size;price;note\n38;79;"red; or\nblue"\n\n40;;\n;;\n42;81;x;extra'

    assert cut(text, "text/csv") == [
        ((), "size: 38; price: 79; note: red; or\nblue"),
        ((), "size: 40"),
        ((), "size: 42; price: 81; note: x; extra"),
    ]


@pytest.mark.parametrize("text", ["", " \n\n", "\ufeff", "---\ntitle: x\n---\n"])
def test_nothing_makes_no_passages(text):
    assert cut(text.strip("\ufeff")) == []
    assert cut(text, "text/csv") == [] or text.startswith("---")


def test_a_text_without_spaces_is_cut_too():
    chunks = chunked("漢" * 1000 + "\n" + "a" * 20_000, "text/plain")

    assert all(chunk.tokens <= MOST for chunk in chunks)
    assert sum(chunk.text.count("漢") for chunk in chunks) == 1000
    assert sum(chunk.text.count("a") for chunk in chunks) == 20_000


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "",
                "# A b",
                "## C?",
                "### D",
                "```",
                "~~~ py",
                "| a | b |",
                "|--|--|",
                "- item",
                "===",
                "---",
                LONG,
                "#",
                "    code",
            ]
        ),
        st.text(max_size=40),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(LINES)
def test_every_word_is_somewhere_and_nothing_is_too_long(lines):
    text = "\n".join(lines)
    chunks = chunked(text, "text/plain")

    assert words_in(text) <= words_of(chunks)
    assert all(chunk.text.strip() for chunk in chunks)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet='ab,;"\n| x1', max_size=200))
def test_every_word_of_a_table_is_somewhere(text):
    body = text.partition("\n")[2]

    assert words_in(body) <= words_of(chunked(text, "text/csv")) or '"' in text


HOSTILE = {
    "a heading of spaces": "# a" + " " * 3_000 + "b",
    "front matter of spaces": "---\n" + " " * 100_000 + "b",
    "a heading of marks": "# a " + "#" * 50_000 + "b",
    "a table below a huge head": "| " + "word " * 5_000 + "|\n|---|\n" + "| a row of words |\n" * 3_000,
    "code below a huge first line": "``` " + "word " * 5_000 + "\n" + "some words\n" * 3_000 + "```",
    "code below a huge fence": "`" * 30_000 + "\n" + "some words\n" * 3_000,
    "a table with a huge column": "word " * 5_000 + "\n" + "some words\n" * 3_000,
}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE.values(), ids=[*HOSTILE])
def test_what_was_written_to_do_harm_is_neither_slow_nor_large(text):
    began = time.process_time()
    kind = "text/csv" if text.startswith("word") else "text/markdown"
    chunks = chunked(text, kind)

    assert sum(len(chunk.text) for chunk in chunks) < 3 * len(text)
    assert words_in(text) <= words_of(chunks)
    assert time.process_time() - began < 2


def test_a_mark_at_the_end_of_a_word_belongs_to_it():
    assert cut("# C#\nA language.\n\n## F# ##\nAnother one.") == [
        (("C#",), "A language."),
        (("C#", "F#"), "Another one."),
    ]


def test_rows_before_a_quote_that_never_ends_are_there_once():
    text = 'size,price\n38,79\n40,81\n42,"' + "and so on\n" * 20_000

    rows = [text for _, text in cut(text, "text/csv")]

    assert rows[:2] == ["size: 38; price: 79", "size: 40; price: 81"]
    assert rows[2] == '42,"and so on'
    assert not any("38" in row or "81" in row for row in rows[2:])
