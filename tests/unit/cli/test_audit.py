"""`parley audit` beside a stopped bot and a running one."""

import asyncio
import json
import sqlite3
import stat
from contextlib import closing

import pytest
from click.testing import CliRunner

from bot.backends.sqlite.store import opened
from bot.cli import main
from bot.ops import audit, control
from bot.ports.people import Record

LINES = [
    Record(at=1000.0, actor="parley", action="moderation.block", subject="slack:T:U",
           place="slack:T:C:", details="inbound enforce: hate 0.90 (openai)"),
    Record(at=2000.0, actor="slack:T:U1", action="moderation.lift", subject="slack:T:U"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    async def write():
        async with opened(tmp_path / "data" / "parley.db") as store:
            for line in LINES:
                await store.people.note(line)

    (tmp_path / "data").mkdir()
    (tmp_path / "config.toml").write_text(f'data_dir = "{tmp_path}/data"')
    asyncio.run(write())
    return tmp_path


def parley(folder, *arguments):
    return CliRunner().invoke(main, [*arguments, "--config", str(folder / "config.toml")])


def test_the_newest_decision_stands_first(folder):
    shown = parley(folder, "audit")

    assert shown.exit_code == 0
    _, first, second = shown.stdout.splitlines()
    assert first.startswith("1970-01-01 00:33  slack:T:U1")
    assert second.rstrip().endswith("inbound enforce: hate 0.90 (openai)")
    assert json.loads(parley(folder, "audit", "--json").stdout)["broken"] == 0


def test_where_nothing_was_decided_that_is_said(tmp_path):
    (tmp_path / "config.toml").write_text(f'data_dir = "{tmp_path}/data"')
    (tmp_path / "note.md").write_text("Hello.")
    parley(tmp_path, "knowledge", "add", str(tmp_path / "note.md"))  # makes the database

    assert parley(tmp_path, "audit").stdout == "Nothing was decided yet.\n"


def test_an_export_is_a_new_file_for_its_owner_and_whole(folder):
    file = folder / "audit.jsonl"

    assert parley(folder, "audit", "--export", str(file)).stdout == f"{file}: 2 decisions.\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    actions = [json.loads(line)["action"] for line in file.read_text().splitlines()]
    assert actions == ["moderation.block", "moderation.lift"]
    again = parley(folder, "audit", "--export", str(file))
    assert (again.exit_code, "cannot be written" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    "change",
    ["update audit set details = 'nothing' where id = 1", "delete from audit where id = 1"],
)
def test_a_log_that_somebody_changed_is_told_of(folder, change):
    with closing(sqlite3.connect(folder / "data" / "parley.db")) as db:
        db.execute(change)
        db.commit()

    shown = parley(folder, "audit")

    assert shown.exit_code == 1
    assert "is not as it was written" in shown.stderr


async def test_a_running_bot_is_asked(tmp_path):
    (tmp_path / "config.toml").write_text(f'data_dir = "{tmp_path}"')
    async with opened(tmp_path / "parley.db") as store:
        await store.people.note(LINES[0])
        socket = tmp_path / "control.sock"
        from_place = await asyncio.to_thread(parley, tmp_path, "audit")
        assert from_place.exit_code == 1  # the database is in use, and nobody answers
        async with control.listening(socket, audit.verbs(store.people)):
            shown = await asyncio.to_thread(parley, tmp_path, "audit")
    assert (shown.exit_code, "moderation.block" in shown.stdout) == (0, True)
