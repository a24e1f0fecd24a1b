"""The parts of the engine, each put together from the configuration."""

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.app import models as modelling
from bot.app.clocks import SystemClock, steady_clock
from bot.app.files import attachments_of
from bot.app.grounding import grounding_of
from bot.app.importing import importing_of
from bot.app.memory import summarising_of
from bot.app.metering import metered, metering_of
from bot.app.outgoing import outgoing_of
from bot.app.policies import default_policies, roles_of
from bot.backends.sqlite.store import SqliteStore
from bot.config import Config
from bot.core.admission import Admission
from bot.core.albums import Albums
from bot.core.announcing import Announcing
from bot.core.buttons import Buttons
from bot.core.chains import Chains
from bot.core.changes import Changes
from bot.core.checks import Access, Spending
from bot.core.composing import Composing
from bot.core.dispatcher import Dispatcher
from bot.core.forgetting import Forgetting
from bot.core.handed import Handed
from bot.core.handover import Handing
from bot.core.health import Health
from bot.core.inbox import StoringInbox
from bot.core.knowledge.unanswered import Unanswered
from bot.core.memory import Recall
from bot.core.memory.facts import Knowing
from bot.core.metering import Metering
from bot.core.metrics import Metrics
from bot.core.models import Deferred
from bot.core.moderation.moderation import Moderation
from bot.core.notice import FirstContact
from bot.core.outgoing import Outgoing
from bot.core.overhearing import Overhearing
from bot.core.pace import Pace
from bot.core.permissions import Permissions
from bot.core.places import PlaceKeeper
from bot.core.policies import Policies
from bot.core.routes import ByExamples
from bot.core.routing import Routing
from bot.core.speaking import Speaking
from bot.core.staleness import Staleness
from bot.core.turn import Answering
from bot.domain.conversation import Conversation
from bot.domain.policy import Policy
from bot.ports.clock import Clock
from bot.ports.embedder import Embedder
from bot.ports.model import Model
from bot.ports.platform import Adapter, Descriptor, Sender
from bot.ports.store import Result, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What the engine is given by whoever runs it."""

    health: Health
    reread: Callable[[], Config] | None = None  # reads the configuration again
    secrets: Collection[str] = ()  # tokens of this process, which never leave
    descriptors: Mapping[str, Descriptor] = field(default_factory=dict)
    clock: Clock = SystemClock()

    @property
    def threads(self) -> frozenset[str]:
        """The platforms where a reply to a message opens a thread."""
        known = self.descriptors.items()
        return frozenset(name for name, platform in known if platform.abilities.threads)

    @property
    def hides(self) -> frozenset[str]:
        """The platforms where only the asking person sees the answer to a command."""
        known = self.descriptors.items()
        return frozenset(name for name, platform in known if platform.abilities.private_replies)

    def link(self, place: Conversation) -> str:
        """Return an address that opens a place; empty where there is none."""
        platform = self.descriptors.get(place.platform)
        return platform.link(place) if platform else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """What all parts share."""

    config: Config
    store: SqliteStore
    policies: Policies
    permissions: Permissions
    buttons: Buttons
    senders: Mapping[str, Sender]
    metering: Metering
    pace: Pace
    outside: Outside
    announcing: Announcing = field(init=False)
    handing: Handing = field(init=False)
    admission: Admission = field(init=False)
    overhearing: Overhearing = field(init=False)

    def __post_init__(self) -> None:
        """Make the parts that others need."""
        announcing = Announcing(intake=self.store.lanes)
        object.__setattr__(self, "announcing", announcing)
        object.__setattr__(self, "handing", self._handing())
        admission = Admission(
            policies=self.policies, permissions=self.permissions, staffed=self.handing.answers
        )
        object.__setattr__(self, "admission", admission)
        object.__setattr__(self, "overhearing", self._overhearing())

    @property
    def metrics(self) -> Metrics:
        """What is counted."""
        return self.metering.metrics

    def _outgoing(self, policy: Policy) -> Outgoing:
        """Let nothing leave in one answer or quotation that should not."""
        return outgoing_of(policy, self.outside.secrets)

    def _overhearing(self) -> Overhearing:
        """Listen where the bot may."""
        return Overhearing(
            admission=self.admission, policies=self.policies, intake=self.store.lanes,
            notices=self.store.privacy, announcing=self.announcing, now=time.time,
        )  # fmt: skip

    def _handing(self) -> Handing:
        """Hand conversations over to people."""
        zone = ZoneInfo(self.config.handover.timezone)
        return Handing(
            settings=self.config.handover,
            handed=Handed(
                store=self.store.handovers,
                policies=self.policies,
                threads=self.outside.threads,
            ),
            memory=self.store.records,
            policies=self.policies,
            announcing=self.announcing,
            buttons=self.buttons,
            hides=self.outside.hides,
            link=self.outside.link,
            now=time.time,
            local=lambda now: datetime.fromtimestamp(now, zone),
        )

    def answering(
        self,
        models: Mapping[str, Deferred],
        moderation: Moderation,
        first: FirstContact,
        adapters: Mapping[str, Adapter],
        embedder: Embedder | None,
    ) -> Answering:
        """Answer messages."""
        turns = self.config.turns
        paid = metered(self.config, models, self.metering)
        paid = modelling.with_breakers(paid, self.outside.health)
        chains = self._chains(paid, embedder)
        examples = ByExamples(embedder) if embedder else None
        summarising = summarising_of(self.config, self.store, paid, self.metering.tokens, embedder)
        return Answering(
            policies=self.policies,
            staleness=Staleness(
                after_s=turns.stale_after_s, say=turns.when_stale, now=steady_clock()
            ),
            checks=(
                Access(self.admission, self.store.people),
                Spending(self.metering.limits, self.metering.identity),
            ),
            moderation=moderation,
            attachments=attachments_of(self.config, adapters, models, self.metering),
            routing=Routing(chains=chains, policies=self.policies, by_examples=examples),
            importing=importing_of(adapters, self.admission, self.policies, self.store.lanes),
            grounding=grounding_of(
                self.config, self.store, self.permissions, chains, self._outgoing
            ),
            speaking=self._speaking(chains, summarising.recall),
            summarising=summarising,
            first=first,
            senders=self.senders,
            journal=self.store.lanes,
            metrics=self.metrics,
            offer=self.handing.offer,
            unanswered=Unanswered(gaps=self.store.gaps, abstained=self.handing.abstained),
        )

    def _chains(self, paid: Mapping[str, Model], embedder: Embedder | None) -> Chains:
        """Put the fallbacks behind each model."""
        return Chains(
            models=modelling.with_fallbacks(self.config, paid),
            admit=self.metering.admit,
            settings=self.config.chains,
            embedder=embedder,
        )

    def _speaking(self, chains: Chains, recall: Recall) -> Speaking:
        """Put prompts together, and ask models or chains of them."""
        return Speaking(
            composing=Composing(
                recall=recall,
                knowing=Knowing(facts=self.store.facts),
                tokens=self.metering.tokens,
                may_be_quoted=self.permissions.may_be_quoted,
            ),
            chains=chains,
            timeout_s=self.config.turns.timeout_s,
            outgoing=self._outgoing,
            rooms=modelling.rooms(self.config),
        )

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
            doorway=answering.speaking.doorway,
            clock=SystemClock(),
            metrics=self.metrics,
            attempts=self.config.turns.attempts,
            debounce_s=self.config.turns.debounce_ms / 1000,
            gathers=self.config.turns.while_busy != "queue" or self.config.turns.debounce_ms > 0,
        )

    def inbox(
        self, dispatcher: Dispatcher, answering: Answering, forgetting: Forgetting
    ) -> StoringInbox:
        """Take events in."""
        turns = self.config.turns
        changes = Changes(
            admission=self.admission, intake=self.store.lanes, control=dispatcher.control,
            drafts=answering.drafts, edits_within_s=turns.edits_within_s,
        )  # fmt: skip
        answering.importing.overtaken = changes.overtaken
        return StoringInbox(
            admission=self.admission,
            overhearing=self.overhearing,
            policies=self.policies,
            changes=changes,
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
            came_back=forgetting.came_back,
            pace=self.pace,
            albums=Albums(self.store.lanes.open),
            waiting=turns.waiting,
            while_busy=turns.while_busy,
        )


async def assembly_of(
    config: Config, store: SqliteStore, senders: Mapping[str, Sender], outside: Outside
) -> Assembly:
    """Read what was changed in chat, and share it with all parts."""
    policies = default_policies(config, store.records, store.places)
    await policies.load()
    metering = await metering_of(config, store)
    permissions = Permissions(
        policies=policies, roles=roles_of(config), grants=store.people, who=metering.identity.who
    )
    await permissions.load()
    assembly = Assembly(
        config=config,
        store=store,
        policies=policies,
        permissions=permissions,
        buttons=Buttons(key=await store.people.key("buttons"), now=time.time),
        metering=metering,
        pace=Pace(config.budgets.rate_per_minute),
        senders=senders,
        outside=outside,
    )
    await assembly.handing.load()
    await assembly.overhearing.load()
    return assembly
