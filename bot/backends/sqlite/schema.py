"""Open the database file: one process at a time, the newest schema, or one clear sentence."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TextIO

from bot.backends.sqlite import copying
from bot.domain.errors import StoreError, StoreInUse

PRAGMAS = (
    "pragma journal_mode=wal",
    "pragma synchronous=full",
    "pragma busy_timeout=5000",
    "pragma foreign_keys=on",
    "pragma secure_delete=on",
    "pragma journal_size_limit=67108864",
)
HINTS = {  # what an operator does about a database that cannot be used
    sqlite3.SQLITE_READONLY: "make it and its folder writable for the user that runs Parley",
    sqlite3.SQLITE_CANTOPEN: "make it and its folder writable for the user that runs Parley",
    sqlite3.SQLITE_FULL: "free some space",
    sqlite3.SQLITE_BUSY: "another program holds it: stop that first",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """From which version of the schema to which one, and the copy from before, if one was kept."""

    before: int
    after: int
    copy: Path | None = None


def expect(path: Path) -> None:
    """Do not begin anew, unseen, where a database was before.

    Raises:
        StoreError: it is gone.
    """
    mark = Path(f"{path}.lock")
    try:
        gone = mark.exists() and not path.exists()
    except OSError:  # `lock` will say it
        return
    if gone:
        raise StoreError(
            f"the database {path} is gone; put it back or `parley restore FILE`, "
            f"or delete {mark} to begin with an empty one"
        )


def lock(path: Path) -> TextIO:
    """Make this the only process that uses the database at `path`; close the file to let go.

    Raises:
        StoreInUse: another process holds it.
        StoreError: the directory cannot be written.
    """
    try:
        for folder in [f for f in reversed((path.parent, *path.parent.parents)) if not f.exists()]:
            folder.mkdir(mode=0o700)
        path.touch(mode=0o600)
        if path.is_file():
            path.chmod(0o600)  # SQLite gives its side files the rights of the database
        holder = Path(f"{path}.lock").open("a+", encoding="ascii")  # noqa: SIM115
        Path(holder.name).chmod(0o600)
    except OSError as error:
        raise StoreError(
            f"the data directory {path.parent} cannot be written: {error.strerror}; "
            "it must belong to the user that runs Parley, on a file system that is not read-only"
        ) from error
    try:
        fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder.seek(0)
        owner = holder.read().strip() or "unknown"
        holder.close()
        raise StoreInUse(
            f"another Parley (process {owner}) uses {path.parent}; stop it first, "
            "or give this one its own data_dir"
        ) from error
    holder.truncate(0)
    holder.write(str(os.getpid()))
    holder.flush()
    return holder


def settle(path: Path) -> None:
    """Write anew the log that a process has left behind.

    After a failed flush the system may show pages that never reached the disk, and take them for
    clean; what is built upon them would be lost or corrupt after a power cut.

    Raises:
        StoreError: it cannot be written.
    """
    log = Path(f"{path}-wal")
    try:
        if log.exists():
            with log.open("r+b") as file:
                content = file.read()
                file.seek(0)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(f"the file {log} cannot be written: {error.strerror}") from error


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite says about the database at `path` into one sentence for the operator.

    Raises:
        StoreError: with what to do about it.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        hint = HINTS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "")
        raise StoreError(
            f"the database {path} cannot be used: {error}{hint and f'; {hint}'}"
        ) from error
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"the database {path} is corrupt ({error}); `parley restore FILE` puts a backup in its "
            "place, or move it away to begin anew"
        ) from error


def prepare(db: sqlite3.Connection, path: Path) -> Migration:
    """Check the file, set the pragmas and bring the schema up to date.

    Raises:
        StoreError: the file is corrupt, read-only, or written by a newer Parley.
    """
    with explained(path):
        version = int(db.execute("pragma user_version").fetchone()[0])
        if version == 0:
            db.execute("pragma auto_vacuum=incremental")
        for pragma in PRAGMAS:
            db.execute(pragma)
        if version and db.execute("pragma quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("quick_check failed")
        return _migrate(db, version, path)


def migrate(path: Path) -> Migration:
    """Bring the database of a bot that does not run up to date; makes one where there is none.

    Raises:
        StoreError: a bot runs, or the file is corrupt, read-only, or written by a newer Parley.
    """
    with (
        closing(lock(path)),
        explained(path),
        closing(sqlite3.connect(path, isolation_level=None)) as db,
    ):
        return prepare(db, path)


def newest() -> int:
    """Return the version of the schema that this Parley writes."""
    return len(_scripts())


def _migrate(db: sqlite3.Connection, version: int, path: Path) -> Migration:
    scripts = _scripts()
    if version > len(scripts):
        raise StoreError(
            f"the database {path} was written by a newer Parley (schema {version}, this one knows "
            f"{len(scripts)}); update Parley, or `parley restore {_copy(path)}` an older backup"
        )
    copy = _kept(db, path, version) if 0 < version < len(scripts) else None
    for number, script in enumerate(scripts[version:], version + 1):
        db.executescript(
            f"begin immediate;\n{script.read_text()}\npragma user_version={number};\ncommit;"
        )
    return Migration(before=version, after=len(scripts), copy=copy)


def _kept(db: sqlite3.Connection, path: Path, version: int) -> Path:
    try:
        return copying.keep_before(db, path, version)
    except (OSError, sqlite3.OperationalError) as error:
        raise StoreError(
            f"the database {path} cannot be copied before its schema is brought up to date "
            f"({error}); free some space in {path.parent} and start again"
        ) from error


def _scripts() -> list[Traversable]:
    entries = resources.files(f"{__package__}.migrations").iterdir()
    return sorted((e for e in entries if e.name.endswith(".sql")), key=lambda entry: entry.name)


def _copy(path: Path) -> str:
    """Name the newest copy that is there, for a sentence."""
    copies = copying.copies(path)
    return str(copies[0]) if copies else "FILE"
