"""The program at the limits of its machine: memory, files, and a message that kills it each time."""

import asyncio
import resource
import sqlite3
from contextlib import closing

import psutil
import pytest

from tests.acceptance.stage import Stage

MB = 1 << 20
BURST, ROOMS = 10_000, 200
MOST = 60 * MB  # that the memory may grow while the burst waits
SORRY = "cannot reach my language model"
linux = pytest.mark.skipif(
    not hasattr(resource, "prlimit"), reason="Linux sets limits from outside"
)


async def until(condition, within=30.0):
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.02)


def resident(stage):
    """Return the memory of the program in bytes."""
    return psutil.Process(stage.process.pid).memory_info().rss


def waiting(stage):
    """Count the messages that are stored and not answered, as an operator could."""
    with closing(sqlite3.connect(stage.folder / "data" / "parley.db")) as db:
        return db.execute("select count(*) from inbox where payload is not null").fetchone()[0]


@pytest.mark.long
async def test_a_burst_of_10000_messages_is_stored_in_bounded_memory_and_outlives_a_kill(tmp_path):
    async with Stage("telegram", tmp_path, streaming="off") as stage:
        await stage.begin(ROOMS)
        before = resident(stage)
        stage.model.delay = 600.0
        for number in range(BURST):
            stage.say(number % ROOMS)
        await until(lambda: not stage.place.fake.updates.waiting, within=60)
        grown = resident(stage) - before
        assert waiting(stage) == BURST
        assert grown < MOST, f"{grown / MB:.0f} MB"
        await stage.kill()  # as the kernel does when memory is short
        stage.model.delay = 0.0
        await stage.start()
        await until(lambda: stage.answered() >= ROOMS + 500, within=60)
        assert resident(stage) < before + 2 * MOST
        await stage.kill()
        count = stage.count()
    assert (count.doubled, count.swapped, count.crossed) == (0, 0, 0)


def newest(stage, room):
    """Return the newest message of a room if it is not answered."""
    return set(stage.unanswered(room)) & {f"{room}-{stage.sent[room] - 1}"}


def limit_files(stage, number):
    """Let the program have so many files open, and no more."""
    _, hard = resource.prlimit(stage.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(stage.process.pid, resource.RLIMIT_NOFILE, (number, hard))


@linux
async def test_a_program_without_files_to_open_goes_on_and_recovers(tmp_path):
    rooms = range(40)
    async with Stage("telegram", tmp_path, streaming="off") as stage:
        await stage.begin(1)
        before = resource.prlimit(stage.process.pid, resource.RLIMIT_NOFILE)[0]
        limit_files(stage, psutil.Process(stage.process.pid).num_fds())
        stage.place.open(rooms)
        stage.model.delay = 0.2  # so that all of them want a connection at once
        for room in rooms:
            stage.say(room)
        apologies = lambda: sum(  # noqa: E731
            SORRY in text for room in rooms for text in stage.place.shown(room)
        )
        await until(lambda: apologies() >= 5)
        assert stage.process.returncode is None
        limit_files(stage, before)
        await until(lambda: stage.answered() + apologies() == len(rooms) + 1, within=60)
        stage.model.delay = 0.0
        for room in rooms:
            stage.say(room, "and now?")
        await until(lambda: not any(newest(stage, room) for room in rooms))
        assert stage.count().doubled == 0
        assert await stage.stop() == 0
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log, log[-2000:]


@pytest.mark.long
async def test_a_message_that_kills_the_program_each_time_is_given_up_and_the_next_is_answered(
    tmp_path,
):
    async with Stage("telegram", tmp_path, sections="[turns]\nattempts = 2") as stage:
        await stage.begin(2)
        stage.model.delay = 600.0
        stage.say(0, "poison")
        stage.say(0, "behind it")
        for attempt in range(2):
            asked = len(stage.model.calls)
            if attempt:
                await stage.start()
            await until(lambda asked=asked: len(stage.model.calls) > asked)
            await stage.kill()
        stage.model.delay = 0.0
        stage.say(1, "elsewhere")
        await stage.start()
        await until(lambda: any("could not finish" in text for text in stage.place.shown(0)))
        await until(lambda: stage.unanswered(0) == ["0-1"])
        await until(lambda: not stage.unanswered(1))
        poisoned = [call for call in stage.model.calls if "#0-1" in str(call.args["messages"][-1])]
        assert len(poisoned) == 2
        assert await stage.stop() == 0
