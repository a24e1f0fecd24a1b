"""However an answer is cut and whoever reads it, no link leads where it may not."""

import re
from html import unescape

from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from adapters.kit.markdown import parse
from adapters.kit.split import split
from bot.core.outgoing import Outgoing
from bot.domain.outgoing import OutgoingPolicy

URL = re.compile(r"https?:[\\/]{2}[^\s<>`\"']*", re.IGNORECASE)
ALLOWED = re.compile(r"https?://docs\.example\.com(?![\w.@%-])[^\s<>`]*", re.IGNORECASE)
MARKDOWN = MarkdownIt("commonmark").enable("table")

links = st.sampled_from(
    ["https://evil.test/a", "http://evil.test", "HTTPS://e.test", "https://docs.example.com/a",
     "https://docs.example.com@evil.test", "https:\\\\evil.test", "www.evil.test", "//evil.test/x"]
)  # fmt: skip
marks = st.sampled_from(
    ["`", "``", "```", "````", "~~~", "\n", "\n\n", "\n   ", "\n    ", "\n      ", "\n- ", "\n1. ",
     "\n  - ", "\n14) ", "\n> ", "> ", "- ", "[", "]", "](", ")", "![", "<", ">", "[a]: ", "[a]:\n",
     "|", "\n|-|-|\n", "\\", "&#104;", "&lt;", "<a href=", "<div>", "<!--", '"', "'", "*", "**", "_",
     "\t", "* * *", "---", "===", "#", "js", "[a]", "!", "(", " ", " ", "\u200b", "\r\n", "\u2028"]
)  # fmt: skip
texts = st.lists(links | marks | st.text("ab .", max_size=3), max_size=24).map("".join)


def out(text, cuts=(), limit=60_000):
    outgoing = Outgoing(OutgoingPolicy(hosts=("docs.example.com",), limit=limit), ["s3cr-3tt0-k3n"])
    ends = sorted({min(cut, len(text)) for cut in cuts} | {len(text)})
    pieces = [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    return "".join([*map(outgoing.feed, pieces), outgoing.close()])


def unlisted(text):
    return [url for url in URL.findall(unescape(text)) if not ALLOWED.fullmatch(url)]


def commonmark(text):
    """Return the targets of all links, and all text that is not code."""
    found, tokens = [], MARKDOWN.parse(text)
    for token in tokens:
        if token.type == "html_block":
            found.append(token.content)
        run = ""
        for child in token.children or ():
            if child.type in {"text", "text_special", "html_inline"}:
                run += child.content
            else:
                found += [str(value) for value in (child.attrs or {}).values()]
                found.append(run)
                run = ""
        found.append(run)
    return found


def toggling(text):
    """Three backticks switch code on and off; within a line, single ones do."""
    plain = "".join(text.split("```")[::2])
    return ["".join(line.split("`")[::2]) for line in plain.split("\n")]


def kit(text):
    return re.findall(r"Link\(.*?url='([^']*)'|Words\(text='((?:[^'\\]|\\.)*)'", repr(parse(text)))


@settings(max_examples=400)
@given(texts, st.lists(st.integers(0, 200), max_size=12))
@example("```\n`https://evil.test`", [3])
@example("[a]: https://docs.example.com/a * *", [])
def test_the_cuts_of_an_answer_change_nothing(text, cuts):
    assert out(text, cuts) == out(text) == out(text, range(len(text)))


@given(texts, st.lists(st.integers(0, 200), max_size=12), st.integers(0, 60))
def test_the_cuts_change_nothing_at_the_longest_length(text, cuts, limit):
    assert out(text, cuts, limit) == out(text, (), limit)


@settings(max_examples=600)
@given(texts)
@example("1. a\n   ```\nhttps://evil.test\n   ```")
@example("a ``` b\nhttps://evil.test ```")
@example("[a]:\nhttps://evil.test/a\n\n[a]")
def test_no_reader_finds_a_link_to_an_unlisted_host(text):
    left = out(text)

    assert [url for part in commonmark(left) for url in unlisted(part)] == []
    assert [url for part in toggling(left) for url in unlisted(part)] == []
    assert [url for pair in kit(left) for part in pair for url in unlisted(part)] == []
    assert "<img" not in MARKDOWN.render(left)


@settings(max_examples=300)
@given(texts)
def test_what_left_once_leaves_again_without_new_links(text):
    assert [url for part in commonmark(out(out(text))) for url in unlisted(part)] == []


@given(st.text(max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_any_text_at_all_passes(text, cuts):
    assert out(text, cuts) == out(text)


@given(st.integers(0, 2_200), st.sampled_from(["{}", "`{}`", "`x {} y`"]), st.integers(1, 1_900))
@example(0, "{}", 1_990)
def test_no_message_of_an_answer_has_half_of_a_link_that_is_code(before, frame, size):
    said = "word " * (before // 5) + frame.format(f"https://evil.test/{'a' * size}") + " end"
    for piece in split(out(said), 2_000):
        assert piece.shown.count("`") % 2 == 0
