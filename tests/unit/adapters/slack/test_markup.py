"""Slack's text formats, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.commands import parse
from adapters.slack.markup import LIMIT, action, actions, disarm, forms, measure, mentions, plain
from adapters.slack.mrkdwn import escape, mrkdwn
from bot.domain.replies import Button

US = frozenset({"UBOT"})


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("&amp;lt;", "&lt;"),
        ("<@UBOT>: hello", "hello"),
        ("<@UBOT|parley>", ""),
        ("ask <@UBOT> now", "ask now"),
        ("hi <@U8>", "hi @U8"),
        ("hi <@U8|bob>", "hi @bob"),
        ("see <#C1|general> and <#C2> and <#C3|>", "see #general and #C2 and #C3"),
        ("<!here> <!channel> <!everyone|everyone>", "@here @channel everyone"),
        ("<!subteam^S1|@crew> <!subteam^S2>", "@crew @S2"),
        ("<!date^1392734382^{date}|2014-02-18>", "2014-02-18"),
        ("<https://a.example/?a=1&amp;b=2|the page>", "the page (https://a.example/?a=1&b=2)"),
        ("<https://a.example> <http://b.example|b.example>", "https://a.example http://b.example"),
        ("<mailto:a@a.example|a@a.example>", "a@a.example"),
        ("`if a &lt; b &amp;&amp; c`", "`if a < b && c`"),
        ("<> << a", "<> << a"),
    ],
)
def test_escaped_text_becomes_words(sent, words):
    assert plain(sent, US) == words


def test_commands_keep_the_ids_of_people_and_channels():
    assert plain("allow <@U8|bob> in <#C1|general>", ids=True) == "allow @U8 in #C1"


@pytest.mark.parametrize(
    ("text", "ours"),
    [("<@UBOT>", True), ("<@UBOT|x>", True), ("<@UBOT2>", False), ("@UBOT", False)],
)
def test_mentions_are_by_id(text, ours):
    assert mentions(text, US) is ours


@pytest.mark.parametrize(
    "ping",
    ["<!channel>", "<!here|here>", "<!everyone>", "<!subteam^S1>", "<@U7>", "<@W7|x>", "<#C1>",
     "&lt;!here>", "&#60;!here>", "&#x3c;@U7>", "<\\!channel>", "<\\@U7>", "<!date^1^x^http://a|b>"],
)  # fmt: skip
def test_what_could_ping_is_broken_invisibly(ping):
    broken = disarm(f"`{ping}`")
    assert broken.replace("\u200b", "") == f"`{ping}`"
    assert broken != f"`{ping}`"


@pytest.mark.parametrize(
    "code", ["<!DOCTYPE html>", "<!-- note -->", "a < b", "List<int>", "<div>", "x && y"]
)
def test_code_that_is_no_ping_is_left_alone(code):
    assert disarm(code) == code


def test_plain_words_are_sent_as_such_and_others_as_markdown():
    (only,) = forms("Two < three & four, @here.")
    assert only() == {"text": "Two &lt; three &amp; four, @here."}
    best, older, plainest = (form() for form in forms("**a** <!here>"))
    assert best == {"markdown_text": "**a** <\u200b!here>"}
    assert older["blocks"][0]["text"] == {"type": "mrkdwn", "text": "*a* &lt;!here&gt;"}
    assert plainest == {"text": "**a** &lt;!here&gt;"}


def test_long_plain_words_are_sent_in_a_form_that_can_be_updated():
    best, older, plainest = (form() for form in forms("word " * 1000))
    assert len(best["markdown_text"]) == 5000
    for fallback in (older, plainest):
        texts = [block["text"]["text"] for block in fallback["blocks"]]
        assert all(len(text) <= 3_000 for text in texts)
        assert "".join("".join(texts).split()) == "word" * 1000
        assert len(fallback["text"]) < 4_000


def test_response_urls_get_markdown_in_a_block():
    best, *_ = (form() for form in forms("**a**", blocks=True))
    assert best == {"text": "**a**", "blocks": [{"type": "markdown", "text": "**a**"}]}


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("# Big **title**", "*Big title*"),
        ("**bold** *it* ~~no~~ `a<b`", "*bold* _it_ ~no~ `a&lt;b`"),
        ("***both***", "*_both_*"),
        ("__init__ and snake_case", "__init__ and snake_case"),
        ("[docs](https://a.example/a_(b)?x=1&y=2)", "<https://a.example/a_(b)?x=1&amp;y=2|docs>"),
        ("[x](javascript:alert(1))", "x (javascript:alert(1))"),
        ("[a|b>](https://a.example/|c)", "<https://a.example/%7Cc|a|b&gt;>"),
        ("- one\n- two\n  - deep", "• one\n• two\n  • deep"),
        ("3. three\n4. four", "3. three\n4. four"),
        ("> quoted\n> more", ">quoted\n>more"),
        ("```py\nx = a & b\n```", "```\nx = a &amp; b\n```"),
        ("|a|b|\n|-|-|\n|1|2|", "```\na | b\n--+--\n1 | 2\n```"),
        ("---", "———"),
        ("<!channel> <@U7>", "&lt;!channel&gt; &lt;@U7&gt;"),
    ],
)
def test_markdown_becomes_mrkdwn(markdown, expected):
    assert mrkdwn(markdown) == expected


@given(st.text(alphabet="<>&!@#`*_~|[]()\\ \nahere#C1U7"))
def test_no_text_pings_or_outgrows_its_measure(text):
    assert len(disarm(text)) <= measure(text)
    assert len(escape(text)) == measure(text)
    for ping in ("<!here", "<@U7", "<#C1"):
        assert ping not in disarm(text)
        assert ping not in mrkdwn(text)


def test_a_message_at_the_limit_fits_into_markdown_text():
    assert LIMIT < 12_000


@pytest.mark.parametrize(
    ("command", "text", "parsed"),
    [
        ("/parley", "", ("help", "")),
        ("/parley", "  reset  ", ("reset", "")),
        ("/parley", "/Reset", ("reset", "")),
        ("/parley", "admin  allow @U8 ", ("admin", "allow @U8")),
        ("/parley", "forget-me", ("forget_me", "")),
        ("/stop", " now ", ("stop", "now")),
    ],
)
def test_a_slash_command_has_a_name_and_words(command, text, parsed):
    assert parse(command, text) == parsed


BUTTONS = [
    Button(label="Good", action="rate", value="1"),
    Button(label="Why?", action="why"),
    Button(label="Bad", action="rate", value="0"),
]


@pytest.mark.parametrize("shown", ["hello", "**bold**", "x" * 10_000, "<!channel> `code`"])
@pytest.mark.parametrize("blocks", [True, False])
def test_every_form_with_buttons_is_of_blocks_and_ends_with_them(shown, blocks):
    kinds = []
    for form in forms(shown, blocks=blocks, buttons=BUTTONS):
        fields = form()
        *words, last = fields["blocks"]
        assert set(fields) == {"text", "blocks"}
        assert [button["text"]["text"] for button in last["elements"]] == ["Good", "Why?", "Bad"]
        kinds.append({block["type"] for block in words})
    assert kinds == [{"markdown"}, {"section"}, {"section"}]


def test_ids_differ_and_lead_back_to_the_action():
    (block,) = actions(BUTTONS)
    ids = [element["action_id"] for element in block["elements"]]
    assert len(set(ids)) == 3
    assert [action(id) for id in ids] == ["rate", "why", "rate"]
    assert [element.get("value") for element in block["elements"]] == ["1", None, "0"]


def test_no_buttons_are_no_block():
    assert actions(()) == []
