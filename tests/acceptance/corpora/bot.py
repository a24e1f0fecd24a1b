"""The whole program in this process: the real adapter and its SDK, on a fake platform."""

import asyncio
import logging
import sqlite3
from contextlib import asynccontextmanager, closing

from bot.app import platforms, serve
from bot.config import Secrets, load
from bot.ops import logs

ORDERS = ("grants", "pairings", "limits", "overrides")  # what only those who steer can change


@asynccontextmanager
async def running(place, config, secrets):
    """Serve until the block ends."""
    stop = asyncio.Event()
    loaded = load(config, platforms())
    task = asyncio.create_task(serve(loaded, Secrets(secrets), stop))
    try:
        async with asyncio.timeout(30):
            while not place.connected():
                assert not task.done(), task.exception()
                await asyncio.sleep(0.01)
        yield
    finally:
        stop.set()
        await task


@asynccontextmanager
async def logged(path):
    """Write everything that is logged, at its most talkative, to a file."""
    root = logging.getLogger()
    names = ("", *logs.CHATTY)
    before = root.handlers[:], {name: logging.getLogger(name).level for name in names}
    logs.configure("debug", "json")
    with path.open("w", encoding="utf-8") as file:
        root.handlers[0].setStream(file)
        try:
            yield
        finally:
            root.handlers[:] = before[0]
            for name, level in before[1].items():
                logging.getLogger(name).setLevel(level)


def authority(database):
    """Return how many rows say who may do what."""
    with closing(sqlite3.connect(database)) as db:
        return sum(db.execute(f"select count(*) from {table}").fetchone()[0] for table in ORDERS)
