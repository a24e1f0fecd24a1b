"""Answers that can be told apart, and the count of what became of each message.

Every message carries a token (`#3-17`: room 3, message 17). The model answers with the token in
front (`#3-17 `), numbers it through a long answer (`#3-17/1`), and closes it at the very end
(`#3-17.`), so that a complete answer, a partial one, one with a part too many and a foreign one look
different, in one message or in several.
"""

import itertools
import re
import zlib
from collections import Counter
from dataclasses import asdict, dataclass

TOKEN = re.compile(r"#(\d+-\d+)")
MARK = re.compile(r"#(\d+-\d+)( |/\d+|\.)")
PLACEHOLDER = "…"
STRIDE = 400  # characters of a long answer between two marks


@dataclass
class Count:
    """What became of every message."""

    messages: int = 0
    lost: int = 0
    doubled: int = 0
    swapped: int = 0
    crossed: int = 0
    partial: int = 0  # answers that left a piece behind, or lack one
    placeholders: int = 0  # "…" without an answer: a bubble, not a message lost

    def row(self):
        return list(asdict(self).values())

    def broken(self):
        """How often a promise was broken; a placeholder breaks none."""
        return self.lost + self.doubled + self.swapped + self.crossed + self.partial

    def __add__(self, other):
        return Count(*map(sum, zip(self.row(), other.row(), strict=True)))


def compared(room, sent, shown, shapes):
    """Compare what a room's person wrote with the texts that they see."""
    result = Count(messages=sent, placeholders=shown.count(PLACEHOLDER))
    marks = [mark for text in shown for mark in MARK.findall(text)]
    times, order = Counter(marks), {}
    for number in range(sent):
        token = f"{room}-{number}"
        expected = [(token, mark) for mark in shapes.marks(token)]
        copies = {times[mark] for mark in expected}
        result.lost += not times[token, "."]
        result.doubled += max(0, max(copies) - 1)
        result.partial += len(copies) > 1
        order |= {mark: len(order) + n for n, mark in enumerate(expected)}
    result.crossed = sum(mark not in order for mark in times)
    places = [order[mark] for mark in dict.fromkeys(marks) if mark in order]
    result.swapped = sum(after < before for before, after in itertools.pairwise(places))
    return result


def foreign(body):
    """Whether a prompt holds tokens of more than one room."""
    rooms = {
        token.split("-")[0] for line in body["messages"] for token in TOKEN.findall(line["content"])
    }
    return len(rooms) > 1


@dataclass(frozen=True)
class Shapes:
    """How long answers are: all short, or with some slow ones and some of several messages."""

    limit: int = 0  # characters of one message; 0: all are short

    def marks(self, token):
        """Return the marks of an answer, in order."""
        inner = int(2.3 * self.limit / STRIDE) if self._share(token) == 0 else 0
        return [" ", *(f"/{number}" for number in range(1, inner + 1)), "."]

    def chunks(self, token):
        """Return in how many pieces the model says it."""
        return 80 if self.limit and self._share(token) < 2 else 10

    def answer(self, token):
        """Return the text of an answer."""
        words = " ".join(f"word{number}" for number in range(24))
        inner = ("and so on " * (STRIDE // 10)).strip()
        said = [
            f"#{token} {words}",
            *(f"#{token}{mark} {inner}" for mark in self.marks(token)[1:-1]),
        ]
        return "\n\n".join(said) + f" #{token}."

    @staticmethod
    def _share(token):
        return zlib.crc32(token.encode()) % 10
