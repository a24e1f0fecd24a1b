"""Whether the database that was opened is still the file at its path.

Whoever moves, replaces or deletes it under a running bot would let it write into a file that nobody
finds again: nothing may be acknowledged then.
"""

import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bot.backends.sqlite.writer import WriterConnection
from bot.domain.errors import StoreError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ownership:
    """The database and its lock as they were when they were opened."""

    path: Path
    _identities: dict[str, tuple[int, int] | None] = field(default_factory=dict)

    def remember(self) -> None:
        """Note which files these are."""
        for path in (str(self.path), f"{self.path}.lock"):
            self._identities[path] = _identity(path)

    def complaint(self) -> str:
        """Return a sentence when one of the files is not the same any more, else nothing."""
        for path, identity in self._identities.items():
            if (now := _identity(path)) != identity:
                what = "replaced" if now else "moved or deleted"
                return f"{path} was {what} while Parley was using it; nothing is stored any more"
        return ""


class OwnedConnection(WriterConnection):
    """Refuses to work on a file that is not at its path any more."""

    def __init__(self, ownership: Ownership) -> None:
        super().__init__(lambda: sqlite3.connect(ownership.path, isolation_level=None), 64)
        self.ownership = ownership

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` if the file is still there; raises StoreError if not."""

        def owned(db: sqlite3.Connection) -> T:
            if complaint := self.ownership.complaint():
                raise StoreError(complaint)
            return work(db)

        return await super().run(owned)


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - of a `Path` it costs three times as much
    except OSError:
        return None
    return found.st_dev, found.st_ino
