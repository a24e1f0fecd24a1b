"""What was read of the library lately, kept until anything in it changes."""

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Edition:
    """The library between two changes; whatever is kept of it goes with the next one.

    Where another process changes the documents, nothing is heard of it, so nothing is kept.
    """

    def __init__(self, *, borrowed: bool = False) -> None:
        self.borrowed = borrowed
        self.number = 0
        self._recent: list[Recent[object, object]] = []

    def keep(self, most: int) -> "Recent[K, V]":
        """Return a place for at most so much of what is read."""
        recent: Recent[K, V] = Recent(self, most)
        self._recent.append(recent)  # type: ignore[arg-type]
        return recent

    def change(self) -> None:
        """Let go of all that was kept; what is being read now is of the edition before."""
        self.number += 1
        for recent in self._recent:
            recent.clear()


class Recent(Generic[K, V]):
    """Values by key, the last ones that were put here."""

    def __init__(self, edition: Edition, most: int) -> None:
        self._edition, self._most = edition, most
        self._values: dict[K, tuple[V, int]] = {}
        self._weight = 0

    def get(self, key: K) -> V | None:
        """Return what is kept under a key."""
        kept = self._values.get(key)
        return kept[0] if kept else None

    def put(self, key: K, value: V, edition: int, weight: int = 1) -> None:
        """Keep a value, unless it was read of an `edition` that is no more."""
        if self._edition.borrowed or edition != self._edition.number or key in self._values:
            return
        self._values[key] = (value, weight)
        self._weight += weight
        while self._weight > self._most:
            _, gone = self._values.pop(next(iter(self._values)))
            self._weight -= gone

    def clear(self) -> None:
        """Let go of everything."""
        self._values.clear()
        self._weight = 0
