"""Starts bots as forks of `preloaded.py`, each a process that can be killed and waited for."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.acceptance.stage import surroundings

ROOT = Path(__file__).parents[3]
IMPORTING = 60.0  # seconds that the parent may take to import everything


@dataclass
class Fork:
    """One bot; it looks like an asyncio subprocess."""

    pid: int
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    returncode: int | None = None

    def send_signal(self, number):
        """Signal the bot, unless it is gone already."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    async def wait(self):
        """Wait for its end; returns the exit code, negative for a signal."""
        await self.ended.wait()
        return self.returncode


class Forks:
    """The preloaded parent; an async context manager."""

    module = "tests.acceptance.proof.preloaded"

    def __init__(self, platform, config, log, *, blind=False):
        self._arguments = [platform, str(config), str(log), *(["--blind"] if blind else [])]
        self._forks: dict[int, Fork] = {}
        self._started: asyncio.Queue[Fork] = asyncio.Queue()

    async def __aenter__(self):
        self._parent = await asyncio.create_subprocess_exec(
            sys.executable, "-m", self.module, *self._arguments,
            env={**surroundings(), "PYTHONPATH": str(ROOT)}, cwd=Path(self._arguments[1]).parent,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(IMPORTING):
            assert await self._parent.stdout.readline() == b"ready\n", "the parent did not start"
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_):
        for fork in self._forks.values():
            fork.send_signal(signal.SIGKILL)
        self._parent.stdin.close()
        await self._parent.wait()
        await self._listening

    async def start(self):
        """Fork a bot."""
        self._parent.stdin.write(b"start\n")
        return await self._started.get()

    async def _listen(self):
        async for line in self._parent.stdout:
            what, pid, *status = line.decode().split()
            if what == "started":
                fork = self._forks[int(pid)] = Fork(int(pid))
                self._started.put_nowait(fork)
            else:
                fork = self._forks.pop(int(pid))
                fork.returncode = int(*status)
                fork.ended.set()
