"""Deleting what was kept long enough goes on, whatever a disk does meanwhile."""

import asyncio
import sqlite3

import pytest

from bot.core.retention import EVERY_S, LOOK_S, Tidying
from bot.domain.errors import StoreBusy


class Stopped(BaseException):
    """Ends the loop of a test."""


class Clock:
    """Lets time pass at once, and stops after some hours."""

    def __init__(self, hours):
        self.time, self.end = 0.0, hours * EVERY_S

    def now(self):
        return self.time

    async def sleep(self, seconds):
        self.time += seconds
        if self.time > self.end:
            raise Stopped


class Disk:
    """A store that cannot be read the first time; notes when something was deleted."""

    def __init__(self, clock, error):
        self.clock, self.error, self.purged, self.scoured = clock, error, [], []

    async def lanes(self):
        if self.error:
            error, self.error = self.error, None
            raise error
        return ()

    async def purge(self, now):
        self.purged.append(now)

    async def scour(self, **_):
        self.scoured.append(self.clock.now())


@pytest.mark.parametrize("error", [StoreBusy("full"), sqlite3.OperationalError("disk I/O error")])
def test_a_read_that_fails_is_tried_again_at_the_next_look(error):
    clock = Clock(hours=2)
    disk = Disk(clock, error)
    tidying = Tidying(policies=None, retention=disk, privacy=disk, clock=clock)
    with pytest.raises(Stopped):
        asyncio.run(tidying.run())
    assert disk.purged == [LOOK_S, LOOK_S + EVERY_S]
    assert disk.scoured[0] == LOOK_S
