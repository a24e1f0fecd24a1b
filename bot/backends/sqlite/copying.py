"""Whole copies of a database: beside it, checked, then renamed, so that none is ever half there.

A copy is one file that only its owner reads. It leaves WAL mode, which would need files beside it.
"""

import mmap
import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from itertools import chain, count
from pathlib import Path
from urllib.parse import unquote

PAGES = 2048  # copied at a time; between them the progress is told
KEPT = 3  # copies from before a migration

Progress = Callable[[int, int], None]  # pages that are copied, pages in all


def copy(db: sqlite3.Connection, target: Path, progress: Progress | None = None) -> None:
    """Copy what `db` sees at this moment to `target`, which is replaced if it is there.

    Raises:
        OSError: the place cannot be written.
        sqlite3.Error: the source cannot be read, the disk is full, or the copy is damaged.
    """
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(part, isolation_level=None)) as copied:
            db.backup(copied, pages=PAGES, progress=_telling(progress), sleep=0.01)
            copied.execute("pragma journal_mode=delete")
            verify(copied)
        put(part, target)
    finally:
        part.unlink(missing_ok=True)


def verify(db: sqlite3.Connection) -> None:
    """Read the whole database; raises sqlite3.DatabaseError when it is damaged."""
    (found,) = db.execute("pragma integrity_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(found)


def put(part: Path, target: Path) -> None:
    """Rename a file over another so that it is there after a power cut, too."""
    _flush(part)
    part.replace(target)
    _flush(target.parent)


def keep_before(db: sqlite3.Connection, path: Path, version: int) -> Path:
    """Keep a copy of the database as it is before its schema changes; only the newest few stay."""
    kept = free_name(path, f"v{version}")
    copy(db, kept)
    for old in copies(path)[KEPT:]:
        old.unlink(missing_ok=True)
    return kept


def copies(path: Path) -> list[Path]:
    """Return the copies that were kept before migrations, newest first."""
    found = path.parent.glob(f"{path.name}.v[0-9]*-*Z*")
    whole = [copied for copied in found if copied.suffix != ".part"]
    return sorted(whole, key=lambda copied: copied.stat().st_mtime_ns, reverse=True)


def leftovers(path: Path) -> list[Path]:
    """Return all that may hold rows from before: copies, replaced databases, halves of either."""
    kept = (f"{path.name}.v[0-9]*-*Z*", f"{path.name}.replaced-*Z*", f"{path.name}.restoring*")
    return sorted(found for pattern in kept for found in path.parent.glob(pattern))


def mentions(path: Path, people: Iterable[str]) -> bool:
    """Tell whether a file may say anything of people (`platform:workspace:user`).

    Every row that holds somebody's words holds their id beside them, whatever version wrote it and
    however damaged the file is.
    """
    ids = {unquote(person.rpartition(":")[2]).encode() for person in people}
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
            return any(held.find(id) >= 0 for id in ids)
    except (OSError, ValueError):  # it cannot be read, or is empty
        return True


def free_name(path: Path, word: str) -> Path:
    """Return a dated name beside the database that nothing has yet."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    dated = path.with_name(f"{path.name}.{word}-{stamp}")
    further = (dated.with_name(f"{dated.name}-{number}") for number in count(2))
    return next(name for name in chain((dated,), further) if not name.exists())


def _telling(progress: Progress | None) -> Callable[[int, int, int], None] | None:
    return progress and (lambda _, left, whole: progress(whole - left, whole))


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
