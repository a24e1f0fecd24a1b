"""The Markdown reader: what models write is understood, and nothing they said is lost."""

import gc
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.kit.markdown import (
    Bold,
    Code,
    CodeBlock,
    Heading,
    Item,
    List,
    Paragraph,
    Quote,
    Rule,
    Table,
    Words,
    grid,
    has_markup,
    parse,
    plain,
)


def words(text: str) -> tuple[Words]:
    return (Words(text),)


def paragraph(text: str) -> Paragraph:
    return Paragraph(words(text))


def item(text: str, number: int | None = None) -> Item:
    return Item((paragraph(text),), number)


def test_blocks_in_their_order():
    text = """# Title #
First line,
second line.

## Two **words**
***
> quoted
> - in there

```py title="x"
def f():
\treturn 1

```
Text
- item
---
Text
1. one
"""
    assert parse(text) == (
        Heading(1, words("Title")),
        paragraph("First line,\nsecond line."),
        Heading(2, (Words("Two "), Bold(words("words")))),
        Rule(),
        Quote((paragraph("quoted"), List((item("in there"),)))),
        CodeBlock("def f():\n\treturn 1\n", 'py title="x"'),
        paragraph("Text"),
        List((item("item"),)),
        Rule(),
        paragraph("Text"),
        List((item("one", 1),)),
    )


@pytest.mark.parametrize("text", ["---", "***", "* * *", "- - -", "__________"])
def test_a_rule_is_no_list(text):
    assert parse(text) == (Rule(),)


def test_the_language_of_a_code_block_is_its_first_word():
    assert [CodeBlock("", info).language for info in ("py title=x", "", " ")] == ["py", "", ""]


def test_an_open_fence_ends_with_the_text():
    assert parse("```\na\n") == (CodeBlock("a"),)
    assert parse("```") == (CodeBlock(""),)


def test_code_is_left_alone():
    text = "~~~\n**a** `b` <c> &d; \\*\n  # e\n```\n~~~"
    assert parse(text) == (CodeBlock("**a** `b` <c> &d; \\*\n  # e\n```"),)


def test_lists_nest_with_two_columns_and_hold_blocks():
    text = """1. one
  - inner
    - innermost
  - second

    with a paragraph
2. two
   ```sh
   ls
     -l
   ```
- bullets
* go on

+ and on
after"""
    inner = List(
        (
            Item((paragraph("inner"), List((item("innermost"),)))),
            Item((paragraph("second"), paragraph("with a paragraph"))),
        )
    )
    assert parse(text) == (
        List(
            (
                Item((paragraph("one"), inner), 1),
                Item((paragraph("two"), CodeBlock("ls\n  -l", "sh")), 2),
            )
        ),
        List((item("bullets"), item("go on"), item("and on"))),
        paragraph("after"),
    )


def test_code_in_an_item_may_be_indented_less_than_its_fence():
    text = "- run\n  ```sh\nls\n  ```\n- next"
    (block,) = parse(text)
    assert block == List((Item((paragraph("run"), CodeBlock("ls", "sh"))), item("next")))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1. a\n1. b\n1. c", [1, 2, 3]),
        ("3) a\n5) b\n4) c", [3, 5, 6]),
        ("1986. A great year.", [1986]),
    ],
)
def test_numbers_are_kept_unless_they_repeat(text, numbers):
    (block,) = parse(text)
    assert isinstance(block, List)
    assert block.ordered
    assert [entry.mark for entry in block.items] == [f"{number}." for number in numbers]


def test_a_number_in_the_middle_of_a_paragraph_begins_no_list():
    assert parse("In the year\n1986. we won\n-\n") == (paragraph("In the year\n1986. we won\n-"),)


def test_a_table_has_equally_long_rows():
    text = "Text\n| a | **b** |\n|:-:|--:|\n| 1 | `x\\|y` | 3 |\n2 |\n\nafter"
    table = Table(
        head=(words("a"), (Bold(words("b")),), ()),
        rows=((words("1"), (Code("x|y"),), words("3")), (words("2"), (), ())),
        aligns=("center", "right", "left"),
    )
    assert parse(text) == (paragraph("Text"), table, paragraph("after"))


def test_a_grid_is_aligned_by_what_a_monospaced_font_shows():
    (table,) = parse("| name | n |\n|---|--:|\n| **日本** | 1 |\n| e\u0301 | 10 |\n| x |\n")
    assert isinstance(table, Table)
    assert grid(table).split("\n") == [
        "name |  n",
        "-----+---",
        "日本 |  1",
        "e\u0301    | 10",
        "x    |",
    ]


def test_plain_text_keeps_what_helps_to_read():
    text = (
        "# Title\nA **bold** [link](https://x.org) and [https://y.org](https://y.org).\n\n"
        "1. one\n   - two\n     ```py\n     x\n     ```\n\n> quoted\n>\n> twice\n\n---\n- [ ] to do"
    )
    assert plain(parse(text)) == (
        "Title\n\nA bold link (https://x.org) and https://y.org.\n\n"
        "1. one\n   • two\n     ```py\n     x\n     ```\n\n> quoted\n>\n> twice\n\n---\n\n• [ ] to do"
    )


SNIPPETS = st.sampled_from(
    [
        "word", " ", "  ", "\n", "\n\n", "*", "**", "***", "_", "__", "~~", "`", "``", "```", "~~~", "[", "]",
        "](", ")", "(", "![", "<", ">", "https://x.org/a_b", "> ", "- ", "1. ", "# ", "|", "|-|", "\n|---|:-:|\n",
        "\\", "\\*", "\t", "    ", "é", "日本", "😀", "a", "b", "\r\n", "---", '"', "&", "\u2028", "\x00",
    ]
)  # fmt: skip
TEXTS = st.lists(SNIPPETS, max_size=40).map("".join) | st.text(max_size=200)


def letters(text: str) -> str:
    """What must survive, in its order; numbers of lists may change."""
    return "".join(re.findall(r"[^\W\d_]", text))


@given(TEXTS)
@example("[a](b 'title')")
@example("```py title\n")
def test_no_letter_is_lost_and_none_is_added(text):
    assert sorted(letters(plain(parse(text)))) == sorted(letters(text))


@given(TEXTS)
def test_a_text_without_markup_means_itself(text):
    if not has_markup(text):
        assert all(isinstance(b, Paragraph) and len(b.inside) == 1 for b in parse(text))
        assert plain(parse(text)).split() == text.split()


@pytest.mark.parametrize(
    "text",
    [
        "*a*", "_a_", "~~a~~", "`a`", "[a](b)", "a|b\n-|-", "# a", "> a", "- a", "+ a", "1. a", "1) a",
        "a\n---\nb", "<https://x.org>", r"\*", "a\n  - b", "```\na",
    ],
)  # fmt: skip
def test_markup_is_noticed(text):
    assert has_markup(text)


@pytest.mark.parametrize(
    "text", ["Hello, world!", "a - b", "5 > 3", "#1", "1.5", "a+b", "https://x.org/"]
)
def test_ordinary_text_has_no_markup(text):
    assert not has_markup(text)


def seconds(text: str) -> float:
    """CPU time for reading and rendering a text, whatever else is in memory."""
    gc.collect()
    gc.disable()
    try:
        began = time.process_time()
        plain(parse(text))
        return time.process_time() - began
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "piece",
    [
        "*", "[", "* ", "a *", "_a ", "[a](", "](", "` `` ", "> ", "- ", "|", "**a** ", "**a _b ~~c [d ",
        "<https://a ", "![", "\\*", "    ```\n", "- a\n", "a|b\n-|-\n", "\n", " ", "[a](b \"", "**a ~~b** c~~ ",
    ],
)  # fmt: skip
def test_any_repetition_is_read_in_linear_time(piece):
    assert seconds("x" + piece * 10_000) < 2.0, "a quadratic reader needs a minute"


@pytest.mark.parametrize("mark", ["*", "["])
def test_ten_thousand_marks_take_no_time(mark):
    assert min(seconds(mark * 10_000) for _ in range(3)) < 0.05


def test_nesting_has_an_end():
    for piece in ("> ", "- ", "1. "):
        assert letters(plain(parse(piece * 5000 + "deep"))) == "deep"
    nested = "".join("  " * depth + f"- level{depth}\n" for depth in range(200))
    assert plain(parse(nested)).count("level") == 200
