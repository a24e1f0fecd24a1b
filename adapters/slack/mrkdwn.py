"""Markdown as mrkdwn, Slack's older markup, for when Slack does not take Markdown.

It knows bold, italics, strikes, code, quotes and links; headings become bold, tables are drawn in
code (https://docs.slack.dev/messaging/formatting-message-text). All words are escaped, so that
nothing of what a model says becomes a mention.
"""

from collections.abc import Iterable

from adapters.kit.markdown import (
    Block,
    Bold,
    Code,
    CodeBlock,
    Heading,
    Inline,
    Italic,
    Item,
    Link,
    List,
    Paragraph,
    Quote,
    Rule,
    Strike,
    Table,
    Words,
    grid,
    parse,
)

_LINKED = ("http://", "https://", "mailto:")
_IN_URL = str.maketrans({"<": "%3C", ">": "%3E", "|": "%7C", "&": "&amp;", "\n": ""})


def escape(text: str) -> str:
    """Make text literal for every field but those that take Markdown."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mrkdwn(markdown: str) -> str:
    """Render Markdown."""
    return _blocks(parse(markdown))


def _blocks(blocks: Iterable[Block]) -> str:
    return "\n\n".join(_block(block) for block in blocks)


def _block(block: Block) -> str:
    match block:
        case Paragraph(inside):
            return _inlines(inside)
        case Heading(_, inside):
            return _inline(Bold(inside))
        case CodeBlock() | Table():
            drawn = grid(block) if isinstance(block, Table) else block.text
            return f"```\n{escape(drawn)}\n```"
        case Quote(blocks):
            return "\n".join(f">{line}" for line in _blocks(blocks).split("\n"))
        case List(items):
            return "\n".join(_item(item) for item in items)
        case Rule():
            return "———"


def _item(item: Item) -> str:
    body = "\n".join(_block(block) for block in item.blocks)
    return f"{item.mark} " + body.replace("\n", "\n" + " " * (len(item.mark) + 1))


def _inlines(inlines: Iterable[Inline], around: str = "") -> str:
    return "".join(_inline(inline, around) for inline in inlines)


def _inline(inline: Inline, around: str = "") -> str:
    """Render what stands in a line; `around` has the marks that are open already."""
    match inline:
        case Words(text):
            return escape(text)
        case Code(text):
            return f"`{escape(text)}`"
        case Link(inside, url, _):
            return _link(_inlines(inside, around), url)
        case Bold(inside):
            return _marked("*", inside, around)
        case Italic(inside):
            return _marked("_", inside, around)
        case Strike(inside):
            return _marked("~", inside, around)


def _marked(mark: str, inside: Iterable[Inline], around: str) -> str:
    if mark in around:
        return _inlines(inside, around)
    return f"{mark}{_inlines(inside, around + mark)}{mark}"


def _link(label: str, url: str) -> str:
    if not url.startswith(_LINKED):
        return f"{label} ({escape(url)})"
    return f"<{url.translate(_IN_URL)}|{label.replace(chr(10), ' ')}>"
