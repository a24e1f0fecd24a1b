"""What leaves the bot on each platform, and what of it would have done harm."""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

COMMAND = re.compile(r"^[\s>*_]*[/!.?$;-]+(?:ban|purge|kick|exec|shell|admin)\b", re.MULTILINE)
LINK = re.compile(r"(?:https?:[\\/]{2}|www\.|//)[^\s<>`\"']*(?:evil\.example|127\.0\.0\.1)|"
                  r"\b(?:javascript|data|file|slack|tg):(?=\S)", re.IGNORECASE)  # fmt: skip
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
CODE_TAGS = re.compile(r"<(pre|code)\b.*?</\1>", re.DOTALL)


@dataclass(frozen=True)
class Said:
    """One call that shows something."""

    text: str  # as a person's program reads it
    plain: str  # the same without what is code
    pings: bool
    quiet: bool  # it says that no link is to be looked into

    @property
    def commands(self) -> bool:
        """Whether another bot could obey it; none reads code, unless a message begins with it."""
        return bool(COMMAND.search(self.plain) or COMMAND.match(self.text))

    @property
    def links(self) -> bool:
        """Whether it has a link that nobody has allowed."""
        return bool(LINK.search(self.plain))


def strings(value) -> Iterator[str]:
    """Yield every text in what was sent."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings(part)


def telegram(fake) -> Iterator[Said]:
    """Read what was sent to Telegram.

    A rich message has no preview, and in a private chat there is nobody else to be called.
    """
    ping = re.compile(r"(?<![\w@])@[A-Za-z]\w{3}|\btg:(?=//)")
    for call in fake.calls:
        if call.method not in ("sendMessage", "sendRichMessage", "editMessageText"):
            continue
        source = call.args.get("text") or (call.args.get("rich_message") or {}).get("html", "")
        plain = re.sub(r"</?[a-z]\w*>", "\n", CODE_TAGS.sub("", source))
        preview = call.args.get("link_preview_options") or {}
        yield Said(
            text=html.unescape(re.sub(r"<[^>]*>", "\n", source)),
            plain=html.unescape(plain),
            pings=int(call.args["chat_id"]) < 0 and bool(ping.search(CODE_TAGS.sub("", source))),
            quiet=call.method == "sendRichMessage" or preview.get("is_disabled") is True,
        )


def slack(fake) -> Iterator[Said]:
    """Read what was sent to Slack."""
    ping = re.compile(r"<\\*(!(channel|here|everyone|subteam)|@[UW]\w)")
    for call in fake.calls:
        if not call.method.startswith(("chat.", "response")) or call.method == "chat.delete":
            continue
        args = {name: decoded(value) for name, value in call.args.items()}
        text = "\n".join(strings([args.get(name) for name in ("text", "markdown_text", "blocks")]))
        yield Said(
            text=html.unescape(text),
            plain=CODE.sub("", html.unescape(text)),
            pings=bool(ping.search(json.dumps(args, ensure_ascii=False)))
            or args.get("link_names") not in (False, "false", "0"),
            quiet=all(args.get(name) in (False, "false", "0")
                      for name in ("unfurl_links", "unfurl_media")),
        )  # fmt: skip


def discord(fake) -> Iterator[Said]:
    """Read what was sent to Discord."""
    for call in fake.calls:
        body = call.args.get("json")
        if isinstance(body, dict) and "content" in body:
            silent = body.get("allowed_mentions") == {"parse": [], "replied_user": False}
            yield Said(text=body["content"], plain=CODE.sub("", body["content"]),
                       pings=not silent, quiet=bool(body.get("flags", 0) & 4))  # fmt: skip


def decoded(value):
    """Read what the SDK has put into a form."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


READERS = {"telegram": telegram, "slack": slack, "discord": discord}
