"""Backups, restoring and migrations on real files, with processes that are really killed."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from importlib import resources
from pathlib import Path

import orjson
import pytest

from bot.backends.sqlite import schema
from bot.backends.sqlite.backup import back_up, check, look, restore
from bot.backends.sqlite.copying import copies
from bot.backends.sqlite.store import opened
from bot.domain.errors import StoreError
from bot.domain.events import Attachment
from bot.ports.store import Result
from tests.events import message

BEFORE = b"SQLite format 3\0 the one from before"
LINE = """insert into lines (memory, lane, event, message, role, person, name, text, size, at)
values ('m', 'l', 'e', '1', 'user', 'p', '', ?, 1, 0.0)"""


async def store_with(path, *texts):
    """Make a database with lines of memory and one message that waits."""
    async with opened(path) as store:
        await store.lanes.ingest(message(), lane="lane", memory="memory")
    with closing(sqlite3.connect(path)) as db, db:
        db.executemany(LINE, [(text,) for text in texts])


def old_store(path, lines=3):
    """Make a database as the first version left it."""
    script = resources.files("bot.backends.sqlite.migrations") / "0001_lanes.sql"
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(f"pragma journal_mode=wal;{script.read_text()}pragma user_version=1;")
        db.executemany(LINE, [(str(n),) for n in range(lines)])


def ran(program, *arguments):
    """Run a program to its end; returns whether it was killed."""
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], check=False, timeout=60,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


# Migrations -------------------------------------------------------------------------------------

MIGRATE = """
import os, signal, sqlite3, sys
from bot.backends.sqlite import schema
from pathlib import Path
path, left = Path(sys.argv[1]), int(sys.argv[2])
def count(statement):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
db = sqlite3.connect(path, isolation_level=None)
db.set_trace_callback(count)
schema.prepare(db, path)
"""


@pytest.mark.long
async def test_a_migration_that_is_killed_at_any_statement_is_finished_by_the_next_start(tmp_path):
    for number in range(1, 200):
        path = tmp_path / str(number) / "parley.db"
        path.parent.mkdir()
        old_store(path)
        killed = ran(MIGRATE, path, number)
        async with opened(path):
            assert look(path).schema == schema.newest()
            assert look(path).lines == 3
        assert [check(copy).schema for copy in copies(path)][-1:] == [1]
        if not killed:
            break
    assert number > 12, "hardly any statement was seen"


SECOND = """
insert into inbox (id, event, lane, memory, epoch, message, payload, at)
  values (1, 'telegram:1', 'telegram::42:', 'telegram::42:', 0, '7', :event, :at);
insert into letters values (2, :event, 'gave up', 3, :at);
insert into inbox (id, event, lane, memory, epoch, message, state, at, closed)
  values (2, 'telegram:2', 'telegram::42:', 'telegram::42:', 0, '8', 'dead', :at, :at);
insert into lines (memory, lane, event, message, role, person, name, text, size, at) values
  ('telegram::42:', 'telegram::42:', 'e', '6', 'user', 'telegram::42', 'Bob', 'CANARY', 6, :at);
insert into ledger (at, person, lane, model, input, output, estimated, cost)
  values (:at, 'telegram::42', 'telegram::42:', 'm', 3, 4, 0, 0.5);
"""
BOB = "telegram::42"


async def test_what_the_second_version_has_written_is_read_told_and_forgotten(tmp_path):
    path, now = tmp_path / "parley.db", time.time()
    old_store(path, lines=0)
    script = resources.files("bot.backends.sqlite.migrations") / "0002_letters.sql"
    event = orjson.dumps({
        "kind": "MessageReceived", "id": "telegram:1", "at": now, "conversation": "telegram::42:",
        "author": {"platform": "telegram", "workspace": "", "user": "42", "name": "Bob",
                   "bot": False, "roles": []},
        "text": "CANARY", "message": "7", "addressed": True, "private": True, "quoted": "",
        "attachments": ["CANARY.txt"], "replaces": "", "edited": 0.0, "before": [],
    }).decode()  # fmt: skip
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(f"{script.read_text()}pragma user_version=2;")
        for statement in SECOND.split(";\n")[:-1]:
            db.execute(statement, {"event": event, "at": now})

    async with opened(path) as store:
        (turn,) = await store.lanes.claim(1)
        assert turn.event.attachments == (Attachment(name="CANARY.txt"),)
        told = await store.privacy.export(BOB)
        assert {"lines", "usage", "waiting", "given_up"} == set(told)
        assert [copied.name[:12] for copied in copies(path)] == ["parley.db.v2"]
        await store.lanes.finish(turn, Result())

        counts = await store.privacy.erase(BOB, at=now)
        assert await store.privacy.scour()

        assert counts == {"lines": 1, "letters": 1, "usage": 1}
        assert copies(path) == []
        assert set(await store.privacy.export(BOB)) == {"usage", "forgotten"}
    with closing(sqlite3.connect(path)) as db:
        ((person, lane, purpose),) = db.execute("select person, lane, purpose from ledger")
    assert (len(person), lane, purpose) == (32, "", "answer")
    assert not [file for file in tmp_path.iterdir() if b"CANARY" in file.read_bytes()]


async def test_only_the_newest_copies_from_before_migrations_stay(tmp_path):
    path = tmp_path / "parley.db"
    for lines in range(5):
        path.unlink(missing_ok=True)
        old_store(path, lines)
        done = schema.migrate(path)
        assert (done.before, done.after) == (1, schema.newest())
        assert stat.S_IMODE(done.copy.stat().st_mode) == 0o600
    assert sorted(check(copy).lines for copy in copies(path)) == [2, 3, 4]
    assert schema.migrate(path).copy is None


async def test_a_copy_that_cannot_be_made_keeps_the_schema_as_it_is(tmp_path, monkeypatch):
    path = tmp_path / "parley.db"
    old_store(path)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(StoreError, match=r"cannot be copied before its schema.*free some space"):
        schema.migrate(path)
    assert look(path).schema == 1
    assert [file.name for file in tmp_path.glob("*.v1*")] == []


# Backups ----------------------------------------------------------------------------------------


async def test_a_backup_is_what_was_there_at_one_moment_while_others_write(tmp_path):
    path, target = tmp_path / "parley.db", tmp_path / "b.db"
    await store_with(path, *["x" * 4000] * 3000)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        told = []

        def write_on(done, whole):
            told.append(done / whole)
            writer.execute(LINE, ("later",))

        facts = back_up(path, target, write_on)
        assert len(told) > 1, "nothing was written in the middle"
        assert told[-1] == 1.0
        assert look(path).lines == 3000 + len(told)
    assert check(target) == facts
    assert (facts.lines, facts.waiting) == (3000, 1)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.glob("b.db*")) == ["b.db"]


async def test_a_backup_that_is_killed_leaves_the_one_from_before(tmp_path):
    path, target = tmp_path / "parley.db", tmp_path / "b.db"
    await store_with(path, *["x" * 4000] * 3000)
    target.write_bytes(BEFORE)
    program = """
import os, signal, sys
from bot.backends.sqlite.backup import back_up
from pathlib import Path
back_up(Path(sys.argv[1]), Path(sys.argv[2]), lambda *_: os.kill(os.getpid(), signal.SIGKILL))
"""
    assert ran(program, path, target)
    assert target.read_bytes() == BEFORE
    assert back_up(path, target) == check(target)
    assert [file.name for file in tmp_path.glob("*.part")] == []


async def test_a_backup_does_not_replace_what_is_no_backup(tmp_path):
    path, target = tmp_path / "parley.db", tmp_path / "config.toml"
    await store_with(path)
    target.write_text("config_version = 1")
    with pytest.raises(StoreError, match="is no backup"):
        back_up(path, target)
    with pytest.raises(StoreError, match="is no backup"):
        back_up(path, Path(os.devnull))
    assert target.read_text() == "config_version = 1"


@pytest.mark.parametrize("side", ["", "-wal", ".lock"])
async def test_a_backup_never_goes_over_the_database_itself(tmp_path, side):
    path = tmp_path / "parley.db"
    await store_with(path)
    with pytest.raises(StoreError, match="name a new file"):
        back_up(path, tmp_path / f"parley.db{side}")
    with pytest.raises(StoreError, match="there is no database"):
        back_up(tmp_path / "nothing.db", tmp_path / "b.db")
    with pytest.raises(StoreError, match="cannot be written"):
        back_up(path, tmp_path / "nowhere" / "b.db")


def garbage(path):
    path.write_bytes(b"this is no database at all, but quite long enough" * 100)


def foreign(path):
    with closing(sqlite3.connect(path)) as db:
        db.executescript("create table t (x); pragma user_version=1;")


def newer(path):
    old_store(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("pragma user_version=999")


def damaged(path):
    old_store(path, 500)
    with path.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\xff" * 2048)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: None, "there is no such file"),
        (garbage, "no sound database"),
        (foreign, "no database of Parley"),
        (newer, "a newer Parley"),
        (damaged, "no sound database"),
    ],
)
async def test_what_is_no_good_backup_is_not_put_back(tmp_path, spoil, words):
    path, bad = tmp_path / "parley.db", tmp_path / "bad.db"
    await store_with(path, "kept")
    spoil(bad)
    with pytest.raises(StoreError, match=words):
        check(bad)
    with pytest.raises(StoreError, match=words):
        restore(bad, path)
    assert look(path).lines == 1
    assert sorted(tmp_path.glob("parley.db.r*")) == []


# Restoring --------------------------------------------------------------------------------------

RESTORE = """
import os, signal, sys
from bot.backends.sqlite.backup import restore
from pathlib import Path
left = int(sys.argv[3])
def count(event, _):
    global left
    if event in ("os.rename", "os.link", "os.remove", "os.chown", "sqlite3.connect", "os.chmod"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(count)
restore(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.mark.long
async def test_a_restore_that_is_killed_anywhere_leaves_one_of_both_as_a_whole(tmp_path):
    backup = tmp_path / "b.db"
    await store_with(tmp_path / "other.db", "one")
    back_up(tmp_path / "other.db", backup)
    for number in range(1, 100):
        path = tmp_path / str(number) / "parley.db"
        path.parent.mkdir()
        await store_with(path, "one", "two")
        killed = ran(RESTORE, backup, path, number)
        assert check(path).lines in ((1, 2) if killed else (1,))
        async with opened(path):
            pass
        if not killed:
            break
        restore(backup, path)
        assert check(path).lines == 1
    assert number > 6, "hardly any step was seen"


async def test_a_restored_database_belongs_to_whom_the_old_one_did(tmp_path):
    if os.geteuid():
        pytest.skip("only root can give files away")
    path, backup = tmp_path / "parley.db", tmp_path / "b.db"
    await store_with(path, "one")
    back_up(path, backup)
    os.chown(path, 12345, 12345)
    kept = restore(backup, path)
    assert {path.stat().st_uid, kept.stat().st_uid} == {12345}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_database_that_is_in_use_is_not_replaced(tmp_path):
    path, backup = tmp_path / "parley.db", tmp_path / "b.db"
    await store_with(path, "one")
    back_up(path, backup)
    async with opened(path):
        with pytest.raises(StoreError, match="stop it first"):
            restore(backup, path)
    with pytest.raises(StoreError, match="the database itself"):
        restore(path, path)


@pytest.mark.parametrize("spoil", [garbage, damaged], ids=lambda spoil: spoil.__name__)
async def test_a_corrupt_database_refuses_to_start_until_a_backup_is_put_back(tmp_path, spoil):
    path, backup = tmp_path / "parley.db", tmp_path / "b.db"
    await store_with(path, "one")
    back_up(path, backup)
    path.unlink()
    spoil(path)
    broken = path.read_bytes()
    with pytest.raises(StoreError, match=r"corrupt .*`parley restore FILE` puts a backup"):
        async with opened(path):
            pass
    assert path.read_bytes() == broken, "nothing is repaired unasked"
    kept = restore(backup, path)
    assert kept.read_bytes() == broken
    async with opened(path) as store:
        assert store.lanes.waiting.count == 1


async def test_a_newer_database_names_the_copy_that_helps(tmp_path):
    path = tmp_path / "parley.db"
    old_store(path)
    copy = schema.migrate(path).copy
    with closing(sqlite3.connect(path)) as db:
        db.execute("pragma user_version=999")
    with pytest.raises(StoreError, match=f"newer Parley.*`parley restore {copy}`"):
        async with opened(path):
            pass


# Whose files these are --------------------------------------------------------------------------


@contextmanager
def nobody_special():
    """Give up root's right to write everywhere, for a while."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


async def test_a_folder_of_somebody_else_is_one_sentence(tmp_path):
    folder = tmp_path / "data"
    await store_with(folder / "parley.db")
    folder.chmod(0o500)
    (folder / "parley.db").chmod(0o400)
    with nobody_special(), pytest.raises(StoreError, match=r"cannot be written.*must belong to"):
        async with opened(folder / "parley.db"):
            pass
    folder.chmod(0o700)
