"""The engine: everything that runs, and how it begins and ends."""

import asyncio
import gc
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from bot.app import models as modelling
from bot.app.assembly import Assembly, Outside, assembly_of
from bot.app.beside import lasting
from bot.app.desk import desk_of
from bot.app.embedding import embedder_of
from bot.app.grounding import embedding_of, verbs_of
from bot.app.moderation import moderating
from bot.app.platforms import Platform, WaitingSender
from bot.app.privacy import Keeping, first_contact, keeping, model_places
from bot.app.teaching import learning
from bot.backends.sqlite.store import SqliteStore
from bot.config import Config, Secrets
from bot.core.commands.desk import Desk
from bot.core.dispatcher import Dispatcher
from bot.core.dropping import Dropping
from bot.core.embedders import DeferredEmbedder
from bot.core.health import Health
from bot.core.inbox import StoringInbox
from bot.core.knowledge.embedding import Embedding
from bot.core.memory import Summarising
from bot.core.models import Deferred
from bot.core.moderation.moderators import Moderators
from bot.core.turn import Answering
from bot.domain.events import MessageReceived
from bot.ops.knowledge import KnowledgeVerbs
from bot.ports.platform import Adapter
from bot.ports.store import Result, Turn

log = logging.getLogger(__name__)
DRAIN_S = 20.0  # how long running answers may take to end when the bot is stopped
YOUNG = 20_000  # objects that are made before the collector looks: nearly all have gone by then


@dataclass(slots=True, kw_only=True)
class Engine:
    """Everything that runs."""

    platforms: list[Platform]
    inbox: StoringInbox
    dispatcher: Dispatcher
    models: dict[str, Deferred]
    embedder: DeferredEmbedder | None
    embedding: Embedding | None  # gives passages their vectors
    knowledge: KnowledgeVerbs
    keeping: Keeping
    moderators: Moderators
    summarising: Summarising
    drain_s: float = DRAIN_S

    async def run(self, stop: asyncio.Event) -> None:
        """Listen and answer until stopped; stop listening first, then let answers end."""
        answering = asyncio.create_task(self.dispatcher.run(), name="dispatcher")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        beside = [asyncio.create_task(lasting(*one), name=one[0]) for one in self._beside()]
        listening = {
            asyncio.create_task(platform.run(self.inbox), name=platform.name)
            for platform in self.platforms
        }
        try:
            await self._watch(answering, stopping, listening)
        finally:
            for task in (stopping, *beside, *listening):
                task.cancel()
            await asyncio.gather(stopping, *beside, *listening, return_exceptions=True)
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

    def _beside(self) -> Iterator[tuple[str, Callable[[], Awaitable[None]]]]:
        """Name what no answer waits for."""
        yield "tidying", self.keeping.tidying.run
        yield "moderators", self.moderators.tend
        yield "summaries", self.summarising.run
        if self.embedding:
            yield "embedding", self.embedding.run

    async def _check_models(self) -> None:
        for model in self.models.values():
            await model.ready()
        if self.embedder is not None:
            await self.embedder.ready()
        gc.freeze()  # all that was imported stays: no collection need look at it again
        gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
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
    outside: Outside | None = None,
) -> Engine:
    """Wire the parts; nothing runs before `Engine.run`, nothing is open after `stack` is closed."""
    outside = outside or Outside(health=Health(now=time.time))
    connected = {name: asyncio.Event() for name in adapters}
    senders = {name: WaitingSender(a.sender, connected[name]) for name, a in adapters.items()}
    assembly = await assembly_of(config, store, senders, outside)
    models = modelling.deferred(config, secrets, stack)
    embedder = embedder_of(config, secrets, assembly.metering, stack)
    where = model_places(config, secrets)
    judged = await moderating(assembly, secrets, models, stack)
    greeting = await first_contact(assembly, where)
    answering = assembly.answering(models, judged.moderation, greeting, adapters, embedder)
    embedding = embedding_of(store, embedder)
    await answering.staleness.load(store.lanes)
    desk = desk_of(assembly, answering)
    desk.register((), judged.moderators.pressables())
    kept = await keeping(assembly, answering, desk, where)
    dropping = learning(assembly, answering, desk, embedding)
    dispatcher = _dispatcher(assembly, desk, dropping, answering)
    return Engine(
        platforms=[
            Platform(name, adapter, desk.catalogue, connected[name], outside.health.pulse(name))
            for name, adapter in adapters.items()
        ],
        inbox=assembly.inbox(dispatcher, answering, kept.forgetting),
        keeping=kept,
        dispatcher=dispatcher,
        models=models,
        embedder=embedder,
        embedding=embedding,
        knowledge=verbs_of(store, answering.grounding, embedding),
        moderators=judged.moderators,
        summarising=answering.summarising,
    )


def _dispatcher(
    assembly: Assembly, desk: Desk, dropping: Dropping, answering: Answering
) -> Dispatcher:
    """Run the lanes, and let the bot speak up beside them."""
    handle = _handling(assembly, desk, dropping, answering)
    dispatcher = assembly.dispatcher(handle, answering)
    assembly.announcing.control = dispatcher.control
    return dispatcher


def _handling(
    assembly: Assembly, desk: Desk, dropping: Dropping, answering: Answering
) -> Callable[[Turn], Awaitable[Result]]:
    """Give a turn to commands, to the people who took a conversation over, or to the answers."""

    async def handle(turn: Turn) -> Result:
        if not isinstance(turn.event, MessageReceived):
            return await desk.take(turn)
        handed = await assembly.handing.take(turn)
        return handed or await dropping.take(turn) or await answering.take(turn)

    return handle
