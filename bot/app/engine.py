"""The engine: everything that runs, put together once."""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from bot.app import models as modelling
from bot.app.platforms import Platform, WaitingSender
from bot.backends.sqlite.store import SqliteStore
from bot.backends.tokens.o200k import O200kCounter
from bot.config import Config, Secrets
from bot.core.admission import Admission
from bot.core.checks import Access
from bot.core.commands import Desk
from bot.core.commands.choices import ChoiceCommands
from bot.core.commands.conversation import ConversationCommands
from bot.core.commands.information import InformationCommands
from bot.core.composing import Composing
from bot.core.dispatcher import Dispatcher
from bot.core.inbox import StoringInbox
from bot.core.memory import Recall
from bot.core.metrics import Metrics
from bot.core.models import Deferred
from bot.core.policies import Policies
from bot.core.turn import Answering
from bot.domain.events import MessageReceived
from bot.domain.policy import Policy
from bot.ports.platform import Adapter, Sender
from bot.ports.store import Result, Turn

log = logging.getLogger(__name__)
DRAIN_S = 20.0  # how long running answers may take to end when the bot is stopped


class SystemClock:
    """The real time."""

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@dataclass(slots=True, kw_only=True)
class Engine:
    """Everything that runs."""

    platforms: list[Platform]
    inbox: StoringInbox
    dispatcher: Dispatcher
    models: dict[str, Deferred]

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
            await self.dispatcher.drain(DRAIN_S)

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


def _only(error: BaseException) -> BaseException:
    """Unwrap the one error of a task group."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


async def assemble(
    config: Config, secrets: Secrets, store: SqliteStore, adapters: Mapping[str, Adapter],
    stack: AsyncExitStack,
) -> Engine:  # fmt: skip
    """Wire the parts; nothing runs before `Engine.run`."""
    lanes, metrics = store.lanes, Metrics()
    policies = _policies(config, store)
    await policies.load()
    admission = Admission(policies, frozenset(config.bot.admins))
    connected = {name: asyncio.Event() for name in adapters}
    senders: dict[str, Sender] = {
        name: WaitingSender(adapter.sender, connected[name]) for name, adapter in adapters.items()
    }
    models = modelling.deferred(config, secrets, stack)
    answering = _answering(config, store, policies, admission, senders, models)
    desk = _desk(config, store, policies, admission, senders, answering)

    async def handle(turn: Turn) -> Result:
        message = isinstance(turn.event, MessageReceived)
        return await (answering.take(turn) if message else desk.take(turn))

    dispatcher = Dispatcher(
        lanes=lanes,
        journal=lanes,
        handle=handle,
        senders=senders,
        clock=SystemClock(),
        metrics=metrics,
        attempts=config.turns.attempts,
    )
    inbox = StoringInbox(
        admission=admission,
        policies=policies,
        intake=lanes,
        control=dispatcher.control,
        metrics=metrics,
    )
    running = [
        Platform(name=name, adapter=adapter, catalogue=desk.catalogue, opened=connected[name])
        for name, adapter in adapters.items()
    ]
    return Engine(platforms=running, inbox=inbox, dispatcher=dispatcher, models=models)


def _answering(config: Config, store: SqliteStore, policies: Policies, admission: Admission,
               senders: Mapping[str, Sender], models: Mapping[str, Deferred]) -> Answering:  # fmt: skip  # noqa: E501
    tokens = O200kCounter()
    return Answering(
        policies=policies,
        checks=(Access(admission),),
        composing=Composing(recall=Recall(memory=store.records, tokens=tokens), tokens=tokens),
        models=modelling.with_fallbacks(config, models),
        senders=senders,
        journal=store.lanes,
        price=modelling.prices(config),
        timeout_s=config.turns.timeout_s,
    )


def _desk(config: Config, store: SqliteStore, policies: Policies, admission: Admission,
          senders: Mapping[str, Sender], answering: Answering) -> Desk:  # fmt: skip
    conversation = ConversationCommands(
        memory=store.records,
        intake=store.lanes,
        lanes=store.lanes,
        policies=policies,
        drafts=answering.drafts,
    )
    about = {name: modelling.about(name, chosen) for name, chosen in config.models.items()}
    desk = Desk(admission, senders, store.lanes, conversation.end)
    information = InformationCommands(
        bot_name=config.bot.name,
        catalogue=lambda: desk.catalogue,
        ledger=store.records,
        policies=policies,
        describe=lambda name: about[name],
        running=lambda: len(answering.drafts),
        started=time.time(),
    )
    choices = ChoiceCommands(policies=policies, models=about)
    for capability in (conversation, choices, information):
        desk.register(capability.known())
    return desk


def _policies(config: Config, store: SqliteStore) -> Policies:
    prompts = {name: persona.system_prompt for name, persona in config.personas.items()}
    prompts.setdefault("default", config.bot.system_prompt)
    prompts = {name: text.replace("{name}", config.bot.name) for name, text in prompts.items()}
    default = Policy(
        model=config.chat.model or next(iter(config.models)),
        system_prompt=prompts["default"],
        memory=config.memory,
        access=config.access,
    )
    return Policies(
        default=default, channels=config.channels, personas=prompts,
        models=tuple(config.models), settings=store.records,
    )  # fmt: skip
