"""Several answers to one question, drawn side by side, of which the best is heard.

Each is kept as it completes, and so is the choice: a resumed turn draws only what is missing. One
that fails does not fail the answer; those that are much slower than another are given up.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.core.models.listening import Heard, Keeping, heard, summed
from bot.domain.dialogue import Delta, Ended, Material, Prompt
from bot.domain.errors import ContextTooLong, ModelError, OverBudget
from bot.domain.replies import Usage
from bot.ports.model import Model
from bot.ports.scorer import Scored, Scorer

log = logging.getLogger(__name__)
AT_ONCE = 4  # calls of one answer
PATIENCE_S = 20.0  # for the others, once one answer is there
CHOSEN = "chosen"

Drawn = Mapping[int, Heard]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """How candidates are drawn and scored."""

    count: int
    models: Sequence[Model]  # taken in turn
    scorer: Scorer
    admit: Callable[[Prompt], Awaitable[None]]  # raises when no budget allows the answer
    patience_s: float = PATIENCE_S


class BestOf:
    """Models and a scorer that behave like one model; its words come all at once."""

    def __init__(self, drawing: Drawing, keeping: Keeping) -> None:
        self._drawing, self._keeping = drawing, keeping
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Yield the best candidate.

        Raises:
            ModelError, OverBudget: no candidate could be drawn.
        """
        choice, drawn = self._keeping.found(CHOSEN), self._known()
        if not choice or choice["number"] not in drawn:  # a chain may draw fewer than before
            drawn = await self._draw(prompt)
            choice = await self._choose(prompt, drawn)
        self._told(drawn, choice)
        best = drawn[choice["number"]]
        others = [one.usage for number, one in drawn.items() if number != choice["number"]]
        yield best.text
        usage = summed([Usage(**choice["usage"]), *others, best.usage])
        yield Ended(reason=best.reason, usage=usage)

    # ---- drawing

    def _known(self) -> Drawn:
        """Return the candidates of earlier attempts."""
        kept = {number: self._keeping.found(_name(number)) for number in self._numbers}
        return {number: Heard.read(found) for number, found in kept.items() if found}

    @property
    def _numbers(self) -> Iterable[int]:
        return range(1, self._drawing.count + 1)

    async def _draw(self, prompt: Prompt) -> Drawn:
        """Return all candidates that can be had."""
        if not self._known():  # the first one would be refused beside others that are paid
            await self._drawing.admit(prompt)
        tasks = {
            number: asyncio.create_task(self._candidate(number, prompt), name=_name(number))
            for number in self._numbers
        }
        try:
            await self._patiently([*tasks.values()])
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
        ended = {number: task for number, task in tasks.items() if not task.cancelled()}
        drawn = {number: task.result() for number, task in ended.items() if not task.exception()}
        failures = [error for task in ended.values() if (error := task.exception())]
        for error in _worst_first(failures):
            if not drawn or not isinstance(error, ModelError | OverBudget):
                raise error
            log.warning("%s: one answer fewer to choose from: %s", prompt.conversation, error)
        return drawn

    async def _patiently(self, tasks: Sequence["asyncio.Task[Heard]"]) -> None:
        """Wait for all of them, but not long once there is an answer."""
        waiting, patience, first = set(tasks), None, tasks[0]
        while waiting:
            done, waiting = await asyncio.wait(
                waiting, timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                return
            if first in done and isinstance(first.exception(), OverBudget):
                return  # nobody pays for the others of an answer that may not be given
            if any(task.exception() is None for task in done):
                patience = self._drawing.patience_s

    async def _candidate(self, number: int, prompt: Prompt) -> Heard:
        """Return one candidate, also of an earlier attempt."""
        kept = self._keeping.found(_name(number))
        if kept:
            return Heard.read(kept)
        model = self._drawing.models[(number - 1) % len(self._drawing.models)]
        # The first one is the message that budgets count.
        asked = replace(prompt, purpose="candidate", counted=number == 1, material=Material())
        async with self._turns:
            said = await heard(model, asked)
            if said.reason == "interrupted":
                raise ModelError(f"candidate {number} broke off")
            await self._keeping.keep(_name(number), said.plain())
        return said

    # ---- choosing

    async def _choose(self, prompt: Prompt, drawn: Drawn) -> Mapping[str, Any]:
        """Return the best candidate with all scores; of equals the first."""
        scored = Scored(scores=(0.0,), by="nobody")
        if len(drawn) > 1:
            texts = [one.text for one in drawn.values()]
            scored = await self._drawing.scorer.score(prompt, texts)
        scores = dict(zip(drawn, scored.scores, strict=True))
        choice = {
            "number": max(scores, key=lambda number: (scores[number], -number)),
            "scores": {str(number): score for number, score in scores.items()},
            "by": scored.by,
            "usage": asdict(scored.usage),
        }
        await self._keeping.keep(CHOSEN, choice)
        return choice

    def _told(self, drawn: Drawn, choice: Mapping[str, Any]) -> None:
        """Note for `/why` what each candidate took and got."""
        for number, one in sorted(drawn.items()):
            score, best = choice["scores"].get(str(number)), number == choice["number"]
            self._keeping.paid("candidates", str(number), one.usage, score=score, chosen=best)
        if choice["usage"]["model"]:
            self._keeping.paid("scorer", choice["by"], Usage(**choice["usage"]))
        else:
            self._keeping.note("scorer", [{"name": choice["by"]}])


def _name(number: int) -> str:
    return f"candidate {number}"


def _worst_first(failures: Sequence[BaseException]) -> list[BaseException]:
    """Put first what must be heard: an error of ours, then a prompt that can be made shorter."""

    def rank(error: BaseException) -> int:
        if not isinstance(error, ModelError | OverBudget):
            return 0
        return 1 if isinstance(error, ContextTooLong) else 2

    return sorted(failures, key=rank)
