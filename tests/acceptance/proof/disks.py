"""A disk that remembers which bytes were synced, and loses the others when the power goes.

SQLite is given a file system (a VFS, https://www.sqlite.org/vfs.html) that writes to real files and
notes every write, truncation, sync, creation and deletion. `rebuilt` makes the files that a disk
would hold if the power had gone after the first so many of them:

- what a sync covered is there, whole;
- of the writes behind the last sync of a file either a random beginning is there, or any random
  part of them, cut at sectors of 512 bytes, in any order ("torn");
- a creation or deletion is there once any file was synced later, as on every journaling file
  system, and else by chance;
- writes whose sync *failed* stand in the file as its process reads it, but the disk may never get
  them, however many later syncs succeed: Linux drops them (https://lwn.net/Articles/752063/).
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import apsw

SECTOR = 512


class Step(NamedTuple):
    """One thing that SQLite asked of the disk."""

    kind: str  # create | write | truncate | sync | failed | delete
    name: str
    offset: int = 0
    data: bytes = b""


@dataclass
class Disk:
    """Everything that was asked of it, in order; one folder."""

    name: str
    steps: list[Step] = field(default_factory=list)
    full_sync: bool = True
    checkpoint_pages: int = 40  # SQLite's own default of 1,000 would make checkpoints rare here
    failing: Iterator[bool] = iter(())  # for each sync to come, whether it fails
    hidden: bool = False  # a sync that fails says that it succeeded

    def note(self, *step):
        self.steps.append(Step(*step))

    @contextmanager
    def under_the_store(self):
        """Let every database that is opened meanwhile in this process lie on this disk."""
        vfs = _FileSystem(self)
        with (
            patch("sqlite3.connect", lambda path, **_: _Connection(self, str(path))),
            patch("os.fsync", self._sync),
        ):
            try:
                yield
            finally:
                vfs.unregister()

    def _sync(self, file, *, sync=os.fsync):
        """Note what our own code, not SQLite, wrote anew and synced."""
        sync(file)
        path = Path(f"/proc/self/fd/{file if isinstance(file, int) else file.fileno()}")
        self.note("write", path.readlink().name, 0, path.read_bytes())
        self.note("sync", path.readlink().name)


class _FileSystem(apsw.VFS):
    def __init__(self, disk):
        super().__init__(disk.name, "")
        self._disk = disk

    def xOpen(self, name, flags):  # noqa: N802
        return _File(self._disk, name, flags)

    def xDelete(self, name, syncdir):  # noqa: N802
        self._disk.note("delete", Path(name).name)
        super().xDelete(name, syncdir)


class _File(apsw.VFSFile):
    def __init__(self, disk, name, flags):
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "temporary")
        self._disk, self._name = disk, path.name
        if not path.exists():
            disk.note("create", path.name)
        super().__init__("", name, flags)

    def xWrite(self, data, offset):  # noqa: N802
        self._disk.note("write", self._name, offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, size):  # noqa: N802
        self._disk.note("truncate", self._name, size)
        super().xTruncate(size)

    def xSync(self, flags):  # noqa: N802
        if next(self._disk.failing, False):
            self._disk.note("failed", self._name)
            if self._disk.hidden:
                return
            error = apsw.IOError("fsync: EIO")
            error.extendedresult = apsw.SQLITE_IOERR_FSYNC
            raise error
        super().xSync(flags)
        self._disk.note("sync", self._name)


class _Connection:
    """What the store uses of `sqlite3.Connection`, over another copy of SQLite."""

    def __init__(self, disk, path):
        self._disk = disk
        self._db = apsw.Connection(path, vfs=disk.name)
        self._db.execute(f"pragma wal_autocheckpoint={disk.checkpoint_pages}")

    def execute(self, sql, values=()):
        if sql == "pragma synchronous=full" and not self._disk.full_sync:
            sql = "pragma synchronous=normal"
        with _translated():
            return _Cursor(self._db, self._db.execute(sql, tuple(values)))

    def executemany(self, sql, rows):
        with _translated():
            self._db.executemany(sql, rows)

    def executescript(self, script):
        with _translated():
            self._db.execute(script)

    @property
    def in_transaction(self):
        return self._db.in_transaction

    def close(self):
        self._db.close()


class _Cursor:
    def __init__(self, db, cursor):
        self._cursor, self.rowcount = cursor, db.changes()

    def __iter__(self):
        return iter(self._cursor)

    def fetchone(self):
        with _translated():
            return self._cursor.fetchone()

    def fetchall(self):
        with _translated():
            return self._cursor.fetchall()


@contextmanager
def _translated():
    """Raise the standard library's errors, with SQLite's own code."""
    try:
        yield
    except apsw.Error as error:
        translated = sqlite3.OperationalError(str(error))
        translated.sqlite_errorcode = getattr(error, "extendedresult", 1)
        raise translated from error


# ---- what is left when the power goes


@dataclass
class _Written:
    """One file: what is surely on the disk, and what is on its way."""

    content: bytearray = field(default_factory=bytearray)
    pending: list[Step] = field(default_factory=list)
    doubtful: bool = True  # its creation or deletion is not on the disk yet
    deleted: bool = False


def rebuilt(steps, folder, dice):
    """Write the files that the disk would hold if the power had gone after `steps`."""
    files: dict[str, _Written] = {}
    for step in steps:
        match step.kind:
            case "create":
                files[step.name] = _Written()
            case "delete" if step.name in files:
                files[step.name].deleted = files[step.name].doubtful = True
            case "sync":
                _apply(files[step.name], files[step.name].pending)
                _settle(files)
            case "failed":
                _apply(files[step.name], _torn(files[step.name].pending, dice))
            case "write" | "truncate":
                files.setdefault(step.name, _Written()).pending.append(step)
    for name, file in files.items():
        if file.deleted != (file.doubtful and dice.random() < 0.5):
            continue
        left = _torn(file.pending, dice) if dice.random() < 0.5 else _beginning(file.pending, dice)
        _apply(file, left)
        (folder / name).write_bytes(file.content)


def seen(steps, folder):
    """Write the files as processes see them after `steps`, synced or not, failed or not."""
    files: dict[str, _Written] = {}
    for step in steps:
        match step.kind:
            case "create":
                files[step.name] = _Written()
            case "delete":
                files.pop(step.name, None)
            case "write" | "truncate":
                _apply(files.setdefault(step.name, _Written()), [step])
    for name, file in files.items():
        (folder / name).write_bytes(file.content)


def _settle(files):
    for name, file in list(files.items()):
        file.doubtful = False
        if file.deleted:
            del files[name]


def _apply(file, steps):
    for step in list(steps):
        if step.kind == "truncate":
            del file.content[step.offset :]
            continue
        if len(file.content) < step.offset:
            file.content.extend(bytes(step.offset - len(file.content)))
        file.content[step.offset : step.offset + len(step.data)] = step.data
    file.pending.clear()


def _beginning(steps, dice):
    return steps[: dice.randint(0, len(steps))]


def _torn(steps, dice):
    """Choose any sectors of any writes, in any order."""
    chance, chosen = dice.random(), []
    for step in steps:
        if step.kind == "truncate":
            chosen += [step] if dice.random() < chance else []
            continue
        for begin, end in _sectors(step):
            if dice.random() < chance:
                data = step.data[begin - step.offset : end - step.offset]
                chosen.append(step._replace(offset=begin, data=data))
    dice.shuffle(chosen)
    return chosen


def _sectors(step):
    begin, end = step.offset, step.offset + len(step.data)
    while begin < end:
        border = min(end, (begin // SECTOR + 1) * SECTOR)
        yield begin, border
        begin = border
