"""The Python FAQ is read whole, and the labelled questions point at what it answers."""

import pytest

from tests.evaluation import faq

PAGE = """<section id="top"><h1>Part</h1><section id="why"><h2>Why?<a class="headerlink">¶</a></h2>
<p>Because of <code>x</code>.</p></section></section>"""


def test_a_page_gives_its_innermost_sections_with_plain_text():
    assert faq.page("part", PAGE) == [faq.Entry("part#why", "part", "Why?", "Because of x.")]


def test_a_heading_without_an_answer_is_no_question():
    bare = PAGE.replace("<p>Because of <code>x</code>.</p>", "")
    assert faq.page("part", PAGE)
    assert faq.page("part", bare) == []


def test_a_missing_package_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="make"):
        faq.package(tmp_path)


def test_the_pages_for_a_knowledge_base_lead_back_to_the_ids(tmp_path):
    found = faq.page("part", PAGE)
    assert faq.write(found, tmp_path) == {("part.html", "Why?"): "part#why"}
    [again] = faq.page("part", PAGE)
    assert f"<h2>{again.question}</h2>" in (tmp_path / "part.html").read_text()


def test_word_search_is_measured_by_the_place_of_the_right_answer():
    found = [
        faq.Entry("a#1", "a", "Copying lists", "Slices copy."),
        faq.Entry("a#2", "a", "Sending mail", "Use smtplib."),
    ]
    assert faq.baseline(found, [({"a#2"}, "send a mail"), ({"a#1"}, "xyzzy")]) == (0.5, 0.5)


SETS = [path for path in sorted(faq.HERE.glob("*.tsv")) if path.stem.startswith(("quest", "unans"))]


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_no_question_is_asked_twice_and_each_has_a_label(path):
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    assert len({row[-1] for row in rows}) == len(rows) >= 30
    assert len({len(row) for row in rows}) == 1
    assert all(cell.strip() for row in rows for cell in row)


def test_what_was_chosen_and_what_is_measured_share_no_question():
    asked = {
        path.stem: {line.split("\t")[-1] for line in path.read_text(encoding="utf-8").splitlines()}
        for path in SETS
    }
    for unseen in ("questions_unseen", "unanswerable_unseen"):
        others = set().union(*(rows for name, rows in asked.items() if name != unseen))
        assert not asked[unseen] & others
