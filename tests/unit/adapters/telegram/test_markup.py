"""Markdown of a model in Telegram's two kinds of HTML, and in none."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.telegram.markup import contents, measure
from tests.fakes.telegram_chats import RICH_TAGS, TAGS, units, visible

EVIL = (
    "<img src=x onerror=y>", "![x](https://evil.example/?d=1)", "[x](tg://user?id=1)",
    "[x](javascript:alert(1))", "<a href='tg://user?id=1'>x</a>", "[x](<https://a/\"onx=>)",
    "`<b>`", "```html\n<script>\n```", "&lt;b&gt;", "@somebody", "TG://user?id=1", "|a|b|\n|-|-|\n|<i>|",
)  # fmt: skip
HREF = re.compile(r'href="([^"]*)"')


def forms(text, *, private=True):
    return dict(contents(text, private=private))


@pytest.mark.parametrize(
    "text", ["Hello, world", "snake_case 2*3*4", "C:\\dir", "1 < 2 & 3", "a\n\nb"]
)
def test_text_without_markup_is_sent_as_it_is(text):
    assert forms(text) == {"plain": {"text": text}}


@pytest.mark.parametrize(
    ("text", "rich", "classic"),
    [
        ("**a** *b* ~~c~~ `d<`", "<p><b>a</b> <i>b</i> <s>c</s> <code>d&lt;</code></p>", None),
        ("# A\nb\nc", "<h1>A</h1><p>b<br>c</p>", "<b>A</b>\n\nb\nc"),
        ("[x](https://a.b/?c&d)", '<p><a href="https://a.b/?c&amp;d">x</a></p>', None),
        ("[x](mailto:a@b.c)", '<p><a href="mailto:a@b.c">x</a></p>', None),
        ("[x](/etc/passwd)", "<p>x (/etc/passwd)</p>", None),
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>", "• a\n• b"),
        (
            "3. a\n4. b\n   - c",
            '<ol><li value="3">a</li><li value="4"><p>b</p><ul><li>c</li></ul></li></ol>',
            "3. a\n4. b\n  • c",
        ),
        (
            "```python\nif a < b:\n    c\n```",
            '<pre><code class="language-python">if a &lt; b:\n    c</code></pre>',
            None,
        ),
        ("```\nx\n```", "<pre>x</pre>", None),
        ('```x"y\nz\n```', "<pre>z</pre>", None),
        ("> a\n> b", "<blockquote><p>a<br>b</p></blockquote>", "<blockquote>a\nb</blockquote>"),
        (
            "> a\n> > b",
            "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>",
            "<blockquote>a\n\nb</blockquote>",
        ),
        (
            "|a|b|\n|-|-:|\n|1|2|",
            (
                '<table bordered><tr><th align="left">a</th><th align="right">b</th></tr>'
                '<tr><td align="left">1</td><td align="right">2</td></tr></table>'
            ),
            "<pre>a | b\n--+--\n1 | 2</pre>",
        ),
        ("a\n\n---\n\nb", "<p>a</p><hr/><p>b</p>", "a\n\n———\n\nb"),
        ("a \\*b\\*", "<p>a *b*</p>", "a *b*"),
    ],
)
def test_markup(text, rich, classic):
    classic = classic or rich.removeprefix("<p>").removesuffix("</p>")
    assert forms(text) == {
        "rich": {"rich_message": {"html": rich}},
        "html": {"text": classic, "parse_mode": "HTML"},
        "plain": {"text": text},
    }


def test_code_in_a_list_keeps_its_indentation():
    text = "- do\n  ```\n  if x:\n      y\n  ```"
    assert "<pre>if x:\n    y</pre>" in forms(text)["html"]["text"]


def test_in_a_group_nobody_is_pinged_and_an_address_stays_whole():
    shown = forms("@somebody, mail a@somebody.org", private=False)["plain"]["text"]
    assert shown == "@\u2060somebody, mail a@somebody.org"
    assert "<code>@decorator</code>" in forms("`@decorator`", private=False)["html"]["text"]


@given(st.lists(st.one_of(st.sampled_from(EVIL), st.text(max_size=8)), max_size=8).map("".join))
def test_whatever_a_model_writes_only_our_tags_come_out(text):
    found = forms(text, private=False)
    for kind, known in (("rich", RICH_TAGS), ("html", TAGS)):
        if kind in found:
            html = found[kind].get("text") or found[kind].get("rich_message", {}).get("html", "")
            visible(html, known)  # raises at a foreign or unbalanced tag
            assert all(link.startswith(("http", "mailto:")) for link in HREF.findall(html.lower()))
    plain = found["plain"]["text"]
    assert not re.search(r"\btg://", plain, re.IGNORECASE)
    assert units(plain) <= measure(text)


def test_html_that_is_too_long_with_its_tags_is_not_tried():
    text = "**a** " * 700
    assert [kind for kind, _ in contents(text, private=True)] == ["rich", "plain"]


@pytest.mark.parametrize(("text", "length"), [("abc", 3), ("🎉", 2), ("@a @b", 7), ("tg://x", 7)])
def test_length_counts_utf16_and_what_silencing_adds(text, length):
    assert measure(text) == length
