"""How a line begins: code fences, commands of other bots, imitated notices.

A fence leaves with three backticks and at most three columns from the margin: there it is a fence
for everybody, whatever list item or quotation is around it.
"""

import re
from dataclasses import dataclass

from bot.core import sentences

LONGEST = 2_000  # characters of a line that are looked at together
_MARKER = r"[-*+]|[0-9]{1,9}[.)]"
PARTIAL = re.compile(rf"[ \t]{{0,64}}(?:(?:{_MARKER}|[0-9]{{1,9}})[ \t]{{0,4}})?\Z")
START = re.compile(rf"([ \t]{{0,64}})((?:{_MARKER})[ \t]{{1,4}}(?=\S))?")
FENCE = re.compile(r"(`{3,}|~{3,})([^\n]*)")
COMMAND = re.compile(r"[/!.?$%&;+=^~-]{1,2}(?<!~~)[A-Za-z]\w{0,31}(?=\s|\Z)", re.ASCII)
_SIGNS = re.compile(r"[\W_]+")
_IMITATED = re.compile(
    r"[*_\s]*\[[*_\s]*(?:system|notice|staff|operator|admin|moderator|bot)\b", re.IGNORECASE
)
NOTICE = 64  # characters that tell whether a line imitates a notice


@dataclass(frozen=True, slots=True)
class Fence:
    """An open code fence."""

    marks: str
    indent: int  # columns before the marks that opened it

    @property
    def margin(self) -> str:
        """What it is shown with: further right it might be mere text."""
        return " " * min(self.indent, 3)

    def closes(self, line: str) -> bool:
        """Tell whether a line closes it."""
        marks = line.strip(" \t")
        margin = len(line) - len(line.lstrip(" \t"))
        return (
            marks.startswith(self.marks)
            and not marks.strip(self.marks[0])
            and len(line[:margin].expandtabs(4)) <= self.indent + 3
        )

    def moved(self, line: str) -> str:
        """Return a line of code at the fence's own columns: further left it might leave a list."""
        if not line.strip():
            return line.strip(" \t")
        margin = len(line) - len(line.lstrip(" \t"))
        columns = len(line[:margin].expandtabs(4))
        return self.margin + " " * max(0, columns - self.indent) + line[margin:]


def imitates(line: str) -> bool:
    """Tell whether a line looks like a sentence that only the bot itself says."""
    if _IMITATED.match(line):
        return True
    bare = _SIGNS.sub("", line).lower()
    return any(bare == notice or (long and bare.startswith(long)) for notice, long in _NOTICES)


def _notices() -> list[tuple[str, str]]:
    said = (*sentences.ENDINGS.values(), sentences.CUT_NOTE)
    bare = [_SIGNS.sub("", sentence).lower() for sentence in said]
    return [(notice, notice[:20] if len(notice) > 20 else "") for notice in bare]


_NOTICES = _notices()
