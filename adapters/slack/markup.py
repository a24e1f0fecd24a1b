"""Slack's two text formats: the escaped one that it sends, and what it is sent.

Outgoing text never pings and never links by accident: `<!channel>`, `<@U1>` and their like are
broken by an invisible character in Markdown, and escaped in everything else.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

from adapters.kit.markdown import has_markup
from adapters.kit.split import split
from adapters.slack.mrkdwn import escape, mrkdwn
from bot.domain.replies import Button
from bot.domain.text import storable

LIMIT = 11_000  # characters after escaping; Slack takes 12,000 in `markdown_text`

_TEXT_LIMIT = 3_900  # characters after escaping; `chat.update` takes 4,000 in `text`
_SECTION_LIMIT = 2_900  # characters; a section block takes 3,000

_TOKEN = re.compile(r"<([^<>]+)>")
_PING = re.compile(
    r"(<|&(?i:lt|#0*60|#x0*3c);)(?=\\?(?:[@#][A-Z]|!(?:channel|here|everyone|group|subteam|date)))"
)
_INVISIBLE = "\u200b"


def plain(text: str, us: frozenset[str] = frozenset(), *, ids: bool = False) -> str:
    """Turn Slack's escaped text into words; mentions of `us` disappear.

    Args:
        text: as an event carries it (https://docs.slack.dev/messaging/formatting-message-text).
        us: our own user ids.
        ids: show people and channels by id even where Slack sends their names.
    """
    if "<" in text:
        for user in us:
            text = _without(text, user)
        text = _TOKEN.sub(lambda token: _words(token[1], ids=ids), text)
    if "&" in text:
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return text.strip()


def mentions(text: str, us: frozenset[str]) -> bool:
    """Tell whether escaped text mentions one of `us`."""
    return "<@" in text and any(f"<@{user}>" in text or f"<@{user}|" in text for user in us)


def disarm(markdown: str) -> str:
    """Break whatever Slack could take for a mention, invisibly, so that code stays readable."""
    return _PING.sub(rf"\1{_INVISIBLE}", storable(markdown))


def measure(text: str) -> int:
    """Length in characters after `escape`, which is never less than after `disarm`."""
    return len(text) + 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))


Form = Callable[[], dict[str, Any]]


def forms(shown: str, *, blocks: bool = False, buttons: Sequence[Button] = ()) -> tuple[Form, ...]:
    """Return the fields that carry a Markdown text, the best form first, the plainest last.

    Args:
        shown: at most `LIMIT` long by `measure`.
        blocks: for the response URLs, which do not know `markdown_text`.
        buttons: to be pressed below it; Slack takes them in blocks only.
    """
    shown = storable(shown)
    if buttons:
        below = actions(buttons)
        return (
            partial(_markdown_block, shown, below),
            partial(_sections, shown, "mrkdwn", below),
            partial(_sections, shown, "plain_text", below),
        )
    short = measure(shown) <= _TEXT_LIMIT
    literal = partial(_text, shown) if short else partial(_sections, shown, "plain_text")
    if short and not has_markup(shown):
        return (literal,)
    best = partial(_markdown_block if blocks else _markdown_text, shown)
    return best, partial(_sections, shown, "mrkdwn"), literal


def actions(buttons: Sequence[Button]) -> list[dict[str, Any]]:
    """Return the block that shows buttons, if there are any.

    Their ids have to differ within it: from the second on they are numbered (`action` undoes it).
    """
    names: list[str] = []
    for button in buttons:
        taken = sum(action(name) == button.action for name in names)
        names.append(f"{button.action}.{taken + 1}" if taken else button.action)
    elements = [_button(button, name) for button, name in zip(buttons, names, strict=True)]
    return [{"type": "actions", "elements": elements}] if elements else []


def action(id: str) -> str:
    """Return what a button does, from its `action_id`."""
    return id.partition(".")[0]


def _button(button: Button, id: str) -> dict[str, Any]:
    value = {"value": button.value} if button.value else {}  # an empty one is refused
    label = {"type": "plain_text", "text": button.label}
    return {"type": "button", "action_id": id, "text": label, **value}


def _text(shown: str) -> dict[str, Any]:
    return {"text": escape(shown)}


def _markdown_text(shown: str) -> dict[str, Any]:
    return {"markdown_text": disarm(shown)}


def _markdown_block(shown: str, below: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    return _preview(shown) | {"blocks": [{"type": "markdown", "text": disarm(shown)}, *below]}


def _sections(
    shown: str, kind: Literal["mrkdwn", "plain_text"], below: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    render = mrkdwn if kind == "mrkdwn" else str
    parts = split(shown, _SECTION_LIMIT, lambda part: len(render(part)))
    texts = ({"type": kind, "text": render(part.shown)} for part in parts)
    blocks = [{"type": "section", "text": text} for text in texts]
    return _preview(shown) | {"blocks": [*blocks, *below]}


def _preview(shown: str) -> dict[str, Any]:
    return {"text": escape(shown[:300])}  # for notifications; the blocks are what is read


def _without(text: str, user: str) -> str:
    name = rf"<@{re.escape(user)}(?:\|[^<>]*)?>"
    return re.sub(rf"^\s*{name}[,:]?\s*|{name} ?", "", text)


def _words(token: str, *, ids: bool) -> str:
    target, _, label = token.partition("|")
    sign, name = target[:1], target[1:]
    if sign in "@#":
        return sign + (label.lstrip(sign) if label and not ids else name)
    if sign == "!":
        return label or "@" + name.removeprefix("subteam^").partition("^")[0]
    address = target.removeprefix("mailto:").removeprefix("tel:")
    return (
        address
        if label in {"", address, target} or address.endswith(f"://{label}")
        else f"{label} ({address})"
    )
