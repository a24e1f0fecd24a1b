"""The list of sources on each platform: titles come from anybody's files, addresses from us."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.markup import render
from adapters.kit.markdown import Code, Link, Paragraph, Words, parse
from adapters.slack.markup import forms
from adapters.slack.mrkdwn import mrkdwn
from adapters.telegram.markup import contents
from bot.core.citing import SOURCES, listed
from bot.core.outgoing import Outgoing
from bot.core.outgoing.links import begin
from bot.domain.knowledge import Passage
from bot.domain.outgoing import OutgoingPolicy

URL = "https://shop.example.com/returns?a=1&b=2#top"
EVIL = "https://evil.example/?d=1"
TITLES = (
    "**bold**", "_it_", "`code`", "~~gone~~", "||spoiler||", "# Heading", "> quote", "- item",
    f"[click]({EVIL})", f"![x]({EVIL})", f"]({EVIL}) [x", f"<{EVIL}>", "<!channel>", "<@U1>",
    "<@&1>", "<@1>", "<#C1>", "<b>", "a\x00\u202eb", "|a|b|",
    "```x```", "+ x", "1. x", "---", "=", "\\", "&lt;!channel>", "<a:x:1>", "[1]: " + EVIL, "$x$",
    "a\n\n# b", "a\r\nb", "a\u2028b",
)  # fmt: skip
titles = st.lists(st.sampled_from([*TITLES, " ", "Returns", "(", ")", "*", "]", "["]),
                  min_size=1, max_size=4).map("".join).filter(lambda t: re.search(r"\w", t))  # fmt: skip


def passage(title="Returns", **changes):
    values = {"id": 1, "document": 1, "title": "Shop", "path": ("Shop", title), "text": "x"}
    return Passage(**{**values, "source": "shop.md", "link": "", **changes})


def blocks_of(text):
    """Return what stands in the one paragraph that a list of sources is."""
    (paragraph,) = parse(text)
    assert isinstance(paragraph, Paragraph)
    return paragraph.inside


def test_an_operators_address_is_a_link_on_each_platform():
    shown = listed({1: passage(link=URL)})
    assert shown == f"{SOURCES}\n[1] [Shop › Returns]({URL})"
    assert render(shown) == shown
    assert forms(shown)[0]() == {"markdown_text": shown}
    assert f"<{URL.replace('&', '&amp;')}|Shop › Returns>" in mrkdwn(shown)
    told = dict(contents(shown, private=False))
    link = f'<a href="{URL.replace("&", "&amp;")}">Shop › Returns</a>'
    assert link in told["rich"]["rich_message"]["html"]
    assert link in told["html"]["text"]


@pytest.mark.parametrize(
    "said", [f"See [1] [Shop › Returns]({URL}).", f"[1]({URL})", f"{SOURCES}\n[1] [Shop]({EVIL})"]
)
def test_an_address_that_a_model_makes_up_is_no_link_on_any_platform(said):
    outgoing = Outgoing(OutgoingPolicy(hosts=()), (), "")
    shown = outgoing.feed(said) + outgoing.close()
    assert not [inline for block in parse(shown) for inline in block.inside
                if isinstance(inline, Link)]  # fmt: skip
    assert "<http" not in mrkdwn(shown)
    assert "<a " not in str(dict(contents(shown, private=True)))
    assert not re.search(r"\]\(https?:", shown)


@given(titles)
def test_a_strangers_title_is_nothing_but_words(title):
    for changes in ({}, {"link": URL}, {"source": title}):
        shown = listed({1: passage(title, **changes)})
        inlines = blocks_of(shown)[1:]
        links = [inline for inline in inlines if isinstance(inline, Link)]
        assert [link.url for link in links] == [URL] * ("link" in changes)
        assert all(isinstance(inline, Words | Link | Code) for inline in inlines)
        words = [inline.text for inline in inlines if isinstance(inline, Words)]
        assert not [word for text in words for word in text.split() if begin(word) >= 0]
        assert all(isinstance(word, Words) for link in links for word in link.inside)
        assert len(shown.splitlines()) == 2


@given(titles)
def test_a_strangers_title_calls_nobody(title):
    shown = listed({1: passage(title)})
    assert not re.search(r"<[@#!&a:]", shown)
    assert "<!" not in forms(shown)[0]()["markdown_text"]
    assert EVIL not in re.findall(r'href="([^"]*)"', str(dict(contents(shown, private=False))))
