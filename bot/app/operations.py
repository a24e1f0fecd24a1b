"""The running bot as its operator sees it: readiness, figures, the verbs of the control socket.

It also watches that the database stays where it is: once it is moved or deleted the bot stops, so
that nothing is acknowledged that nobody can find again.
"""

import asyncio
import importlib
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import version
from socket import socket
from typing import Any

from bot.app.beside import lasting
from bot.app.engine import Engine
from bot.app.figures import figures, oldest_s
from bot.backends.sqlite.store import SqliteStore
from bot.config.sections import HttpSettings
from bot.core.health import Health
from bot.core.metrics import Metrics
from bot.domain.errors import StoreError
from bot.ops import audit, control, port, privacy, queue
from bot.ops.figures import Readiness
from bot.ops.knowledge import KnowledgeVerbs
from bot.ops.place import Place

log = logging.getLogger(__name__)
WATCH_S = 2.0  # between two looks at the database's place
PROBE_S = 2.0  # within which one trial of the store answers everybody
STORE_S = 3.0  # how long the store may take for it


@dataclass(slots=True)
class Probe:
    """Tries whether the store writes, once for all who ask within a short while."""

    write: Callable[[], Awaitable[None]]
    _begun: float = 0.0
    _trial: asyncio.Task[str] | None = None

    async def complaint(self) -> str:
        """Return a sentence when the store does not write, else nothing."""
        now = asyncio.get_running_loop().time()
        if self._trial is None or (self._trial.done() and now - self._begun > PROBE_S):
            self._begun, self._trial = now, asyncio.create_task(self._try(), name="probe")
        try:
            return await asyncio.wait_for(asyncio.shield(self._trial), STORE_S)
        except TimeoutError:
            return f"store: has not answered for {now - self._begun + STORE_S:.0f} s"

    async def _try(self) -> str:
        try:
            await self.write()
        except StoreError as error:
            return f"store: {error}"
        return ""


@dataclass(slots=True, kw_only=True)
class Operations:
    """What is asked about a running bot, and what is done to it."""

    store: SqliteStore
    health: Health
    metrics: Metrics
    stop: asyncio.Event
    forget: privacy.Forget
    knowledge: KnowledgeVerbs
    lost: str = ""  # what became of the database, once it is not at its place
    started: float = field(default_factory=time.time)
    probe: Probe = field(init=False)

    def __post_init__(self) -> None:
        """Begin with a store that was not tried yet."""
        self.probe = Probe(self.store.probe)

    @property
    def verbs(self) -> control.Verbs:
        """What the control socket understands."""
        return {
            "status": self._status,
            "health": self._health,
            **queue.verbs(self.store.backlog),
            **audit.verbs(self.store.people),
            **privacy.verbs(self.store.privacy.export, self.forget),
            **self.knowledge.verbs,
        }

    async def readiness(self) -> Readiness:
        """Tell whether events come in and can be stored."""
        complaints = [self.lost or await self.probe.complaint(), *self.health.complaints()]
        if self.stop.is_set():
            complaints.append("stopping")
        waiting = self.store.lanes.waiting
        return Readiness(
            complaints=tuple(filter(None, complaints)),
            open=waiting.count,
            oldest_s=oldest_s(waiting),
        )

    async def watch(self, engine: Engine) -> None:
        """Stop the bot once its database is not at its place any more."""
        while True:
            await asyncio.sleep(WATCH_S)
            self.lost = self.store.ownership.complaint()
            if self.lost:
                break
        log.critical("%s; stopping", self.lost)
        engine.drain_s = 0.0  # what is answered now cannot be noted
        self.stop.set()

    async def _health(self, _: Mapping[str, Any]) -> Any:
        found = await self.readiness()
        return {"ready": found.ready, **asdict(found)}

    async def _status(self, _: Mapping[str, Any]) -> Any:
        beats = self.health.beats.items()
        found = await self.readiness()
        return {
            "version": version("parley-bot"),
            "process": os.getpid(),
            "uptime_s": round(time.time() - self.started, 1),
            "platforms": {
                name: {"up": not beat.reason, "reason": beat.reason, "since": beat.since}
                for name, beat in beats
            },
            "models": self.health.failing(),
            "complaints": found.complaints,
            "open": found.open,
            "oldest_s": round(found.oldest_s, 1),
            "dead": await self.store.backlog.letters(),
            "turns": dict(self.metrics.turns),
            "duplicates": self.metrics.duplicates,
            "resumed": self.metrics.resumed,
        }


@asynccontextmanager
async def operated(
    operations: Operations, engine: Engine, place: Place, http: HttpSettings
) -> AsyncIterator[None]:
    """Let a bot be asked, over its control socket and its port if it has one, until the block ends.

    Raises:
        ConfigError: the port is taken, or another bot listens on the control socket.
        StoreError: at the end, when the database was moved or deleted meanwhile.
    """
    async with AsyncExitStack() as stack:
        listener = http.port and stack.enter_context(port.taken(http.host, http.port))
        await stack.enter_async_context(control.listening(place.socket, operations.verbs))
        watch = lasting("watch", partial(operations.watch, engine))
        tasks = [asyncio.create_task(watch, name="watch")]
        if listener:
            shown = lasting("http", partial(_serve, listener, operations))
            tasks.append(asyncio.create_task(shown, name="http"))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    if operations.lost:
        raise StoreError(operations.lost)


async def _serve(listener: socket, operations: Operations) -> None:
    """Show the pages; the packages are imported in a thread, while the platforms connect."""
    try:
        web = await asyncio.to_thread(importlib.import_module, "bot.ops.web")
    except ImportError as error:
        log.error("health and metrics are off: %s", error)  # noqa: TRY400
        return
    shown = partial(figures, operations.metrics, operations.health, operations.store.lanes.waiting)
    async with web.serving(listener, web.Pages(readiness=operations.readiness, figures=shown)):
        await asyncio.Event().wait()
