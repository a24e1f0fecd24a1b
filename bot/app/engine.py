"""The engine: everything that runs, and how it begins and ends."""

import asyncio
import gc
import logging
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from bot.app import models as modelling
from bot.app.assembly import Assembly, default_policies
from bot.app.platforms import Platform, WaitingSender
from bot.backends.sqlite.store import SqliteStore
from bot.config import Config, Secrets
from bot.core.admission import Admission
from bot.core.dispatcher import Dispatcher
from bot.core.health import Health
from bot.core.inbox import StoringInbox
from bot.core.models import Deferred
from bot.domain.events import MessageReceived
from bot.ports.platform import Adapter
from bot.ports.store import Result, Turn

log = logging.getLogger(__name__)
DRAIN_S = 20.0  # how long running answers may take to end when the bot is stopped


@dataclass(slots=True, kw_only=True)
class Engine:
    """Everything that runs."""

    platforms: list[Platform]
    inbox: StoringInbox
    dispatcher: Dispatcher
    models: dict[str, Deferred]
    drain_s: float = DRAIN_S

    async def run(self, stop: asyncio.Event) -> None:
        """Listen and answer until stopped; stop listening first, then let answers end."""
        answering = asyncio.create_task(self.dispatcher.run(), name="dispatcher")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        listening = {
            asyncio.create_task(platform.run(self.inbox), name=platform.name)
            for platform in self.platforms
        }
        try:
            await self._watch(answering, stopping, listening)
        finally:
            for task in (stopping, *listening):
                task.cancel()
            await asyncio.gather(stopping, *listening, return_exceptions=True)
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
            await self.dispatcher.drain(self.drain_s)

    async def _watch(
        self, answering: asyncio.Task[None], stopping: asyncio.Task[Any],
        listening: set[asyncio.Task[None]],
    ) -> None:  # fmt: skip
        """Wait for the end; a platform that is refused for good leaves the others running."""
        left = set(listening)
        checking = asyncio.create_task(self._check_models(), name="models")
        watched: set[asyncio.Task[Any]] = {answering, stopping, checking}
        while left and not stopping.done():
            done, _ = await asyncio.wait(left | watched, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                watched.discard(task)
                left.discard(task)
                error = task.exception()
                if error and (not left or task in (answering, checking)):
                    raise _only(error)
                if error:
                    log.error("%s is off: %s", task.get_name(), _only(error))

    async def _check_models(self) -> None:
        for model in self.models.values():
            await model.ready()
        gc.freeze()  # all that was imported stays: no collection need look at it again
        gc.enable()


def _only(error: BaseException) -> BaseException:
    """Unwrap the one error of a task group."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


async def assemble(
    config: Config,
    secrets: Secrets,
    store: SqliteStore,
    adapters: Mapping[str, Adapter],
    stack: AsyncExitStack,
    health: Health | None = None,
) -> Engine:
    """Wire the parts; nothing runs before `Engine.run`, nothing is open after `stack` is closed."""
    health = health or Health(now=time.time)
    policies = default_policies(config, store)
    await policies.load()
    connected = {name: asyncio.Event() for name in adapters}
    assembly = Assembly(
        config=config,
        store=store,
        policies=policies,
        admission=Admission(policies, frozenset(config.bot.admins)),
        senders={name: WaitingSender(a.sender, connected[name]) for name, a in adapters.items()},
    )
    models = modelling.deferred(config, secrets, stack)
    answering = assembly.answering(models)
    await answering.staleness.load(store.lanes)
    desk = assembly.desk(answering)

    async def handle(turn: Turn) -> Result:
        message = isinstance(turn.event, MessageReceived)
        return await (answering.take(turn) if message else desk.take(turn))

    dispatcher = assembly.dispatcher(handle, answering)
    return Engine(
        platforms=[
            Platform(name, adapter, desk.catalogue, connected[name], health.pulse(name))
            for name, adapter in adapters.items()
        ],
        inbox=assembly.inbox(dispatcher, answering),
        dispatcher=dispatcher,
        models=models,
    )
