"""What was read of the library lately, kept until anything in it changes."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Edition:
    """The library between two changes; whatever is kept of it goes with the next one.

    Where another process changes the documents, nothing is heard of it, so nothing is kept.
    """

    def __init__(self, *, borrowed: bool = False) -> None:
        self.borrowed = borrowed
        self.number = 0
        self._kept: list[Recent[Any, Any]] = []

    def keep(self, most: int, weigh: Callable[[K, V], int]) -> "Recent[K, V]":
        """Return a place for values that weigh so much together, at most."""
        recent = Recent(self, most, weigh)
        self._kept.append(recent)
        return recent

    def change(self) -> None:
        """Let go of all that was kept; what is being read now is of the edition before."""
        self.number += 1
        for recent in self._kept:
            recent.clear()


class Recent(Generic[K, V]):
    """Values by key: the last ones that were read, but none that weighs nothing."""

    def __init__(self, edition: Edition, most: int, weigh: Callable[[K, V], int]) -> None:
        self._edition, self._most, self._weigh = edition, most, weigh
        self._values: dict[K, V] = {}
        self._weight = 0

    async def read(
        self, keys: Sequence[K], missing: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]
    ) -> dict[K, V]:
        """Return values by key: those that are kept, and what is found of the missing ones."""
        found = {key: self._values[key] for key in keys if key in self._values}
        unknown = [key for key in keys if key not in found]
        if not unknown:
            return found
        edition = self._edition.number
        read = await missing(unknown)
        if edition == self._edition.number and not self._edition.borrowed:
            self._keep(read)
        return found | {**read}

    def clear(self) -> None:
        """Let go of everything."""
        self._values.clear()
        self._weight = 0

    def _keep(self, read: Mapping[K, V]) -> None:
        for key, value in read.items():
            if key not in self._values and (weight := self._weigh(key, value)):
                self._values[key] = value
                self._weight += weight
        while self._weight > self._most:
            oldest = next(iter(self._values))
            self._weight -= self._weigh(oldest, self._values.pop(oldest))
