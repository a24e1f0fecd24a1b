"""Chains as the configuration names them: a sequence of prompts, a router, the best of several.

A chain is one of the three. What a person gets is always one answer: the last step's words, those
of whatever a router has chosen, or the best candidate.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

MOST_HOPS = 8  # routers that may lead to each other, one behind the other
MOST_CANDIDATES = 8
GIVEN = ("question", "history", "documents", "persona", "previous")  # names of values for prompts

By = Literal["rules", "embeddings", "model"]
ScorerKind = Literal["rules", "sources", "model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSettings:
    """One prompt to one model; the last step's answer is what the person sees."""

    name: str
    model: str = ""  # one of [models.…]; empty: the one that answers in that place
    prompt: str = ""  # a template; empty: the ordinary prompt, with memory and question
    max_output_tokens: int = 0  # of this step's answer; 0: the model's own limit


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSettings:
    """Where some questions go, and how they are known."""

    name: str
    to: str  # a chain, a persona or a model
    words: tuple[str, ...] = ()  # words and phrases, for rules
    examples: tuple[str, ...] = ()  # questions that belong here, for embeddings
    about: str = ""  # one line that tells a model what belongs here


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterSettings:
    """How a question finds its way; `default` takes what fits nowhere."""

    by: By
    default: str  # a chain, a persona or a model
    model: str = ""  # which one chooses, for `by = "model"`; empty: the one that answers there
    min_score: float = 0.5  # how near an example must be, 0 to 1
    routes: tuple[RouteSettings, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOfSettings:
    """Several answers to one question, of which the best is shown."""

    candidates: int = 3
    models: tuple[str, ...] = ()  # taken in turn; empty: the one that answers in that place
    scorer: ScorerKind = "rules"
    judge_model: str = ""  # for scorer "model"; empty: the one that answers in that place
    must: tuple[str, ...] = ()  # words that a good answer has
    must_not: tuple[str, ...] = ()  # words that it has not
    shortest: int = 0  # characters of a good answer
    longest: int = 4000  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSettings:
    """One chain: steps, a router, or the best of several."""

    steps: tuple[StepSettings, ...] = ()
    router: RouterSettings | None = None
    best_of: BestOfSettings | None = None

    def models(self) -> Iterator[tuple[str, str]]:
        """Yield each model that is named, with the key that names it."""
        for step in self.steps:
            yield f"steps.{step.name}.model", step.model
        if self.router:
            yield "router.model", self.router.model
        if self.best_of:
            yield "best_of.judge_model", self.best_of.judge_model
            for model in self.best_of.models:
                yield "best_of.models", model

    def targets(self) -> Iterator[tuple[str, str]]:
        """Yield each place that a router leads to, with the key that names it."""
        if self.router:
            yield "router.default", self.router.default
            for route in self.router.routes:
                yield f"router.routes.{route.name}.to", route.to
