"""Cut a long answer into messages without losing a character.

Joining the slices' sources gives the text back. A code fence that a cut goes through is closed in
one message and opened again, with its language, in the next. The length is measured after
rendering, in the platform's own unit. A cut depends only on the text before it (plus one limit's
worth), so parts that were posted while the answer was still growing keep their boundaries. There
is one exception: a fence that closes just at the limit takes more room before its last line is
there, because a closing line is added to it. For its sake, say with `ends` what was posted.

Platforms reject blank messages and trim blank lines, so whitespace never makes a message of its
own: what is left of it at a cut belongs to the part before, shown or not.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters.kit.fences import Edge, edges, left_open

_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)*")
_SPACE = re.compile(r"\s*")
_SENTENCE = re.compile(r"(?<!\d)[.!?…][\"'”’)\]*_]*\s+|[。！？]")
_MARKS = re.compile(r"[ \t]*(?:```|~~~)")
_ZWJ = "\u200d"


@dataclass(frozen=True, slots=True)
class Slice:
    """One message's share: `text[start:end]`, and what is shown of it (fences made whole)."""

    start: int
    end: int
    shown: str


def split(
    text: str, limit: int, measure: Callable[[str], int] = len, *, ends: Sequence[int] = ()
) -> list[Slice]:
    """Return the messages that carry `text`, each at most `limit` long by `measure(shown)`.

    Args:
        text: Markdown.
        limit: in the unit of `measure`; one that is shorter than a single character is exceeded,
            one that is too short for a fence leaves fences open.
        measure: length of a shown slice as the platform counts it, after rendering.
        ends: end offsets of parts that are posted already; their boundaries do not move.
    """
    cutter = _Cutter(text, limit, measure)
    slices: list[Slice] = []
    start = 0
    while start < len(text):
        fixed = ends[len(slices)] if len(slices) < len(ends) else None
        piece = cutter.slice(start, fixed)
        slices.append(piece)
        start = piece.end
    return slices


def utf16(text: str) -> int:
    """Length in UTF-16 code units, as Telegram counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


class _Cutter:
    """One text on its way to slices."""

    def __init__(self, text: str, limit: int, measure: Callable[[str], int]) -> None:
        self.text = text
        self.limit = limit
        self.measure = measure
        self.fenced = "```" in text or "~~~" in text
        self.edges = list(edges(text))
        self.edge_ends = [edge.end for edge in self.edges]

    def slice(self, start: int, fixed: int | None) -> Slice:
        """Cut the part that begins at `start`; `fixed` is where it ends, if that is settled."""
        begin = self._begin(start)
        if fixed is None:
            furthest = self._furthest(begin)
            cut = self._cut(begin, furthest)
            end = self._swallow(cut)
            if not self.text[cut:end].strip():
                cut = min(end, furthest)
        else:
            end = self._without_blank_rest(max(start + 1, min(fixed, len(self.text))))
            cut = end if self._fits(begin, end) else min(end, self._furthest(begin))
        return Slice(start, end, self._show(begin, cut))

    def _begin(self, start: int) -> int:
        """Skip what would be trimmed: blank lines, or more than a message of mere spaces."""
        begin = _end_of(_BLANK_LINES, self.text, start)
        words = _end_of(_SPACE, self.text, begin)
        return words if words - begin >= self.limit and words < len(self.text) else begin

    def _fence(self, at: int) -> Edge | None:
        """Return the fence that is open when the text is cut at `at`."""
        last = bisect_right(self.edge_ends, at) - 1
        return self.edges[last] if last >= 0 and self.edges[last].opens else None

    def _show(self, begin: int, cut: int) -> str:
        """Return what is shown of a part: its text with its fences made whole."""
        shown = self.text[begin:cut]
        if not self.fenced:
            return shown
        before = self._fence(begin)
        if before:
            shown = f"{before.alone.opening}\n{shown}"
        after = self._left_open(begin, cut, shown)
        if after:
            closing = (after.alone if before else after).closing
            shown += closing if shown.endswith("\n") else f"\n{closing}"
        return shown

    def _left_open(self, begin: int, cut: int, shown: str) -> Edge | None:
        """Return the fence to close, be it one by accident: a cut moves marks to a line's begin."""
        if begin and self.text[begin - 1] != "\n" and _MARKS.match(self.text, begin):
            return left_open(shown)
        fence = self._fence(cut)
        if fence:
            return left_open(shown) if fence.start < begin < fence.end else fence
        if cut < len(self.text) and self.text[cut] != "\n":
            return left_open(self.text[max(begin, self.text.rfind("\n", 0, cut) + 1) : cut])
        return None

    def _fits(self, begin: int, cut: int) -> bool:
        return self.measure(self._show(begin, self._off_edge(begin, cut))) <= self.limit

    def _off_edge(self, begin: int, cut: int) -> int:
        """Move a cut that goes through a fence's own line to the begin of that line."""
        following = bisect_right(self.edge_ends, cut)
        if following < len(self.edges) and begin < self.edges[following].start < cut:
            return self.edges[following].start
        return cut

    def _furthest(self, begin: int) -> int:
        """Return the furthest cut that fits; steps do not depend on how far the text goes."""
        size = len(self.text)
        if size - begin <= 2 * self.limit and self._fits(begin, size):
            return size
        fitting, beyond = begin, begin + self.limit
        while beyond < size and self._fits(begin, beyond):
            fitting, beyond = beyond, beyond + self.limit
        beyond = min(beyond, size + 1)
        while beyond - fitting > 1:
            middle = (fitting + beyond) // 2
            if self._fits(begin, middle):
                fitting = middle
            else:
                beyond = middle
        if fitting > begin:
            return self._off_edge(begin, fitting)
        if self.fenced:  # not even a character fits between a fence's two lines
            self.fenced, self.edges, self.edge_ends = False, [], []
            return self._furthest(begin)
        return begin + 1

    def _cut(self, begin: int, furthest: int) -> int:
        """Choose the best place to cut in the second half of what fits."""
        if furthest == len(self.text):
            return furthest
        half = begin + (furthest - begin + 1) // 2
        cut = (
            self._line_cut(half, furthest)
            or max(
                (found.end() for found in _SENTENCE.finditer(self.text, half, furthest)), default=0
            )
            or self._space_cut(half, furthest)
            or self._character_cut(half, furthest)
        )
        return self._off_code(begin, cut)

    def _off_code(self, begin: int, cut: int) -> int:
        """Move a cut that goes through inline code to its begin: half of it would be mere text."""
        line = max(begin, self.text.rfind("\n", begin, cut) + 1)
        before, tick, _ = self.text[line:cut].rpartition("`")
        if not tick or before.count("`") % 2 or self._fence(cut) or self._ends_fence(line, cut):
            return cut
        code = line + len(before.rstrip("`"))
        return code if self.text[begin:code].strip() else cut

    def _ends_fence(self, line: int, cut: int) -> bool:
        """Tell whether the line before a cut is a fence's own: its marks are no inline code."""
        last = bisect_right(self.edge_ends, cut) - 1
        return last >= 0 and self.edges[last].start >= line

    def _line_cut(self, half: int, furthest: int) -> int:
        """Return the last line's end, if possible outside of fences and behind a paragraph."""
        text, best, best_rank = self.text, 0, 0
        at = furthest + 1 if text[furthest] == "\n" else text.rfind("\n", half, furthest) + 1
        while at > half:
            line = text.rfind("\n", 0, at - 1) + 1
            rank = 2 if text[line : at - 1].strip() == "" else 1
            fence = self._fence(at)
            if fence is None:
                rank += 2
            elif not text[fence.end : at].strip():
                rank = 0  # nothing but the opening line would be shown of this fence
            if rank > best_rank:
                best, best_rank = at, rank
            at = line
        return min(best, furthest)

    def _space_cut(self, half: int, furthest: int) -> int:
        if self.text[furthest].isspace():
            return furthest
        return max(self.text.rfind(" ", half, furthest), self.text.rfind("\t", half, furthest)) + 1

    def _character_cut(self, half: int, furthest: int) -> int:
        cut = furthest
        while cut > half and _joined(self.text, cut):
            cut -= 1
        return cut if cut > half else furthest

    def _swallow(self, cut: int) -> int:
        """Give a part the whitespace behind it, and the closing line that it shows anyway."""
        end = _end_of(_BLANK_LINES, self.text, cut)
        if self._fence(cut):
            following = self.edges[bisect_right(self.edge_ends, cut) :][:1]
            if following and not self.text[end : following[0].start].strip():
                end = _end_of(_BLANK_LINES, self.text, following[0].end)
        if end and self.text[end - 1] != "\n":
            end = _end_of(_SPACE, self.text, end)
        return self._without_blank_rest(end)

    def _without_blank_rest(self, end: int) -> int:
        rest = _end_of(_SPACE, self.text, end)
        return rest if rest == len(self.text) else end


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    """Where a pattern that also matches nothing ends."""
    found = pattern.match(text, start)
    return found.end() if found else start


def _joined(text: str, at: int) -> bool:
    """Whether a cut would part what is seen as one character (roughly Unicode's annex 29)."""
    before, after = text[at - 1], text[at]
    if _ZWJ in (before, after) or (before == "\r" and after == "\n"):
        return True
    if "\U0001f1e6" <= after <= "\U0001f1ff":
        flags = at
        while flags > 0 and "\U0001f1e6" <= text[flags - 1] <= "\U0001f1ff":
            flags -= 1
        return (at - flags) % 2 == 1
    skin_or_tag = "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f"
    return skin_or_tag or unicodedata.category(after)[0] == "M"
