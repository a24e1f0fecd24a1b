"""The watchdog: it names what blocks the loop, and is silent otherwise."""

import asyncio
import threading
import time

import pytest
import uvloop

from bot.ops.watchdog import watching


def stubborn(until, within=5.0):
    """Block the loop until something has come true."""
    deadline = time.monotonic() + within
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def run(work, factory):
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


@pytest.mark.parametrize("factory", [None, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_what_blocks_the_loop_is_named_and_its_end_is_told(caplog, factory):
    async def work():
        with watching(limit=0.05, every=0.01):
            stubborn(lambda: "has been blocked" in caplog.text)
            async with asyncio.timeout(5):
                while "was blocked for" not in caplog.text:
                    await asyncio.sleep(0.005)

    run(work(), factory)
    first, second = caplog.records
    assert "stubborn" in first.getMessage()
    assert "test_watchdog.py" in first.getMessage()
    assert (first.levelname, second.levelname) == ("ERROR", "WARNING")


async def test_a_loop_that_waits_is_not_blocked(caplog):
    with watching(limit=2.0, every=0.01):
        await asyncio.sleep(0.2)
    assert caplog.records == []


async def test_one_block_is_told_once(caplog):
    with watching(limit=0.02, every=0.01):
        stubborn(lambda: "has been blocked" in caplog.text)
        began = time.monotonic()
        stubborn(lambda: time.monotonic() - began > 0.2)
    assert sum("has been blocked" in text for text in caplog.messages) == 1


async def test_nothing_is_left_behind():
    with watching(limit=5.0, every=5.0):
        assert any(thread.name == "watchdog" for thread in threading.enumerate())
    assert not any(thread.name == "watchdog" for thread in threading.enumerate())


def test_a_loop_that_was_closed_ends_the_watch():
    async def work():
        watch = watching(limit=0.05, every=0.01)
        watch.__enter__()
        return watch

    watch = run(work(), None)
    stubborn(lambda: not any(thread.name == "watchdog" for thread in threading.enumerate()))
    watch.__exit__(None, None, None)
