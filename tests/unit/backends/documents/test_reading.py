"""Documents become entries that can be quoted and cited."""

import re

import pytest

from bot.backends.documents.reading import BUNDLED, PASSAGE_SIZE, read, sections, synonyms
from bot.domain.errors import ConfigError


def read_text(text: str) -> list[tuple[str, str]]:
    return [(entry.name, entry.body) for entry in sections(text, "shop/my-notes.md")]


def test_each_heading_begins_an_entry_that_knows_the_headings_above():
    text = "# Shop\nIntro.\n\n## Returns\n### Sale\nNo.\n## Hours ##\nTen.\n# Other\nX.\n"
    assert read_text(text) == [
        ("Shop", "Intro."),
        ("Shop › Returns › Sale", "No."),
        ("Shop › Hours", "Ten."),
        ("Other", "X."),
    ]


def test_text_without_a_heading_is_named_after_its_file():
    assert read_text("Only words.") == [("my notes", "Only words.")]


def test_what_only_looks_like_a_heading_stays_text():
    text = "# A\n\n```sh\n# comment\n\nls\n```\n\n#hashtag\n"
    assert read_text(text) == [("A", "```sh\n# comment\n\nls\n```\n\n#hashtag")]


def test_front_matter_and_foreign_line_ends_are_no_text():
    assert read_text("---\ntitle: x\n---\n# A\r\nb\r\n") == [("A", "b")]


def test_a_long_section_is_cut_between_paragraphs():
    paragraphs = [f"{number} " + "word " * 80 for number in range(9)]
    entries = read_text("# A\n" + "\n\n".join(paragraphs))
    assert {name for name, _ in entries} == {"A"}
    assert all(len(body) <= PASSAGE_SIZE for _, body in entries)
    assert "\n\n".join(body for _, body in entries) == "\n\n".join(paragraphs)


def test_a_folder_is_read_with_the_folders_below(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "two.md").write_text("\ufeff# Two\n2", encoding="utf-8")
    (tmp_path / "one.md").write_bytes(b"# One\n\xff1")
    (tmp_path / "notes.txt").write_text("# No\nno")
    assert [(entry.title, entry.file) for entry in read(tmp_path)] == [
        ("Two", "b/two.md"),
        ("One", "one.md"),
    ]


def test_a_single_file_is_enough(tmp_path):
    (tmp_path / "one.md").write_text("# One\n1")
    assert [(entry.title, entry.file) for entry in read(tmp_path / "one.md")] == [("One", "one.md")]


def test_a_folder_without_text_is_an_operators_problem(tmp_path):
    (tmp_path / "empty.md").write_text("# Only a heading\n")
    with pytest.raises(ConfigError, match="documents: no Markdown text"):
        read(tmp_path)


def test_synonyms_are_optional_and_may_have_remarks(tmp_path):
    assert synonyms(tmp_path) == []
    (tmp_path / "synonyms.txt").write_text("# remark\nshop, store\n\n")
    assert synonyms(tmp_path) == ["shop, store"]


def test_the_bundled_handbook_is_whole_and_names_nobody_real():
    entries = read(BUNDLED)
    text = "\n".join(entry.body for entry in entries)
    assert len(entries) >= 45
    assert len({entry.name for entry in entries}) == len(entries)
    assert all(domain.endswith("example.com") for domain in re.findall(r"@(\S+\w)", text))
    assert not re.search(r"https?://|\+\d{2}|\d{3}[ -/]\d{4}", text)
