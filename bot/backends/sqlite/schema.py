"""Open the database file: one process at a time, the newest schema, or one clear sentence."""

import fcntl
import os
import sqlite3
from importlib import resources
from pathlib import Path
from typing import TextIO

from bot.domain.errors import StoreError

PRAGMAS = (
    "pragma journal_mode=wal",
    "pragma synchronous=full",
    "pragma busy_timeout=5000",
    "pragma foreign_keys=on",
    "pragma secure_delete=on",
    "pragma journal_size_limit=67108864",
)


def lock(path: Path) -> TextIO:
    """Make this the only process that uses the database at `path`; close the file to let go.

    Raises:
        StoreError: another process holds it, or the directory cannot be written.
    """
    try:
        for folder in [f for f in reversed((path.parent, *path.parent.parents)) if not f.exists()]:
            folder.mkdir(mode=0o700)
        path.touch(mode=0o600)  # SQLite gives its side files the rights of the database
        holder = Path(f"{path}.lock").open("a+", encoding="ascii")  # noqa: SIM115
        Path(holder.name).chmod(0o600)
    except OSError as error:
        raise StoreError(
            f"the data directory {path.parent} cannot be written: {error.strerror}"
        ) from error
    try:
        fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder.seek(0)
        owner = holder.read().strip() or "unknown"
        holder.close()
        raise StoreError(
            f"another Parley (process {owner}) uses {path.parent}; stop it first, "
            "or give this one its own data_dir"
        ) from error
    holder.truncate(0)
    holder.write(str(os.getpid()))
    holder.flush()
    return holder


def prepare(db: sqlite3.Connection, path: Path) -> None:
    """Check the file, set the pragmas and bring the schema up to date.

    Raises:
        StoreError: the file is corrupt, read-only, or written by a newer Parley.
    """
    try:
        version = int(db.execute("pragma user_version").fetchone()[0])
        if version == 0:
            db.execute("pragma auto_vacuum=incremental")
        for pragma in PRAGMAS:
            db.execute(pragma)
        if version and db.execute("pragma quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("quick_check failed")
        _migrate(db, version, path)
        path.chmod(0o600)
    except sqlite3.OperationalError as error:
        raise StoreError(f"the database {path} cannot be used: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"the database {path} is corrupt ({error}); put a backup in its place, "
            "or move it away to begin anew"
        ) from error


def _migrate(db: sqlite3.Connection, version: int, path: Path) -> None:
    scripts = sorted(
        (entry for entry in resources.files(f"{__package__}.migrations").iterdir()
         if entry.name.endswith(".sql")), key=lambda entry: entry.name)  # fmt: skip
    if version > len(scripts):
        raise StoreError(
            f"the database {path} was written by a newer Parley (schema {version}, "
            f"this one knows {len(scripts)}); update Parley"
        )
    for number, script in enumerate(scripts[version:], version + 1):
        db.executescript(
            f"begin immediate;\n{script.read_text()}\npragma user_version={number};\ncommit;"
        )
