"""Which chain, persona or model a question is for: decided before its prompt is put together.

A router may lead to another one. Each choice is kept as it is made, so that a resumed turn goes the
same way and pays no choice twice. A choice that fails takes the default: an answer is worth more
than the best way to it.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bot.core.chains import Chains
from bot.core.draft import Draft
from bot.core.journal import TurnJournal
from bot.core.policies import Policies
from bot.core.routes import ByExamples, ByModel, by_rules
from bot.domain.chains import MOST_HOPS, RouterSettings
from bot.domain.dialogue import Line, Prompt
from bot.domain.errors import ModelError
from bot.domain.events import MessageReceived
from bot.domain.policy import Policy
from bot.domain.replies import Usage
from bot.domain.routing import Choice
from bot.domain.untrusted import roleless
from bot.ports.store import Turn

log = logging.getLogger(__name__)
SECONDS = 20.0  # for one choice


@dataclass(slots=True, kw_only=True)
class Routing:
    """Follows routers to what answers."""

    chains: Chains
    policies: Policies
    by_examples: ByExamples | None  # None: there is no embedder
    by_model: ByModel = field(default_factory=ByModel)

    async def routed(
        self, event: MessageReceived, policy: Policy, draft: Draft, journal: TurnJournal
    ) -> Policy:
        """Return the policy by which a question is answered.

        Raises:
            OverBudget: a choice is to be paid, and a limit leaves no room for it.
        """
        if not self.chains.router(policy.chain):
            return policy
        found = await draft.prepare(self._followed(event, policy, draft.turn, journal))
        return found or replace(policy, chain="")  # ended meanwhile: nothing will be asked

    async def _followed(
        self, event: MessageReceived, policy: Policy, turn: Turn, journal: TurnJournal
    ) -> Policy:
        for _ in range(MOST_HOPS):
            name, router = policy.chain, self.chains.router(policy.chain)
            if router is None:
                return policy
            choice = await self._choice(name, router, _asked(event, turn), policy, turn, journal)
            to = {route.name: route.to for route in router.routes}.get(choice.route, router.default)
            journal.trace.add("routes", _noted(name, router, choice, to))
            policy = self._led(policy, to)
        return replace(policy, chain="")

    async def _choice(
        self, name: str, router: RouterSettings, asked: Prompt, policy: Policy, turn: Turn,
        journal: TurnJournal,
    ) -> Choice:  # fmt: skip
        """Return a choice, also one that an earlier attempt has made."""
        kept = journal.found(turn, f"routed {name}")
        if kept:
            return Choice(**{**kept, "usage": Usage(**kept["usage"])})
        try:
            async with asyncio.timeout(SECONDS):
                choice = await self._chosen(router, asked, policy)
        except (ModelError, TimeoutError) as error:
            why = str(error) or "too slow"
            log.warning("%s: router %s takes its default: %s", turn.lane, name, why)
            choice = Choice(why="the choice failed")
        await journal.keep(turn, f"routed {name}", asdict(choice))
        return choice

    async def _chosen(self, router: RouterSettings, asked: Prompt, policy: Policy) -> Choice:
        if router.by == "rules":
            return by_rules(asked.lines[-1].text, router.routes)
        await self.chains.admit(asked)
        if router.by == "model":
            model = self.chains.models[router.model or policy.model]
            return await self.by_model.choose(asked, router.routes, model)
        if self.by_examples is None:
            raise ModelError("there is no embedder")
        return await self.by_examples.choose(asked, router.routes, router.min_score)

    def _led(self, policy: Policy, to: str) -> Policy:
        """Follow one route; what is no more leaves the policy as it is."""
        if to in self.chains.settings:
            return replace(policy, chain=to)
        policy = replace(policy, chain="")
        if to in self.policies.personas:
            return replace(policy, persona=to, system_prompt=self.policies.personas[to])
        return replace(policy, model=to) if to in self.chains.models else policy


def _asked(event: MessageReceived, turn: Turn) -> Prompt:
    """Return what a router is shown: the question alone."""
    question = Line("user", roleless(event.words))
    return Prompt(lines=(question,), person=str(event.payer), conversation=turn.lane)


def _noted(name: str, router: RouterSettings, choice: Choice, to: str) -> Mapping[str, Any]:
    """Return what `/why` says of a choice."""
    note: dict[str, Any] = {
        "chain": name, "by": router.by, "route": choice.route, "to": to, "why": choice.why,
    }  # fmt: skip
    if choice.score is not None:
        note["score"] = choice.score
    if choice.usage.model:
        note |= {"model": choice.usage.model, "in": choice.usage.input_tokens,
                 "out": choice.usage.output_tokens}  # fmt: skip
    return note
