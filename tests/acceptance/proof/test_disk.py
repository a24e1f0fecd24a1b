"""A disk or a neighbour that gets in the way delays messages and answers; it costs none."""

import sqlite3

import pytest

from bot.backends.sqlite.store import opened
from bot.domain.errors import StoreBusy
from tests.acceptance.proof import disk


@pytest.mark.long
async def test_a_full_disk_and_a_locked_database_cost_nothing():
    numbers = await disk.run(seconds=1.0)
    faults = [name for name in disk.FAULTS if name != "slow_recoveries"]  # the machine may be slow

    assert {name: numbers[name] for name in faults} == dict.fromkeys(faults, 0)
    assert numbers["refused"] > 0
    assert numbers["contrast_acknowledged_unstored"] > 0
    assert numbers["contrast_lost"] > 0


@pytest.mark.parametrize(
    "code",
    [
        sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY_SNAPSHOT,
    ],
)  # fmt: skip
async def test_trouble_with_the_disk_passes(tmp_path, code):
    def troubled(db):
        error = sqlite3.OperationalError("trouble")
        error.sqlite_errorcode = code
        raise error

    async with opened(tmp_path / "parley.db") as store:
        with pytest.raises(StoreBusy):
            await store.writer.put(troubled)
        await store.probe()


async def test_a_transaction_that_could_not_even_be_rolled_back_does_not_stay(tmp_path):
    async with opened(tmp_path / "parley.db") as store:
        await store.lanes._connection.run(lambda db: db.execute("begin immediate"))
        await store.probe()
