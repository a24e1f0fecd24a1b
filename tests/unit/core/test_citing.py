"""Numbers of passages in an answer, however it is cut into pieces while it is streamed."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.citing import Citing, source_of, uncited
from bot.core.prose import LONGEST
from bot.domain.knowledge import Passage

CITATIONS = ["[1]", "[2]", "[4]", " [3]", "[9]", "[0]", "[1, 2]", "[3,1]", "[9, 4]", "[9, 8]"]
WORDS = ["so", " ", "  ", "\t", "\n", "1", ", ", "(", ")", "[1](", "é", "。", "[x]", "[12345]"]
CODE = ["`", "``", "```", "```\n", "\n```", "\n~~~\n", "\n\n"]
BRACKETS = ["[", "]", "[9]", "[2]", "[9, 8]", "1", "2", ", ", ",", " ", "\t", "("]
SHOWN = re.compile(r"\[(\d{1,2})\](?!\()")

answers = st.lists(st.sampled_from(CITATIONS + WORDS), max_size=30).map("".join)
anything = st.lists(st.sampled_from([*CITATIONS, *WORDS, *CODE, "[", "]", ","]), max_size=30)


def passages(count=5, **changes):
    values = {"document": 1, "path": (), "text": "words", "source": "", **changes}
    return tuple(
        Passage(**{"id": n, "title": f"Passage {n}", **values}) for n in range(1, count + 1)
    )


def said(citing, pieces):
    """Return what is shown of an answer in pieces."""
    return "".join(map(citing.feed, pieces)) + citing.close()


def cut(text, places):
    """Cut a text at some places."""
    marks = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[begin:end] for begin, end in pairwise(marks)]


@given(anything.map("".join), st.lists(st.integers(0, 1000), max_size=12))
def test_the_pieces_make_no_difference(text, places):
    whole, pieced, single = Citing(passages()), Citing(passages()), Citing(passages())
    shown = said(whole, [text])
    assert said(pieced, cut(text, places)) == shown
    assert said(single, text) == shown
    assert pieced.used == single.used == whole.used


@given(answers)
def test_numbers_count_from_one_in_order_of_use_and_all_are_listed(text):
    citing = Citing(passages())
    first_uses = list(dict.fromkeys(SHOWN.findall(said(citing, [text]))))
    numbers = [str(number) for number in range(1, len(citing.used) + 1)]
    assert first_uses == numbers
    assert SHOWN.findall(citing.below()) == numbers


@given(answers)
def test_a_number_stands_for_the_passage_that_the_model_meant(text):
    citing = Citing(passages())
    shown = said(citing, [text])
    meant = [int(place) for found in re.finditer(r"\[([\d, ]+)\](?!\()", text)
             for place in found[1].split(",") if 0 < int(place) < 6]  # fmt: skip
    assert [citing.used[int(number) - 1].id for number in SHOWN.findall(shown)] == meant


@given(answers)
def test_nothing_but_numbers_changes(text):
    number, blanks = re.compile(r"\[\d{1,2}(?:, ?\d{1,2})*\](?!\()"), re.compile(r"[ \t]")
    shown = number.sub("", said(Citing(passages()), [text]))
    assert blanks.sub("", shown) == blanks.sub("", number.sub("", text))
    known = re.sub(r"\b[089]\b", "5", text)  # no number is left out with the blank before it
    assert number.sub("", said(Citing(passages()), [known])) == number.sub("", known)


@given(st.lists(st.sampled_from(BRACKETS), max_size=20).map("".join))
def test_brackets_within_brackets_never_read_like_another_number(text):
    citing = Citing(passages())
    shown = said(citing, [text])
    assert list(dict.fromkeys(SHOWN.findall(shown))) == SHOWN.findall(citing.below())
    assert not re.search(r"\[\d{1,2}(?:, ?\d{1,2})+\](?!\()", shown)


@given(answers, answers.filter(str.strip), answers, st.lists(st.integers(0, 1000), max_size=8))
def test_code_is_shown_as_it_is(before, code, after, places):
    line = code.replace("\n", " ")
    blocks = [f"\n{mark}\n{code}\n{mark}\n" for mark in ("```", "````", "~~~", "  ```")]
    for inside in (f"`{line}`", f"``{line}``", f"```{line}```", f"``{line}`{line}``", *blocks):
        shown = said(Citing(passages()), cut(f"{before}{inside}{after}", places))
        assert shown == said(Citing(passages()), [f"{before}§{after}"]).replace("§", inside)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Press the ` key [3].\n\nMore [1].", "Press the ` key [1].\n\nMore [2]."),
        ("Press ` [3]\nor ` [1]", "Press ` [1]\nor ` [2]"),
        ("` [3] `` [1]", "` [1] `` [2]"),
        ("a ``` [3]\n\n[1]", "a ``` [1]\n\n[2]"),
        ("``` a `b` [3]\n[1]", "``` a `b` [1]\n[2]"),
        ("    ```\n[3]", "    ```\n[1]"),
        ("~~ [3] ~~~ [1]", "~~ [1] ~~~ [2]"),
        ("[3] ` " + "x" * 3000 + "` [2]", "[1] ` " + "x" * 3000 + "` [2]"),
    ],
)
def test_backticks_without_a_partner_are_mere_signs(text, shown):
    assert said(Citing(passages()), [text]) == said(Citing(passages()), text) == shown


@pytest.mark.parametrize(
    "code",
    ["```\n[3]", "~~~\n```\n[3]", "````\n```\n[3]", "```\n~~~\n[3]", "```\n``` x\n[3]",
     "```\n    ```\n[3]", "``` [3]\n`[3]`"],
)  # fmt: skip
def test_a_block_that_nothing_closes_goes_on_to_the_end(code):
    assert said(Citing(passages()), [code]) == said(Citing(passages()), code) == code


@pytest.mark.parametrize("sign", ["`", "\n", "~", "[", " ", "`x", "`` `", "\n ```", "[1", "1, "])
def test_what_waits_is_bounded(sign):
    citing, shown = Citing(passages()), 0
    for count in range(1, 3000):
        shown += len(citing.feed(sign * 3))
        assert count * len(sign) * 3 - shown <= 2 * LONGEST


@given(anything.map("".join))
def test_without_passages_nothing_changes_and_nothing_is_held_back(text):
    citing = Citing(())
    assert [citing.feed(sign) for sign in text] == [*text]
    assert (citing.close(), citing.below()) == ("", "")


@pytest.mark.parametrize(
    ("said", "held"),
    [("so ", " "), ("so [", " ["), ("so [1, ", " [1, "), ("so [1]", " [1]"), ("a`", "`"),
     ("so [x", ""), ("so [1](", ""), ("so. ", " ")],
)  # fmt: skip
def test_only_what_may_become_a_number_or_code_waits(said, held):
    assert Citing(passages()).feed(said) == said.removesuffix(held)


@pytest.mark.parametrize(
    ("about", "shown"),
    [
        ({"title": "T"}, "T"),
        ({"title": "T", "path": ("A", "B")}, "T › A › B"),
        ({"title": "A", "path": ("A", "B")}, "A › B"),
        ({"title": "T", "source": "t.md"}, "T (t.md)"),
        ({"title": "T", "source": "T"}, "T"),
        ({"title": "Ask https://evil.example/?d=1 now", "source": "t.md"},
         "Ask `https://evil.example/?d=1` now (t.md)"),
        ({"title": "T", "source": "www.evil.example"}, "T (`www.evil.example`)"),
        ({"title": "T", "source": "t.md", "link": "https://a.example/x"}, "[T](https://a.example/x)"),
        ({"title": "T", "link": "https://a.example/a b(c)>"}, "[T](https://a.example/a%20b%28c%29%3E)"),
    ],
)  # fmt: skip
def test_a_source_is_named_by_its_headings_and_its_file_or_address(about, shown):
    (passage,) = passages(1, **about)
    assert source_of(passage) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[1, 2, 3, 4, 5]", "[1][2][3][4][5]"),
        ("[[3]]", "[[1]]"),
        ("[[9]]", "[…]"),
        ("[[9]1]", "[…1]"),
        ("so [1[9], 2]", "so [1…, 2]"),
        ("[see [3] and [9]]", "[see [1] and]"),
    ],
)
def test_rare_forms_are_the_same_whole_and_sign_by_sign(text, shown):
    assert said(Citing(passages()), [text]) == said(Citing(passages()), text) == shown


@given(anything.map("".join))
@example("[1]```\n```\n[2]")
def test_an_answer_is_remembered_without_the_numbers_that_people_see(text):
    bare = uncited(said(Citing(passages()), [text]))
    citing = Citing(passages())
    assert said(citing, [bare]) == bare
    assert not citing.used


def test_code_is_remembered_with_its_numbers():
    assert uncited("See [1][2]: `x[1]`\n```\ny[2]\n```\nor [3].") == (
        "See: `x[1]`\n```\ny[2]\n```\nor."
    )
