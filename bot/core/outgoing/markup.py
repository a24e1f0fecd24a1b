"""Markdown that means the same to every reader, and leads nowhere that is not allowed.

Links that are not allowed become code, with their host to be read; images become links. Code is
code only where CommonMark, Discord (which turns code on and off at any three backticks) and Slack
agree: fences that fill their lines, and inline code that ends on its line. Every other backtick
leaves as a sign that only looks like one.
"""

import re
from collections.abc import Callable, Mapping

from bot.core.outgoing import links
from bot.core.outgoing.lines import (
    COMMAND,
    FENCE,
    LONGEST,
    NOTICE,
    PARTIAL,
    START,
    Fence,
    imitates,
)
from bot.core.outgoing.signs import JOINER, TICK
from bot.core.outgoing.sink import Sink
from bot.domain.outgoing import OutgoingPolicy

_PLAIN = re.compile(r"(?:[^\S\n]+|[^\s`<>\[\]|\\&:/.@~]+[.:]?(?=\s))+")
_WORD = re.compile(rf"[^\s`<>\[\]|]{{1,{LONGEST}}}")
_SPACE = re.compile(r"[^\S\n]+")
_TICKS = re.compile(rf"`{{1,{LONGEST}}}")
_FENCE_TICKS = re.compile("`{3,}")
_ENTITY = re.compile(r"&(?=#?\w{1,32};)")
_TILDES = re.compile("~{3,}")
_URL = rf"[^\s<>`()|\[\]\\]{{0,{LONGEST}}}"
_HTTP = rf"(?:h(?:t(?:t(?:p(?:s?(?::(?:/(?:/{_URL})?)?)?)?)?)?)?)?"  # one that may go on
_ANGLE = re.compile(rf"<(https?://{_URL})>", re.IGNORECASE)
_ANGLE_PARTIAL = re.compile(rf"<{_HTTP}\Z", re.IGNORECASE)
_TARGET = re.compile(
    rf"\]\((https?://{_URL})\)|\]:[ \t]{{1,9}}(https?://{_URL})(?=[ \t]*(?:(\n)|\Z))", re.IGNORECASE
)
_TARGET_PARTIAL = re.compile(rf"\](?:\({_HTTP}|:[ \t]{{0,9}}{_HTTP}[ \t]*)?\Z", re.IGNORECASE)
_TAG = re.compile(r"<(?=[A-Za-z/!?@#:])")
LONGEST_LINK = 1_000  # characters of one that is shown as code


class Markup:
    """Reads an answer line by line; within a line, construct by construct."""

    def __init__(self, policy: OutgoingPolicy, ending: str) -> None:
        self._links = links.Links(policy)
        self._ending = ending
        self._sink = Sink(policy.limit)
        self._fence: Fence | None = None
        self._fresh = True  # at the begin of a line
        self._broken = False  # within a line of code that is too long to be looked at at once
        self._text = ""
        self._all = False  # nothing follows the text
        self._constructs: Mapping[str, Callable[[int], int | None]] = {
            "\n": self._line_break,
            "`": self._ticks,
            "<": self._angle,
            "]": self._target,
            **dict.fromkeys("[>|", self._sign),
        }

    @property
    def full(self) -> bool:
        """Whether the longest length is reached."""
        return self._sink.full

    def feed(self, words: str) -> str:
        """Return what is decided by now."""
        self._text += words
        at, size = 0, len(self._text)
        while at < size and not self._sink.full:
            after = self._step(at)
            if after is None:
                break
            at = after
        self._text = "" if self._sink.full else self._text[at:]
        return self._sink.taken()

    def close(self) -> str:
        """Return the rest."""
        self._all = True
        said = self.feed("")
        if self._fence:
            self._sink.append("" if self._sink.last == "\n" else "\n")
            self._sink.append(f"{self._fence.margin}```")
        if self._sink.full and self._ending:
            self._sink.append(f"\n\n{self._ending}")
        return said + self._sink.taken()

    def _step(self, at: int) -> int | None:
        """Pass one construct on; returns where the text goes on, or None where more is needed."""
        if self._fence:
            return self._code_line(at, self._fence)
        if self._fresh:
            return self._line_start(at)
        if plain := _PLAIN.match(self._text, at):
            return self._say(at, plain.end())
        return self._constructs.get(self._text[at], self._word)(at)

    def _line_break(self, at: int) -> int:
        self._fresh = True
        return self._say(at, at + 1)

    def _sign(self, at: int) -> int:
        return self._say(at, at + 1)

    def _say(self, at: int, end: int) -> int:
        self._sink.words(self._text[at:end])
        return end

    def _line_end(self, at: int, longest: int = LONGEST) -> int | None:
        """Return where a line ends, or where its look ahead does; None when it may go on."""
        end = self._text.find("\n", at, at + longest)
        if end >= 0:
            return end
        known = len(self._text)
        return min(known, at + longest) if self._all or known >= at + longest else None

    # ── the begin of a line ──────────────────────────────────────────────────────────────────

    def _line_start(self, at: int) -> int | None:
        if not self._all and PARTIAL.match(self._text, at):
            return None
        start = START.match(self._text, at)
        if start is None:
            raise AssertionError("every line begins somehow")
        words, sign = start.end(), self._text[start.end() : start.end() + 1]
        if sign in {"`", "~"}:
            return self._maybe_fence(at, start)
        before: str | None = ""
        if sign in {"*", "_", "["}:
            before = self._before_notice(words)
        elif sign and sign in "/!.?$%&;+=^-":
            before = self._before_command(words)
        if before is None:
            return None
        self._sink.words(before)
        return self._started(at, words)

    def _before_notice(self, at: int) -> str | None:
        """Return what tells words of the model from those of the bot."""
        end = self._line_end(at, NOTICE)
        if end is None:
            return None
        return "> " if imitates(self._text[at:end]) else ""

    def _before_command(self, at: int) -> str | None:
        """Return what keeps other bots from taking a line for a command."""
        if self._line_end(at, NOTICE) is None and not _SPACE.search(self._text, at):
            return None
        return JOINER if COMMAND.match(self._text, at) else ""

    def _started(self, at: int, end: int) -> int:
        self._fresh = False
        return self._say(at, end)

    def _maybe_fence(self, at: int, start: re.Match[str]) -> int | None:
        end = self._line_end(start.end())
        if end is None:
            return None
        found = FENCE.match(self._text, start.end(), end)
        whole = end < start.end() + LONGEST
        if not found or not whole or (found[1][0] == "`" and "`" in found[2]):
            return self._started(at, start.end())
        fence = Fence(found[1], len(start[0].expandtabs(4)))
        if start[2]:  # a fence behind a bullet is one below it, too
            self._sink.words(f"{start[0]}{JOINER}\n")
        if self._sink.whole(f"{fence.margin}```{found[2].replace('`', TICK)}\n"):
            self._fence = fence
        return min(end + 1, len(self._text))

    # ── code ─────────────────────────────────────────────────────────────────────────────────

    def _code_line(self, at: int, fence: Fence) -> int | None:
        end = self._line_end(at)
        if end is None:
            return None
        line = self._text[at:end]
        long = end == at + LONGEST
        if not self._broken and not long and fence.closes(line):
            if self._sink.whole(f"{fence.margin}```"):
                self._fence, self._fresh = None, False
            return end
        if not self._broken:
            line = fence.moved(line)
        if long:
            line = line.replace("`", TICK)
        self._sink.words(_FENCE_TICKS.sub(lambda run: TICK * len(run[0]), line))
        self._broken = long
        if not long and end < len(self._text):
            return self._say(end, end + 1)
        return end

    def _ticks(self, at: int) -> int | None:
        run = _TICKS.match(self._text, at)
        end = self._line_end(at)
        if run is None or (end is None and run.end() == len(self._text)):
            return None
        closing = re.compile(rf"(?<!`){run[0]}(?!`)").search(
            self._text, run.end(), len(self._text) if end is None else end
        )
        if end is None and (closing is None or closing.end() == len(self._text)):
            return None
        code = self._text[run.end() : closing.start()] if closing else ""
        if not closing or not code.strip():
            self._sink.words(TICK * len(run[0]))
            return run.end()
        code = code.replace("`", TICK)
        if links.begin(code) >= 0:
            self._inert(code.replace("|", "¦"))
        else:
            self._sink.code(code)
        return closing.end()

    # ── what may lead somewhere ──────────────────────────────────────────────────────────────

    def _angle(self, at: int) -> int | None:
        link = _ANGLE.match(self._text, at)
        if link and self._links.allow(link[1]):
            self._sink.whole(link[0])
            return link.end()
        if not link and not self._all and _ANGLE_PARTIAL.match(self._text, at):
            return None
        self._sink.words(f"<{JOINER}" if _TAG.match(self._text, at) else "<")
        return at + 1

    def _target(self, at: int) -> int | None:
        """Read what follows a bracket: the target of a link, or of a name for one."""
        link = _TARGET.match(self._text, at)
        settled = link and (link[1] or link[3] or self._all)
        if not settled and not self._all and _TARGET_PARTIAL.match(self._text, at):
            return None
        if link and settled and self._links.allow(link[1] or link[2]):
            self._sink.whole(link[0])
            return link.end()
        if self._text[at + 1 : at + 2] in {"(", ":"}:
            self._sink.words(f"] {self._text[at + 1]}")
            return at + 2
        return self._say(at, at + 1)

    def _word(self, at: int) -> int | None:
        found = _WORD.match(self._text, at)
        if found is None:
            raise AssertionError("every other sign is one of a word")
        word, end = found[0], found.end()
        if end == len(self._text) and len(word) < LONGEST and not self._all:
            return None
        following = self._text[end : end + 1]
        if following == "[":
            word = word.rstrip("!")  # an image's mark
        escaped = following == "`" and (len(word) - len(word.rstrip("\\"))) % 2 == 1
        self._linked(word[:-1] if escaped else word)
        if escaped:
            self._sink.words(TICK)
        return end + escaped

    def _linked(self, word: str) -> None:
        start = links.begin(word)
        if start < 0:
            self._harmless(word)
            return
        self._harmless(word[:start])
        end = start + links.end(word[start:])
        url = word[start:end]
        if self._links.allow(url):
            self._sink.whole(url)
        elif url:
            self._inert(url)
        self._harmless(word[end:])

    def _inert(self, text: str) -> None:
        """Show a link as code that every message has room for: half of it would be a link again."""
        self._sink.code(text if len(text) <= LONGEST_LINK else f"{text[:LONGEST_LINK]}…")

    def _harmless(self, word: str) -> None:
        word = _ENTITY.sub(f"&{JOINER}", word)
        self._sink.words(_TILDES.sub(lambda run: "\u223c" * len(run[0]), word))
