"""Read the official Python FAQ out of Debian's package, and measure plain word search on it.

    python -m tests.evaluation.faq --baseline

The package is read as data: it is never installed, and nothing of it runs.

The FAQ has 179 questions: all eight parts, and 162 of them without `extending` (C and C++). The
pages hold one innermost section more, "General GUI Questions", which is a heading without an
answer. A question is labelled with the answers that help by themselves, not with those that only
say where another stands.
"""

import argparse
import csv
import io
import re
import sqlite3
import tarfile
from collections import defaultdict
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from pathlib import Path

from rich.console import Console

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".corpora_cache"
QUESTIONS = HERE / "questions.tsv"
FOLDER = "/html/faq/"
EXPECTED = 179
BLOCKS = {"p", "li", "dt", "dd", "pre", "div", "tr", "h1", "h2", "h3"}


@dataclass(frozen=True)
class Entry:
    """One question of the FAQ; its id is `file#anchor`."""

    id: str
    file: str
    question: str
    answer: str


@dataclass
class Section:
    """A section while it is read; one without sections inside it is a question."""

    anchor: str
    leaf: bool = True
    heading: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)


class Reader(HTMLParser):
    """Collects the innermost sections of one page."""

    def __init__(self):
        super().__init__()
        self.open, self.done = [], []
        self.heading = self.silent = False

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        if tag == "section":
            if self.open:
                self.open[-1].leaf = False
            self.open.append(Section(names.get("id", "")))
        if tag in ("h1", "h2", "h3"):
            self.heading = True
        if tag == "a" and names.get("class") == "headerlink":
            self.silent = True
        if tag in BLOCKS:
            self.handle_data("\n")

    def handle_endtag(self, tag):
        if tag == "section":
            section = self.open.pop()
            if section.leaf:
                self.done.append(section)
        if tag in ("h1", "h2", "h3"):
            self.heading = False
        if tag == "a":
            self.silent = False

    def handle_data(self, data):
        if self.open and not self.silent:
            section = self.open[-1]
            (section.heading if self.heading else section.body).append(data)


def package(folder=CACHE):
    """Return the package that `make` fetched; raises FileNotFoundError where there is none."""
    for found in sorted(folder.glob("python3.11-doc_*.deb")):
        return found
    raise FileNotFoundError("The FAQ is not here; run `make .corpora_cache/.faq` first.")


def member(deb, name):
    """Return a member of an ar archive whose name starts with `name`; raises KeyError."""
    data, at = deb.read_bytes(), 8
    while at < len(data):
        size = int(data[at + 48 : at + 58])
        if data[at : at + 16].decode().startswith(name):
            return data[at + 60 : at + 60 + size]
        at += 60 + size + size % 2
    raise KeyError(name)


def entries(deb):
    """Return every question of the FAQ; raises ValueError unless all of them are there."""
    found = []
    with tarfile.open(fileobj=io.BytesIO(member(deb, "data.tar")), mode="r:*") as archive:
        for item in sorted(archive, key=lambda item: item.name):
            if FOLDER in item.name and item.name.endswith(".html") and item.isfile():
                name = Path(item.name).stem
                if name != "index":
                    found += page(name, archive.extractfile(item).read().decode())
    if len(found) != EXPECTED:
        raise ValueError(f"The FAQ has {len(found)} questions here, not {EXPECTED}.")
    return found


def page(name, html):
    """Return the questions of one page, in its order; a heading without an answer is none."""
    reader = Reader()
    reader.feed(html)
    return [
        Entry(
            f"{name}#{section.anchor}",
            name,
            " ".join("".join(section.heading).split()),
            re.sub(r"\n\s*\n+", "\n\n", "".join(section.body)).strip(),
        )
        for section in reader.done
        if "".join(section.body).strip()
    ]


def write(found, folder):
    """Write one HTML page per part of the FAQ; returns which ids each (file, heading) has."""
    folder.mkdir(parents=True, exist_ok=True)
    parts, ids = defaultdict(list), {}
    for entry in found:
        parts[entry.file].append(f"<h2>{escape(entry.question)}</h2>\n{paragraphs(entry.answer)}")
        ids[(f"{entry.file}.html", entry.question)] = entry.id
    for name, sections in parts.items():
        title = f"{name.capitalize()} Python FAQ"
        text = f"<html><head><title>{title}</title></head><body>\n<h1>{title}</h1>\n"
        text += "\n".join(sections) + "\n</body></html>\n"
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return ids


def paragraphs(text):
    """Return text as HTML paragraphs."""
    return "\n".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n"))


def questions(path=QUESTIONS):
    """Return (ids of right answers, question) for each line."""
    with path.open(encoding="utf-8", newline="") as file:
        return [(set(row[0].split()), row[1]) for row in csv.reader(file, delimiter="\t")]


def baseline(found, asked):
    """Return the share of questions whose answer FTS5 finds first, and among the first five."""
    with sqlite3.connect(":memory:") as store:
        store.execute(
            "create virtual table faq using fts5"
            "(id unindexed, title, body, tokenize='porter unicode61 remove_diacritics 2')"
        )
        rows = [(entry.id, entry.question, entry.answer) for entry in found]
        store.executemany("insert into faq values (?, ?, ?)", rows)
        ranks = [rank(store, right, question) for right, question in asked]
    return tuple(sum(each <= limit for each in ranks) / len(ranks) for limit in (1, 5))


def rank(store, right, question):
    """Return the place of the first right answer, beginning with 1; 99 when it is not there."""
    words = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", question))
    query = "select id from faq where faq match ? order by bm25(faq, 0, 4, 1) limit 5"
    for place, (found,) in enumerate(store.execute(query, (words,)), 1):
        if found in right:
            return place
    return 99


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--baseline", action="store_true", required=True)
    parser.parse_args()
    found = entries(package())
    ids = {entry.id for entry in found}
    for path in sorted(HERE.glob("questions*.tsv")):
        if path.name == "questions_other.tsv":  # in other languages, with a column more
            continue
        asked = questions(path)
        unknown = set().union(*(right for right, _ in asked)) - ids
        if unknown:
            raise SystemExit(f"{path.name}: not in the FAQ: {', '.join(sorted(unknown))}")
        first, five = baseline(found, asked)
        Console().print(f"FTS5 on {path.stem}, {len(asked)}: R@1 {first:.3f}, R@5 {five:.3f}")


if __name__ == "__main__":
    main()
