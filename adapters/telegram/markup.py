"""The model's Markdown for Telegram: a rich message, the older HTML, or plain text.

Both kinds of HTML are made here from the parsed text, tag by tag. Telegram would take the Markdown
itself, but reads any HTML in it too: an image whose address carries words away, a link that pings a
person, a map. So nothing that a model writes reaches Telegram's parser as more than words.
Tags: core.telegram.org/bots/api#rich-message-formatting-options and #html-style.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

from adapters.kit.markdown import (
    Block,
    Bold,
    Cell,
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
    has_markup,
    parse,
)
from adapters.kit.split import utf16
from adapters.telegram.settings import TEXT_LIMIT

Content = dict[str, Any]  # the arguments of a call that say what is shown
_ESCAPE = re.compile(r"\\[*_`~#|>\-+.!]")
_LINK = re.compile(r"\btg:(?=//)", re.IGNORECASE)  # of Telegram's own: people, chats, payments
_PING = re.compile(r"(?<![\w@])@(?=[A-Za-z]\w{3})|\btg:(?=//)", re.IGNORECASE)
_SILENT = "\\g<0>\u2060"  # an invisible joiner, so that neither name nor link begins there
_SCHEME = re.compile(r"https?://|mailto:", re.IGNORECASE)
_LANGUAGE = re.compile(r"[\w+#.-]+")


def contents(shown: str, *, private: bool) -> Iterator[tuple[str, Content]]:
    """Yield what may be sent for a text, by kind, the best first; `plain` is the last.

    In a group, names like `@somebody` are silenced; in a private chat they ping nobody.
    """
    blocks = parse(shown) if has_markup(shown) else ()
    if not _plain(blocks) or _ESCAPE.search(shown):
        yield "rich", {"rich_message": {"html": _Rich(private).blocks(blocks)}}
        html = _Classic(private).blocks(blocks)
        if utf16(html) <= TEXT_LIMIT:
            yield "html", {"text": html, "parse_mode": "HTML"}
    yield "plain", {"text": _silenced(shown, private)}


def measure(shown: str) -> int:
    """Length in UTF-16 units, were everything to be silenced that may be."""
    return utf16(shown) + shown.count("@") + shown.count("://")


def _plain(blocks: Iterable[Block]) -> bool:
    return all(
        isinstance(block, Paragraph) and all(isinstance(inline, Words) for inline in block.inside)
        for block in blocks
    )


def _silenced(text: str, private: bool) -> str:
    if "@" not in text and "://" not in text:
        return text
    return (_LINK if private else _PING).sub(_SILENT, text)


@dataclass(frozen=True, slots=True)
class _Lines:
    """What both kinds of HTML have in common: the inside of a block."""

    private: bool
    line_break: str

    def of(self, inlines: Iterable[Inline]) -> str:
        return "".join(self._one(inline) for inline in inlines)

    def _one(self, inline: Inline) -> str:
        match inline:
            case Words(text):
                html = self._words(text)
            case Code(text):
                html = f"<code>{escape(text, quote=False)}</code>"
            case Bold(inside):
                html = f"<b>{self.of(inside)}</b>"
            case Italic(inside):
                html = f"<i>{self.of(inside)}</i>"
            case Strike(inside):
                html = f"<s>{self.of(inside)}</s>"
            case Link(inside, url) if _SCHEME.match(url):
                html = f'<a href="{escape(url)}">{self.of(inside)}</a>'
            case Link(inside, url):
                html = f"{self.of(inside)} ({self._words(url)})"
        return html

    def _words(self, text: str) -> str:
        silent = _silenced(text, self.private)
        return escape(silent, quote=False).replace("\n", self.line_break)


def _code(block: CodeBlock) -> str:
    code = escape(block.text, quote=False)
    if _LANGUAGE.fullmatch(block.language):
        code = f'<code class="language-{block.language}">{code}</code>'
    return f"<pre>{code}</pre>"


class _Rich:
    """HTML for `rich_message`: a line break in the source means nothing there."""

    def __init__(self, private: bool) -> None:
        self._lines = _Lines(private, "<br>")

    def blocks(self, blocks: Iterable[Block]) -> str:
        return "".join(self._block(block) for block in blocks)

    def _block(self, block: Block) -> str:
        match block:
            case Paragraph(inside):
                html = f"<p>{self._lines.of(inside)}</p>"
            case Heading(level, inside):
                html = f"<h{level}>{self._lines.of(inside)}</h{level}>"
            case CodeBlock():
                html = _code(block)
            case Quote(blocks):
                html = f"<blockquote>{self.blocks(blocks)}</blockquote>"
            case List(items):
                tag = "ol" if block.ordered else "ul"
                html = f"<{tag}>{''.join(self._item(item) for item in items)}</{tag}>"
            case Table():
                html = self._table(block)
            case Rule():
                html = "<hr/>"
        return html

    def _item(self, item: Item) -> str:
        number = "" if item.number is None else f' value="{item.number}"'
        match item.blocks:
            case (Paragraph(inside),):
                return f"<li{number}>{self._lines.of(inside)}</li>"
        return f"<li{number}>{self.blocks(item.blocks)}</li>"

    def _table(self, table: Table) -> str:
        rows = [self._row("th", table.head, table)]
        rows += [self._row("td", row, table) for row in table.rows]
        return f"<table bordered>{''.join(rows)}</table>"

    def _row(self, tag: str, cells: tuple[Cell, ...], table: Table) -> str:
        return "<tr>{}</tr>".format(
            "".join(
                f'<{tag} align="{align}">{self._lines.of(cell)}</{tag}>'
                for cell, align in zip(cells, table.aligns, strict=True)
            )
        )


class _Classic:
    """HTML for `parse_mode`, which knows few tags and keeps line breaks."""

    def __init__(self, private: bool) -> None:
        self._lines = _Lines(private, "\n")

    def blocks(self, blocks: Iterable[Block], *, quoted: bool = False) -> str:
        return "\n\n".join(self._block(block, quoted) for block in blocks)

    def _block(self, block: Block, quoted: bool) -> str:
        match block:
            case Paragraph(inside):
                html = self._lines.of(inside)
            case Heading(_, inside):
                html = f"<b>{self._lines.of(inside)}</b>"
            case CodeBlock():
                html = _code(block)
            case Quote(blocks):
                html = self.blocks(blocks, quoted=True)
                html = html if quoted else f"<blockquote>{html}</blockquote>"
            case List(items):
                html = "\n".join(self._item(item, quoted) for item in items)
            case Table():
                html = f"<pre>{escape(grid(block), quote=False)}</pre>"
            case Rule():
                html = "———"
        return html

    def _item(self, item: Item, quoted: bool) -> str:
        """Indent what is no code, whose lines would be copied with the indentation."""
        parts = []
        for block in item.blocks:
            part = self._block(block, quoted)
            parts.append(part if "<pre>" in part else part.replace("\n", "\n  "))
        return f"{item.mark} " + "\n  ".join(parts)
