"""What was written when, and when its whole answer could be read."""

import asyncio
import math
import re
import time
from dataclasses import dataclass, field
from typing import Any

ANSWERED = re.compile(r"answer(\d+)end")  # the last words of an answer, in any markup
FIRST_CALLS = 100  # kept, so that one can tell whether a bot has connected


@dataclass(slots=True, eq=False)
class Letter:
    """One message of a person; times are those of `time.perf_counter`."""

    number: int
    shown: asyncio.Future[None]
    written: float = field(default_factory=time.perf_counter)
    answered: float = 0.0
    model: float = 0.0  # seconds that the model needed

    @property
    def added(self) -> float:
        """Seconds from writing to reading that are not the model's."""
        return self.answered - self.written - self.model


class Ledger:
    """Every letter of one run, by its number."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    def write(self) -> Letter:
        """Note a new letter, written now."""
        letter = Letter(len(self.letters), asyncio.get_running_loop().create_future())
        self.letters.append(letter)
        return letter

    def read(self, text: str) -> None:
        """Note whose answers a text on the screen completes."""
        for number in ANSWERED.findall(text):
            letter = self.letters[int(number)]
            if not letter.shown.done():
                letter.answered = time.perf_counter()
                letter.shown.set_result(None)


class Screen(list[Any]):
    """Takes the place of a fake's record of calls: reads each one and keeps the first few only."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger = ledger

    def append(self, call: Any) -> None:
        """Read what a call shows to people."""
        self.ledger.read(repr(call.args))
        if len(self) < FIRST_CALLS:
            super().append(call)


def percentile(values: list[float], percent: int) -> float:
    """Return the value that `percent` % of the values do not exceed."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]
