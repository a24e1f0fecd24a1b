"""Reading a database that cannot be read for a moment: one error of ours, to be tried again."""

import sqlite3
from contextlib import closing

import pytest

from bot.backends.sqlite.writer import ReadingConnection
from bot.domain.errors import StoreBusy


async def test_what_cannot_be_read_now_is_said_to_be_busy_and_read_later(tmp_path):
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("create table things (name text)")
        async with ReadingConnection(path) as reader:
            await reader.execute_fetchall("pragma busy_timeout=0")
            other.execute("begin exclusive")
            with pytest.raises(StoreBusy, match="cannot be read now"):
                await reader.execute_fetchall("select * from things")
            other.execute("rollback")
            assert (
                await reader.execute_fetchall("select * from things where name = ?", ("x",)) == []
            )
            with pytest.raises(sqlite3.OperationalError, match="no such table"):
                await reader.execute_fetchall("select * from others")


async def test_all_rows_come_in_one_step_as_they_are(tmp_path):
    things = [(2**63 - 1, "zwei\0\"'\n😀", 0.1, None), (1, "", -1.5e-9, "x")]
    async with ReadingConnection(tmp_path / "some.db") as reader:
        assert await reader.rows("one", "select 1 where 0") == []
        await reader.execute_fetchall("create table things (id, text, score, note)")
        for thing in things:
            await reader.execute_fetchall("insert into things values (?, ?, ?, ?)", thing)
        rows = await reader.rows("id, text, score, note", "select * from things where id > ?", (0,))
    assert sorted(map(tuple, rows)) == sorted(things)
