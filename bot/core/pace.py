"""How fast one person may write, over all places: a bucket of messages that fills up again."""

from dataclasses import dataclass, field

COMMANDS = 30  # of one person in a minute: enough for everybody but a flood
MOST_KNOWN = 10_000  # people whose bucket is looked after


@dataclass(slots=True)
class Pace:
    """Counts by when messages were written, so that what is read back late is not too fast."""

    per_minute: int  # and the size of a bucket; 0: any number
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)  # person → messages, when

    def allows(self, person: str, at: float) -> bool:
        """Take one message out of a person's bucket, if there is one."""
        if not self.per_minute:
            return True
        left, before = self._left.pop(person, (float(self.per_minute), at))
        left = min(self.per_minute, left + max(at - before, 0.0) * self.per_minute / 60)
        if len(self._left) >= MOST_KNOWN:
            del self._left[next(iter(self._left))]  # who has not written for the longest time
        self._left[person] = (left - 1 if left >= 1 else left, max(at, before))
        return left >= 1

    def give_back(self, person: str) -> None:
        """Put back what was taken for nothing."""
        if person in self._left:
            left, at = self._left[person]
            self._left[person] = (left + 1, at)
