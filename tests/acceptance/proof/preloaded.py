"""A parent that has imported the program and forks it: a start without the second of imports.

    python -m tests.acceptance.proof.preloaded telegram config.toml log [--blind]

A thousand starts of `parley run` spend most of their time on imports, which no kill can tell apart.
So this process imports the program and one platform's SDK, once, and forks for every line on its
stdin. What the child then runs is `parley run --config …` from its first line on: it reads the
configuration, locks and opens the database, connects, and is a process of its own that `kill -9`
really kills. Nothing that belongs to a run exists before the fork: no event loop, no thread, no open
file but the three that are replaced. `kills.py` measures a plain start, apart.

One number is another than in life: a turn that died twice rests for seconds before its next attempt,
then twice as long, and so on. Where a kill comes twice a second and not twice a year, most rooms would
rest most of the time; here they rest for `FIRST_PAUSE` seconds.

Prints `ready`, then `started PID` and `ended PID STATUS`; ends with its children at the end of stdin.
"""

import importlib
import os
import pkgutil
import select
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from bot.__main__ import main
from bot.backends.sqlite import rows
from tests.acceptance.proof import blind

PACKAGES = ("bot.cli", "bot.app", "bot.core", "bot.backends.openai", "bot.backends.sqlite",
            "bot.ops")  # fmt: skip
FIRST_PAUSE = 0.02
ENDING = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}


def preload(platform):
    """Import all that `parley run` imports with this platform alone."""
    for name in (*PACKAGES, f"adapters.{platform}"):
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(module.name)
    assert rows.FIRST_PAUSE > FIRST_PAUSE
    rows.FIRST_PAUSE = FIRST_PAUSE
    threads = len(list(Path("/proc/self/task").glob("*")))  # also those that Python does not know
    if max(threads, threading.active_count()) > 1:
        raise SystemExit("an import has started a thread: a fork would leave it behind")


def serve(config, log):
    """Fork for every line on stdin, and tell of every child that ended."""
    ended, bell = os.pipe()
    os.set_blocking(bell, False)
    signal.set_wakeup_fd(bell)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in ENDING:  # meant for whoever started us: the end of stdin tells us
        signal.signal(number, signal.SIG_IGN)
    running = set()
    tell("ready")
    while True:
        readable, _, _ = select.select([0, ended], [], [])
        if ended in readable:
            os.read(ended, 512)
            bury(running)
        if 0 in readable:
            if not os.read(0, 64):
                break
            pid = os.fork()
            if not pid:
                become(config, log)
                return
            running.add(pid)
            tell(f"started {pid}")
    for pid in running:
        os.kill(pid, signal.SIGKILL)


def become(config, log):
    """Turn a fork into the program: its own session and files, no pipe of the parent's."""
    signal.set_wakeup_fd(-1)
    for number, usual in {signal.SIGCHLD: signal.SIG_DFL, **ENDING}.items():
        signal.signal(number, usual)
    os.setsid()
    os.closerange(0, 64)
    os.open(os.devnull, os.O_RDONLY)
    os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup(1)
    sys.argv = ["parley", "run", "--config", config]
    main()


def bury(running):
    """Collect the children that have ended."""
    for pid in tuple(running):
        gone, status = os.waitpid(pid, os.WNOHANG)
        if gone:
            running.remove(pid)
            tell(f"ended {pid} {os.waitstatus_to_exitcode(status)}")


def tell(line):
    """Write a line past all buffers that a fork would copy; the end of stdin tells who is gone."""
    with suppress(BrokenPipeError):
        os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    preload(sys.argv[1])
    if "--blind" in sys.argv:
        blind.protect_nothing(sys.argv[1])
    serve(sys.argv[2], sys.argv[3])
