"""When people of the house are there: `mon-fri 09:00-18:00`, one line for each spell of a week."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LINE = re.compile(
    rf"(?P<first>{'|'.join(DAYS)})(?:-(?P<last>{'|'.join(DAYS)}))?\s+"
    r"(?P<begin>[0-2]\d:[0-5]\d)-(?P<end>[0-2]\d:[0-5]\d)"
)


@dataclass(frozen=True, slots=True)
class Spell:
    """One spell of a week, by the clock of the house."""

    days: tuple[int, ...]  # 0 is Monday
    begin: time
    end: time  # on the same day; 00:00 is midnight at its end

    @classmethod
    def read(cls, line: str) -> "Spell":
        """Read a line; raises ValueError when it is none."""
        found = _LINE.fullmatch(line.strip().lower())
        if found is None:
            raise ValueError("write it like mon-fri 09:00-18:00")
        first = DAYS.index(found["first"])
        count = (DAYS.index(found["last"] or found["first"]) - first) % 7 + 1
        days = tuple((first + day) % 7 for day in range(count))
        spell = cls(days, time.fromisoformat(found["begin"]), time.fromisoformat(found["end"]))
        if spell.end <= spell.begin and spell.end != time():
            raise ValueError("ends before it begins; write two lines for a night")
        return spell

    def covers(self, moment: datetime) -> bool:
        """Tell whether a moment lies in it."""
        ends = self.end == time() or moment.time() < self.end
        return moment.weekday() in self.days and self.begin <= moment.time() and ends


def opening(spells: Sequence[Spell], now: datetime) -> datetime | None:
    """Return when somebody will be there again; None when somebody is, or no hours are set."""
    if not spells or any(spell.covers(now) for spell in spells):
        return None
    begins = [
        moment
        for days in range(8)
        for spell in spells
        for moment in [datetime.combine(now.date() + timedelta(days=days), spell.begin, now.tzinfo)]
        if moment.weekday() in spell.days and moment > now
    ]
    return min(begins)


def told(moment: datetime, now: datetime) -> str:
    """Say when in words: "today at 09:00", "tomorrow at 09:00", "on Monday at 09:00"."""
    days = (moment.date() - now.date()).days
    day = ("today", "tomorrow")[days] if days < 2 else f"on {NAMES[moment.weekday()]}"
    return f"{day} at {moment:%H:%M}"
