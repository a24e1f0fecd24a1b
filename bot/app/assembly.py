"""The parts of the engine, each put together from the configuration."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bot.app import models as modelling
from bot.backends.sqlite.store import SqliteStore
from bot.backends.tokens.o200k import O200kCounter
from bot.config import Config
from bot.core.admission import Admission
from bot.core.changes import Changes
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
from bot.core.places import PlaceKeeper
from bot.core.policies import Policies
from bot.core.speaking import Speaking
from bot.core.staleness import Staleness
from bot.core.turn import Answering
from bot.domain.policy import Policy
from bot.ports.platform import Sender
from bot.ports.store import Result, Turn


class SystemClock:
    """The real time."""

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def _steady_clock() -> Callable[[], float]:
    """Return the time by a clock that nobody can set while the bot runs."""
    began = time.time() - time.monotonic()
    return lambda: began + time.monotonic()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """What all parts share."""

    config: Config
    store: SqliteStore
    policies: Policies
    admission: Admission
    senders: Mapping[str, Sender]
    metrics: Metrics = field(default_factory=Metrics)

    def answering(self, models: Mapping[str, Deferred]) -> Answering:
        """Answer messages."""
        tokens, turns = O200kCounter(), self.config.turns
        return Answering(
            policies=self.policies,
            staleness=Staleness(
                after_s=turns.stale_after_s, say=turns.when_stale, now=_steady_clock()
            ),
            checks=(Access(self.admission),),
            speaking=Speaking(
                composing=Composing(
                    recall=Recall(memory=self.store.records, tokens=tokens), tokens=tokens
                ),
                models=modelling.with_fallbacks(self.config, models),
                price=modelling.prices(self.config),
                timeout_s=turns.timeout_s,
                rooms=modelling.rooms(self.config),
            ),
            senders=self.senders,
            journal=self.store.lanes,
            metrics=self.metrics,
        )

    def desk(self, answering: Answering) -> Desk:
        """Run commands, each capability with its own."""
        conversation = ConversationCommands(
            memory=self.store.records,
            intake=self.store.lanes,
            lanes=self.store.lanes,
            policies=self.policies,
            drafts=answering.drafts,
        )
        models = self.config.models
        about = {name: modelling.about(chosen) for name, chosen in models.items()}
        desk = Desk(self.admission, self.senders, self.store.lanes, conversation.end)
        information = InformationCommands(
            bot_name=self.config.bot.name,
            catalogue=lambda: desk.catalogue,
            ledger=self.store.records,
            policies=self.policies,
            describe=lambda name: about[name],
            running=lambda: len(answering.drafts),
            started=time.time(),
        )
        choices = ChoiceCommands(policies=self.policies, models=about)
        for capability in (conversation, choices, information):
            desk.register(capability.known())
        return desk

    def dispatcher(
        self, handle: Callable[[Turn], Awaitable[Result]], answering: Answering
    ) -> Dispatcher:
        """Run the lanes."""
        return Dispatcher(
            lanes=self.store.lanes,
            crowd=self.store.lanes,
            journal=self.store.lanes,
            handle=handle,
            senders=self.senders,
            stop_answers=answering.stop_all,
            clock=SystemClock(),
            metrics=self.metrics,
            attempts=self.config.turns.attempts,
            debounce_s=self.config.turns.debounce_ms / 1000,
            gathers=self.config.turns.while_busy != "queue" or self.config.turns.debounce_ms > 0,
        )

    def inbox(self, dispatcher: Dispatcher, answering: Answering) -> StoringInbox:
        """Take events in."""
        turns = self.config.turns
        return StoringInbox(
            admission=self.admission,
            policies=self.policies,
            changes=Changes(
                admission=self.admission,
                intake=self.store.lanes,
                control=dispatcher.control,
                drafts=answering.drafts,
                edits_within_s=turns.edits_within_s,
            ),
            places=PlaceKeeper(
                policies=self.policies, places=self.store.places, drafts=answering.drafts
            ),
            intake=self.store.lanes,
            lanes=self.store.lanes,
            crowd=self.store.lanes,
            control=dispatcher.control,
            metrics=self.metrics,
            drafts=answering.drafts,
            clock=SystemClock(),
            waiting=turns.waiting,
            while_busy=turns.while_busy,
        )


def default_policies(config: Config, store: SqliteStore) -> Policies:
    """Return the policies of the file; `load` adds what was changed in chat."""
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
        models=tuple(config.models), settings=store.records, places=store.places,
    )  # fmt: skip
