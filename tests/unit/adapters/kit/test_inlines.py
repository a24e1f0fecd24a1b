"""What stands inside a line: what models mean as markup, and what they do not."""

import pytest

from adapters.kit.markdown import (
    Bold,
    Code,
    Inline,
    Italic,
    Link,
    Paragraph,
    Strike,
    Words,
    parse,
    plain,
)


def inline(text: str) -> tuple[Inline, ...]:
    (block,) = parse(text)
    assert isinstance(block, Paragraph)
    return block.inside


def words(text: str) -> tuple[Words]:
    return (Words(text),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**bold**", Bold(words("bold"))),
        ("__two words__", Bold(words("two words"))),
        ("*italic*", Italic(words("italic"))),
        ("_italic_", Italic(words("italic"))),
        ("~~gone~~", Strike(words("gone"))),
        ("***both***", Bold((Italic(words("both")),))),
        ("`a*b*c`", Code("a*b*c")),
        ("`` a`b ``", Code("a`b")),
        ("`` ` ``", Code("`")),
        ("`a\nb`", Code("a b")),
        ("[text](https://x.org/a_(b)_c)", Link(words("text"), "https://x.org/a_(b)_c")),
        ('[text](https://x.org "the title")', Link(words("text"), "https://x.org", "the title")),
        ("[text](<a b.md>)", Link(words("text"), "a b.md")),
        ("[**b** and `c`](u)", Link((Bold(words("b")), Words(" and "), Code("c")), "u")),
        ("[a [b] c](u)", Link(words("a [b] c"), "u")),
        ("![a cat](cat.png)", Link(words("a cat"), "cat.png")),
        ("![](cat.png)", Link(words("cat.png"), "cat.png")),
        ("<https://x.org/a_b>", Link(words("https://x.org/a_b"), "https://x.org/a_b")),
        ("**“重要”**", Bold(words("“重要”"))),
        ("**a\nb**", Bold(words("a\nb"))),
        ("**a [b](u)**", Bold((Words("a "), Link(words("b"), "u")))),
        ("**see `a**b`**", Bold((Words("see "), Code("a**b")))),
    ],
)
def test_one_inline(text, expected):
    assert inline(text) == (expected,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("这是**重要**的", (Words("这是"), Bold(words("重要")), Words("的"))),
        ("**Note:**this", (Bold(words("Note:")), Words("this"))),
        ("**a *b** c*", (Bold(words("a *b")), Words(" c*"))),
        ("**never **closed** twice", (Words("**never "), Bold(words("closed")), Words(" twice"))),
        ("*a **b***", (Italic((Words("a "), Bold(words("b")))),)),
        ("[![img](a)](b)", (Words("["), Link(words("img"), "a"), Words("](b)"))),
        ("a [b c](u) d", (Words("a "), Link(words("b c"), "u"), Words(" d"))),
        ("[a **b](u) c**", (Link(words("a **b"), "u"), Words(" c**"))),
        ("**https://x.org/__a__**", (Bold(words("https://x.org/__a__")),)),
        ("**[a** b](u)", (Bold(words("[a")), Words(" b](u)"))),
        ("```a b``` c", (Code("a b"), Words(" c"))),
        (r"\*not\* \_this\_ 1\. \#", words("*not* _this_ 1. #")),
    ],
)
def test_inlines_beside_each_other(text, expected):
    assert inline(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "__init__", "call __init__ or __new__ now", "__init__.py", "2*3*4", "2**3**4", "x**2 + y**2",
        "snake_case_name", "_private and my_other_name", "List<int>", "<script>alert(1)</script>",
        "<!channel> <@U1> @everyone", "&amp; &lt;", "a * b * c", "f(*args, **kwargs)", "*.py and *.js",
        "**unclosed", "*", "**", "a ****", "~", "~~", "a ~~~ ~~", "`open", "``a`", "[a]", "[a](", "[a]()",
        "[a](b c)", "](u)", "[^1]", "![", "<https://>", "a_b_c_", "_a_b", "C:\\temp\\new", "\\(x\\) \\[y\\]",
        "#hashtag", "1.5 is a number", "-5 degrees", "a | b", "\\", "5 > 3", "** a **", "*a*b", "$a_1$ b_2$",
    ],
)  # fmt: skip
def test_what_is_no_markup_stays_as_it_is(text):
    assert plain(parse(text)) == text
    assert not any(isinstance(node, Bold | Italic | Strike | Link) for node in _inlines(text))


def _inlines(text: str) -> list[Inline]:
    return [node for b in parse(text) if isinstance(b, Paragraph) for node in b.inside]
