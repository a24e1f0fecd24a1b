"""Virtual time with lives: a clock that jumps, threads that are waited for, and kills without mercy.

An event loop whose clock jumps to the next timer when nothing is runnable. Everything that a bot
process does carries the number of its life in a context variable; killing a life drops all that it
has scheduled and all that it would schedule: nothing of it runs again, not even a `finally`. What
aiosqlite's threads are asked is waited for in real time, and told after a drawn virtual latency, so
that the same seed gives the same order of everything.
"""

import asyncio
import contextvars
import gc
import logging
import os
import sqlite3
import sys
import threading
import time
import warnings
from collections import defaultdict
from contextlib import ExitStack, contextmanager, suppress
from hashlib import blake2b
from queue import SimpleQueue
from unittest.mock import patch

import aiosqlite.core

LIFE = contextvars.ContextVar("LIFE", default=0)  # 0: the world outside of the bot
EPOCH = 1_700_000_000.0  # what the system clock shows when a run begins
FULL_PAGES = 1 << 30
ENDED = aiosqlite.core._STOP_RUNNING_SENTINEL  # what a thread is told when it is to end


class Deadlock(Exception):
    """Nothing is runnable, and nothing ever will be."""


def chance(*names):
    """Draw a number from 0 to 1 for these names: always the same one, whoever asked before."""
    digest = blake2b(repr(names).encode(), digest_size=7).digest()
    return int.from_bytes(digest, "big") / (1 << 56)


class VirtualLoop(asyncio.SelectorEventLoop):
    """See above."""

    def __init__(self):
        self.now = 0.0
        self.disk = None  # the `Disk` of this run
        self.dead = set()
        self.connections = []
        self.tasks = defaultdict(list)  # by life
        super().__init__()
        self.set_task_factory(self._task)

    def time(self):
        return self.now

    def outside(self, delay, function, *args):
        """Call a function of the world, even when a bot that is killed meanwhile asked for it."""
        return self.call_later(delay, function, *args, context=WORLD)

    def kill(self, life):
        """End a life: what is running returns to the loop and never comes back."""
        self.dead.add(life)
        for handle in (*self._ready, *self._scheduled):
            if handle._context.get(LIFE) == life:
                handle.cancel()

    def is_dead(self):
        """Whether the one who asks belongs to a killed life."""
        return LIFE.get() in self.dead

    def call_soon(self, callback, *args, context=None):
        if self._gone(context):
            return self._nothing(callback)
        return super().call_soon(callback, *args, context=context)

    def call_at(self, when, callback, *args, context=None):
        if self._gone(context):
            return self._nothing(callback)
        return super().call_at(when, callback, *args, context=context)

    def call_later(self, delay, callback, *args, context=None):
        return self.call_at(self.now + delay, callback, *args, context=context)

    def run_in_executor(self, executor, func, *args):
        """Work at once: a thread's end would come at a moment that no seed decides."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it is told to whoever asked
            future.set_exception(error)
        return future

    def _gone(self, context):
        life = LIFE.get() if context is None else context.get(LIFE, 0)
        return life in self.dead or self.is_closed()

    def _nothing(self, callback):
        handle = asyncio.TimerHandle(self.now, callback, (), self, WORLD)
        handle.cancel()
        return handle

    def _task(self, loop, coro, context=None):
        task = asyncio.Task(coro, loop=loop, context=context)
        life = LIFE.get() if context is None else context.get(LIFE, 0)
        self.tasks[life].append(task)
        return task

    def _run_once(self):
        if not self._ready and not self._stopping:
            waiting = [handle._when for handle in self._scheduled if not handle._cancelled]
            if not waiting:
                raise Deadlock("nothing is runnable, and nothing ever will be")
            self.now = max(self.now, min(waiting))
        super()._run_once()


WORLD = contextvars.Context()


class Hop(SimpleQueue):
    """The way into the thread of one aiosqlite connection, with a drawn latency each way."""

    def __init__(self):
        super().__init__()
        self.stage = asyncio.get_running_loop().disk
        self.raw = None  # the connection of the sqlite3 module
        self.life = LIFE.get()
        self._asked = self._told = 0.0  # when the latest work begins, and is known to be done
        self._number = 0
        self.stage.hops.append(self)

    def put_nowait(self, item):
        loop = asyncio.get_running_loop()
        if loop.is_dead():
            return
        self._number += 1
        there, back = self.stage.latency(self.life, self._number)
        self._asked = max(loop.now + there, self._asked)
        loop.call_at(self._asked, self._work, loop, *item, back)

    def _work(self, loop, future, function, back):
        if self.stage.moment("before the store"):
            return
        error, result = self._ask(function)
        if self.stage.moment("after the store") or future is None:
            return
        self._told = max(loop.now + back, self._told)
        loop.call_at(self._told, _settle, future, error, result)

    def _ask(self, function):
        """Have the thread do it, and wait: virtual time stands still."""
        answer, done = [], threading.Event()

        def work():
            try:
                if self.raw is not None:
                    with suppress(sqlite3.ProgrammingError):  # closed
                        self.stage.prepare(self.raw)
                answer[:] = None, function()
            except BaseException as error:  # noqa: BLE001 - as aiosqlite does
                answer[:] = error, None
            done.set()
            return answer[1]

        super().put_nowait((None, work))
        _await(done)
        if isinstance(answer[1], sqlite3.Connection):
            self.raw = answer[1]
        if answer[1] is ENDED:
            self.stage.hops.remove(self)
        return answer

    def abandon(self):
        """Close what a killed process had open, and end the thread."""

        def close():
            if self.raw is not None:
                with suppress(Exception):
                    self.raw.close()
            done.set()
            return ENDED

        done = threading.Event()
        if self._number:  # else its thread was never started
            super().put_nowait((None, close))
            _await(done)


def _await(done):
    """Wait for a thread, in real time."""
    if not done.wait(30):
        raise Deadlock("a thread of the store does not answer")


def _settle(future, error, result):
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


class Disk:
    """What stands between a bot and its file: latency, a lock held by others, a full disk."""

    def __init__(self, seed, moment):
        self.seed, self.moment = seed, moment
        self.hops = []
        self.full = False

    def latency(self, life, number):
        """Return the seconds to the thread and back for one piece of work."""
        slow = 0.6 if chance(self.seed, "slow", life, number) < 0.08 else 0.004
        return tuple(slow * chance(self.seed, way, life, number) for way in ("there", "back"))

    def prepare(self, raw):
        """Let SQLite fail at once instead of waiting in real time, and be full when it is."""
        raw.execute("pragma busy_timeout=0")
        raw.execute(f"pragma max_page_count={1 if self.full else FULL_PAGES}")

    def abandon(self, life):
        """Close the files of a killed life."""
        for hop in [hop for hop in self.hops if hop.life == life]:
            hop.abandon()
            self.hops.remove(hop)


@contextmanager
def virtual_time():
    """Give a block its own loop and its own system clock, and bury what was killed in it."""
    loop = VirtualLoop()
    with ExitStack() as stack:
        stack.enter_context(patch.object(aiosqlite.core, "SimpleQueue", Hop))
        stack.enter_context(patch.object(aiosqlite.core.Connection, "_connect", _noted(loop)))
        stack.enter_context(patch.object(time, "time", lambda: EPOCH + loop.now))
        stack.enter_context(patch.object(gc, "freeze", lambda: None))
        stack.enter_context(patch.object(gc, "enable", lambda: None))
        gc.disable()
        stack.callback(REAL_ENABLE)
        try:
            yield loop
        finally:
            _bury(loop)


REAL_ENABLE = gc.enable


def _noted(loop):
    """Remember each connection: one of a killed life must not complain that it was never closed."""
    connect = aiosqlite.core.Connection._connect

    async def noted(connection):
        loop.connections.append(connection)
        return await connect(connection)

    return noted


def _bury(loop):
    """Let go of killed tasks without a word: their last moments are no part of the world."""
    with warnings.catch_warnings(), patch.object(sys, "unraisablehook", lambda _: None):
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        asyncio.set_event_loop(None)
        loop.close()
        for task in (task for tasks in loop.tasks.values() for task in tasks):
            if not task.done():
                task._log_destroy_pending = False
                with suppress(BaseException):
                    task.get_coro().close()
        loop.tasks.clear()
        for connection in loop.connections:
            connection._connection = None
        logging.disable(logging.NOTSET)
        gc.collect(0)


def memory_folder():
    """Return a folder in memory where there is one: thousands of files come and go."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
