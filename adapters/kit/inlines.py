"""Read what stands inside a line: emphasis, code, links.

The rules follow CommonMark where language models do, and favour literal text where they do not:
marks inside an ASCII word are text (`2*3*4`, `snake_case`), `__one_word__` is a name and not bold,
a backslash before a bracket belongs to a formula. One pass, no backtracking: unclosed marks simply
stay the text that they were.
"""

import re
from bisect import bisect_left

from adapters.kit.tree import Bold, Code, Inline, Italic, Link, Strike, Words

_TOKEN = re.compile(
    r"\\(?P<escaped>[*_`~#|>\-+.!])"
    r"|(?P<ticks>`+)"
    r"|<(?P<auto>https?://[^\s<>]+)>"
    r"|(?P<bare>https?://[^\s<>*`()\[\]]+)"  # underscores in an address are no marks
    r"|(?P<run>\*+|_+|~~+)"
    r"|(?P<open>!?\[)"
    r"|(?P<close>\])"
)
_MAY_BEGIN = re.compile(r"[\\`<*_~!\[\]]")  # a token; a mere set is searched ten times faster
_MAY_BEGIN_TOO = re.compile(r"[\\`<*_~!\[\]h]")  # …where addresses occur
_TARGET = re.compile(
    r"\(\s{0,9}(?:<(?P<angled>[^<>\n]*)>|(?P<url>[^\s<>()]*(?:\([^\s()]*\)[^\s()]*)*))"
    r"(?:\s{1,9}\"(?P<title>[^\"\n]*)\")?\s{0,9}\)"
)
_TICKS = re.compile("`+")
_SPACE = re.compile(r"\s")
_WRAPS: dict[str, type[Bold | Italic | Strike]] = {
    "**": Bold,
    "__": Bold,
    "*": Italic,
    "_": Italic,
    "~~": Strike,
}
_OPENING = {**{mark: (mark,) for mark in _WRAPS}, "***": ("**", "*")}


def inlines(text: str) -> tuple[Inline, ...]:
    """Read the inside of a block; every mark that pairs with nothing stays as text."""
    if "://" in text or _MAY_BEGIN.search(text):
        return _Reader(text).read()
    return (Words(text),) if text else ()


class _Reader:
    """One text on its way to inlines.

    `out` is flat: an opening mark is put there as the text it may remain, and when its partner
    comes, everything behind it is wrapped. So each mark costs the same however many are open.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.out: list[Inline] = []
        self.marks: dict[str, tuple[int, int]] = {}  # open ones: place in `out`, end in the text
        self.brackets: list[int] = []  # open ones: place in `out`
        self.ticks: dict[int, list[int]] = {}  # where runs of backticks begin, by their length

    def read(self) -> tuple[Inline, ...]:
        """Go through the text once."""
        may_begin = _MAY_BEGIN_TOO if "://" in self.text else _MAY_BEGIN
        done = position = 0
        while place := may_begin.search(self.text, position):
            token = _TOKEN.match(self.text, place.start())
            if token is None:
                position = place.end()
                continue
            if token.start() > done:
                self.out.append(Words(self.text[done : token.start()]))
            done = position = self._take(token)
        self.out.append(Words(self.text[done:]))
        return _merged(self.out)

    def _take(self, token: re.Match[str]) -> int:
        """Read one token; returns where the text goes on."""
        kind, literal = token.lastgroup or "", token[0]
        match kind:
            case "ticks":
                return self._code(token)
            case "run":
                self._run(token)
            case "close":
                return self._link(token)
            case "open":
                self.brackets.append(len(self.out))
                self.out.append(Words(literal))
            case "auto":
                self.out.append(Link((Words(token[kind]),), token[kind]))
            case _:
                self.out.append(Words(token[kind]))
        return token.end()

    def _code(self, token: re.Match[str]) -> int:
        if not self.ticks:
            for run in _TICKS.finditer(self.text):
                self.ticks.setdefault(len(run[0]), []).append(run.start())
        same = self.ticks.get(len(token[0]), [])
        partner = bisect_left(same, token.end())
        if partner == len(same):
            self.out.append(Words(token[0]))
            return token.end()
        code = self.text[token.end() : same[partner]].replace("\n", " ")
        if code.strip() and code[0] == code[-1] == " ":
            code = code[1:-1]
        self.out.append(Code(code))
        return same[partner] + len(token[0])

    def _link(self, token: re.Match[str]) -> int:
        target = _TARGET.match(self.text, token.end()) if self.brackets else None
        opened = self.brackets.pop() if self.brackets else 0
        url = (target["angled"] or target["url"]) if target else None
        if not target or not url:
            self.out.append(Words(token[0]))
            return token.end()
        inside = _merged(self.out[opened + 1 :]) or (Words(url),)
        self._wrap(opened, Link(inside, url, target["title"] or ""))
        self.brackets.clear()  # a link has no link inside
        return target.end()

    def _run(self, token: re.Match[str]) -> None:
        """Close what a run of marks can close; the rest of it opens, or is text."""
        opens, closes = self._flanks(token)
        rest = token[0]
        if closes and self.marks:
            for mark in self._closable(rest):
                if self._close(mark, token.start()):
                    rest = rest[len(mark) :]
        for mark in _OPENING.get(rest, ()) if opens else ():
            self.marks[mark] = (len(self.out), token.end())
            self.out.append(Words(mark))
            rest = ""
        if rest:
            self.out.append(Words(rest))

    def _closable(self, run: str) -> list[str]:
        """Return the open marks that a run closes, the innermost first."""
        marks = [mark for mark in _OPENING.get(run, ()) if mark in self.marks]
        return sorted(marks, key=lambda mark: self.marks[mark], reverse=True)

    def _close(self, mark: str, end: int) -> bool:
        opened, start = self.marks.pop(mark)
        if mark == "__" and not _SPACE.search(self.text, start, end):
            return False
        self._wrap(opened, _WRAPS[mark](_merged(self.out[opened + 1 :])))
        return True

    def _wrap(self, opened: int, whole: Inline) -> None:
        """Put one inline in the place of everything from an opening mark on."""
        del self.out[opened:]
        self.out.append(whole)
        self.marks = {mark: place for mark, place in self.marks.items() if place[0] < opened}
        while self.brackets and self.brackets[-1] >= opened:
            self.brackets.pop()

    def _flanks(self, token: re.Match[str]) -> tuple[bool, bool]:
        """Whether a run stands where it may open, and where it may close."""
        run, start, end = token[0], token.start(), token.end()
        before = self.text[start - 1] if start else " "
        after = self.text[end] if end < len(self.text) else " "
        opens, closes = not after.isspace(), not before.isspace()
        if run[0] == "_":
            return opens and not before.isalnum(), closes and not after.isalnum()
        if run[0] == "*":
            opens = opens and not (before.isascii() and before.isalnum())
            closes = closes and not (run == "*" and after.isascii() and after.isalnum())
        return opens, closes


def _merged(nodes: list[Inline]) -> tuple[Inline, ...]:
    """Join neighbouring words into one."""
    merged: list[Inline] = []
    words: list[str] = []
    for node in nodes:
        if isinstance(node, Words):
            words.append(node.text)
            continue
        if any(words):
            merged.append(Words("".join(words)))
        words.clear()
        merged.append(node)
    if any(words):
        merged.append(Words("".join(words)))
    return tuple(merged)
