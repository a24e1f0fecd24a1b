"""Who speaks for a policy: the model that it names, or a chain of models made for one turn."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.core.journal import TurnJournal
from bot.core.models.best_of import BestOf, Drawing
from bot.core.models.chained import Chained, Step
from bot.core.models.listening import Keeping
from bot.core.scoring import scorer_of
from bot.domain.chains import BestOfSettings, ChainSettings, RouterSettings
from bot.domain.dialogue import Prompt
from bot.domain.policy import Policy
from bot.domain.replies import Usage
from bot.domain.templates import Template
from bot.ports.embedder import Embedder
from bot.ports.model import Model
from bot.ports.store import Turn


@dataclass(frozen=True, slots=True)
class KeptSteps:
    """The steps of one turn, kept in its journal and noted in its trace.

    What was said about passages that may not be quoted any more, or are no more, is not kept.
    """

    journal: TurnJournal
    turn: Turn
    passages: Sequence[int] = ()  # that the answer may lean on, as they are numbered

    def found(self, name: str) -> Mapping[str, Any] | None:
        """Return what was kept for the question as it still is."""
        kept = self.journal.found(self.turn, name)
        return kept["said"] if kept and kept["passages"] == [*self.passages] else None

    async def keep(self, name: str, found: Mapping[str, Any]) -> None:
        """Keep a step, on disk when this returns."""
        kept = {"said": found, "passages": [*self.passages]}
        await self.journal.keep(self.turn, name, kept)

    def paid(self, what: str, name: str, usage: Usage, **more: Any) -> None:
        """Note what a step took."""
        took = {"in": usage.input_tokens, "out": usage.output_tokens}
        told = {key: value for key, value in more.items() if value is not False}
        self.journal.trace.add(what, {"name": name, "model": usage.model, **took, **told})

    def note(self, what: str, value: Any) -> None:
        """Note anything else."""
        self.journal.trace.note(what, value)


@dataclass(slots=True, kw_only=True)
class Chains:
    """All chains of the configuration, and the models that they are made of."""

    models: Mapping[str, Model]
    admit: Callable[[Prompt], Awaitable[None]]  # raises when no budget allows an answer
    settings: Mapping[str, ChainSettings] = field(default_factory=dict)
    embedder: Embedder | None = None

    def knows(self, policy: Policy) -> bool:
        """Tell whether what a policy names is still there."""
        return policy.model in self.models and policy.chain in ("", *self.settings)

    def speaker(self, policy: Policy, keeping: Keeping) -> Model:
        """Return what answers by a policy; a chain that is no more leaves its model alone."""
        chain = self.settings.get(policy.chain)
        if chain is None or chain.router:
            return self.models[policy.model]
        keeping.note("chain", policy.chain)
        if chain.best_of:
            return BestOf(self._drawing(chain.best_of, policy.model), keeping)
        steps = [
            Step(
                name=step.name,
                model=self.models[step.model or policy.model],
                template=Template.read(step.prompt) if step.prompt else None,
                limit=step.max_output_tokens,
            )
            for step in chain.steps
        ]
        return Chained(steps, keeping)

    def _drawing(self, best: BestOfSettings, usual: str) -> Drawing:
        """Say how candidates are drawn; `usual` is the model that answers in the place."""
        models = [self.models[name] for name in best.models or (usual,)]
        scorer = scorer_of(best, self.models, usual, self.embedder)
        return Drawing(count=best.candidates, models=models, scorer=scorer, admit=self.admit)

    def router(self, name: str) -> RouterSettings | None:
        """Return the router of a chain, if it has one."""
        chain = self.settings.get(name)
        return chain.router if chain else None

    def used(self, policy: Policy) -> frozenset[str]:
        """Return the models that may see the prompt of a policy, wherever its routers lead."""
        used, ways, seen = {policy.model}, [policy.chain], {""}
        while ways:
            way = ways.pop()
            chain = self.settings.get(way)
            if chain and way not in seen:
                used |= {model for _, model in chain.models() if model}
                ways += [target for _, target in chain.targets()]
            elif way in self.models:
                used.add(way)
            seen.add(way)
        return frozenset(used)
