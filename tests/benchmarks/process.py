"""A bot under load: its process, what it costs, and its end."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

from tests.benchmarks.bots import Bot


class BotFailed(Exception):
    """A bot did not answer, or its process ended."""


class BotProcess:
    """One bot, from its start to its end."""

    def __init__(self, bot: Bot, folder: Path) -> None:
        self.bot, self.folder = bot, folder

    async def __aenter__(self) -> Self:
        environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        with (self.folder / "log").open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.bot.command, env={**environment, **self.bot.environment}, stdout=log,
                stderr=log, stdin=asyncio.subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self._root = psutil.Process(self.process.pid)
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()

    def cpu(self) -> float:
        """Return the CPU seconds of the whole process tree so far."""
        times = [process.cpu_times() for process in self._tree()]
        return sum(t.user + t.system + t.children_user + t.children_system for t in times)

    def memory(self) -> float:
        """Return the resident memory of the process tree in MB."""
        return sum(process.memory_info().rss for process in self._tree()) / 2**20

    def expect_alive(self) -> None:
        """Raise BotFailed with the last line of the log when the process has ended."""
        if self.process.returncode is not None:
            raise self.failed("has ended")

    def failed(self, how: str) -> BotFailed:
        """Return the error that says how it failed, with the last line of its log."""
        lines = (self.folder / "log").read_text(errors="replace").splitlines()
        return BotFailed(f"{self.bot.name} {how}: {lines[-1] if lines else 'nothing was logged'}")

    def _tree(self) -> Iterator[psutil.Process]:
        self.expect_alive()
        yield self._root
        yield from self._root.children(recursive=True)
