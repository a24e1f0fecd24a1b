"""Backups: a consistent copy of a database, also of a running bot's, and the way back.

A backup is read through a connection of its own in one read transaction. In WAL mode this holds
nobody up, so it needs nothing of the running bot: neither its time nor its right to write where the
copy shall go.
"""

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from bot.backends.sqlite import copying, forgotten, schema
from bot.domain.errors import StoreError

HEADER = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat.html#the_database_header
SIDES = ("-wal", "-shm")  # what SQLite keeps beside a database in WAL mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is in a sound database."""

    schema: int
    bytes: int
    waiting: int  # messages that are not answered yet
    dead: int  # messages that were given up
    lines: int  # of all memories


def back_up(path: Path, target: Path, progress: copying.Progress | None = None) -> Facts:
    """Copy the database at `path` to `target`, which is replaced if it is there.

    Raises:
        StoreError: there is no database, it is damaged, or the copy cannot be written.
    """
    _expect(path)
    if target.is_dir() or _is_part_of(target, path):
        raise StoreError(f"{target}: is no name for a backup; name a new file in another folder")
    if target.exists() and not _is_database(target):
        raise StoreError(f"{target}: is there and is no backup, so it is not replaced")
    try:
        with closing(_reading(path, "mode=ro")) as db:
            db.execute("begin")
            facts = _facts(db, path)  # the first reading fixes what the copy will see
            copying.copy(db, target, progress)
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be copied to {target}: {error}") from error
    except OSError as error:
        raise StoreError(f"{target}: cannot be written: {error.strerror}") from error
    return facts


def _expect(path: Path) -> None:
    try:
        there = path.exists()
    except OSError as error:
        raise StoreError(
            f"the database {path} cannot be looked at ({error.strerror}); run this as its owner"
        ) from error
    if not there:
        raise StoreError(f"there is no database {path}; does --config name the right file?")


def _is_database(path: Path) -> bool:
    """Tell whether a file may be replaced by a backup: it is one, or it is empty."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(HEADER)) in (HEADER, b"")


def check(path: Path) -> Facts:
    """Read a whole backup.

    Raises:
        StoreError: it is missing, damaged, no database of Parley, or of a newer one.
    """
    if not path.is_file():
        raise StoreError(f"{path}: there is no such file")
    try:
        with closing(_reading(path)) as db:
            copying.verify(db)
            facts = _facts(db, path)
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path}: is no sound database: {error}; take another backup") from error
    if facts.schema > schema.newest():
        raise StoreError(f"{path}: was written by a newer Parley; update Parley first")
    return facts


def look(path: Path) -> Facts:
    """Count what is in the database of a bot, whether it runs or not.

    Raises:
        StoreError: there is no database, or it cannot be read.
    """
    _expect(path)
    with schema.explained(path), closing(_reading(path, "mode=ro")) as db:
        return _facts(db, path)


def restore(backup: Path, path: Path, progress: copying.Progress | None = None) -> Path | None:
    """Put a backup in the place of the database; returns under which name that one is kept.

    Who was forgotten since the backup was made is forgotten in it again.

    The change is one renaming: killed at any moment, one of the two databases is there as a whole.

    Raises:
        StoreError: the backup cannot be used, a bot runs, or the place cannot be written.
    """
    if _is_part_of(backup, path):
        raise StoreError(f"{backup}: is the database itself; name a backup")
    check(backup)
    with closing(schema.lock(path)):
        part = path.with_name(f"{path.name}.restoring")
        try:
            with closing(_reading(backup)) as db:
                copying.copy(db, part, progress)
            if _is_sound(path):
                forgotten.forget_again(part, path)
            _give_to_owner(part, path)
            kept = _keep(path)
            copying.put(part, path)
        except sqlite3.Error as error:
            raise StoreError(f"{backup} cannot be copied to {path}: {error}") from error
        except OSError as error:
            raise StoreError(f"{path}: cannot be replaced: {error.strerror}") from error
        finally:
            part.unlink(missing_ok=True)
    return kept


def _is_sound(path: Path) -> bool:
    """Tell whether a database can still say who was forgotten."""
    try:
        check(path)
    except StoreError:
        return False
    return True


def _keep(path: Path) -> Path | None:
    """Give the database a second name, and take away its log, which must not meet another one."""
    if path.stat().st_size == 0:  # there was none before the lock was taken
        return None
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("pragma wal_checkpoint(truncate)")
    kept = copying.free_name(path, "replaced")
    kept.hardlink_to(path)
    for side in SIDES:
        beside = Path(f"{path}{side}")
        if beside.exists():  # a damaged database could not take its log in
            beside.replace(f"{kept}{side}")
    return kept


def _give_to_owner(part: Path, path: Path) -> None:
    """Let root restore for the user that runs the bot."""
    if os.geteuid() == 0:
        owner = path.stat() if path.stat().st_size else path.parent.stat()
        for file in (part, Path(f"{path}.lock")):
            os.chown(file, owner.st_uid, owner.st_gid)


def _is_part_of(file: Path, path: Path) -> bool:
    own = {Path(f"{path}{side}").resolve() for side in ("", *SIDES, ".lock")}
    return file.resolve() in own or (file.exists() and path.exists() and file.samefile(path))


def _reading(path: Path, option: str = "") -> sqlite3.Connection:
    """Open a file to read; a backup without a log is taken as it is, wherever it lies."""
    option = option or ("mode=ro" if Path(f"{path}-wal").exists() else "immutable=1")
    uri = f"{path.absolute().as_uri()}?{option}"
    return sqlite3.connect(uri, uri=True, isolation_level=None)


def _facts(db: sqlite3.Connection, path: Path) -> Facts:
    (version,) = db.execute("pragma user_version").fetchone()
    (pages,) = db.execute("pragma page_count").fetchone()
    (page,) = db.execute("pragma page_size").fetchone()
    tables = {name for (name,) in db.execute("select name from sqlite_master")}
    if not version or "inbox" not in tables:
        raise StoreError(f"{path}: is no database of Parley")

    def count(table: str) -> int:
        name = table.partition(" ")[0]
        return (
            int(db.execute(f"select count(*) from {table}").fetchone()[0]) if name in tables else 0
        )

    return Facts(
        schema=version,
        bytes=pages * page,
        waiting=count("inbox where payload is not null"),
        dead=count("letters"),
        lines=count("lines"),
    )
