"""The one door to everything that is paid: reserve before the call, settle after it.

While no limit is set the reservation is only queued, so that nothing waits for a commit on the way
of an answer; with one, a call is made once its reservation is stored. It is an upper bound: a text
of n UTF-8 bytes never has more than n tokens, and the answer is limited to what is left.
"""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.core.identity import Identity
from bot.core.limits import LimitKeeper
from bot.core.metrics import Metrics
from bot.core.reserving import Reserving
from bot.domain.budgets import Call, Check, Refused, Spent, Tariff
from bot.domain.dialogue import IMAGE_TOKENS, SOUND_TOKENS, Prompt
from bot.domain.replies import Usage
from bot.ports.tokens import TokenCounter

LINE_TOKENS = 8  # that a chat format spends on a line at most, beside its text
CALL_TOKENS = 64  # that it spends on a call: a server may put a line of its own in front
USUAL_ANSWER = 1024  # tokens of an answer whose model has no limit of its own, where one is needed
LEAST_ANSWER = 32  # tokens: less is no answer


@dataclass(slots=True, kw_only=True)
class Metering:
    """Begins paid calls; whoever is refused hears which budget is used up."""

    reserving: Reserving
    limits: LimitKeeper
    tokens: TokenCounter
    identity: Identity
    metrics: Metrics
    now: Callable[[], float] = time.time
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(time.time_ns()))

    async def begin(self, prompt: Prompt, tariff: Tariff) -> "Meter":
        """Reserve one call; `prompt` says for whom it is, and what for.

        Raises:
            OverBudget: a limit leaves no room for it.
            StoreBusy: a limit holds, and nothing can be stored now.
        """
        who, at = self.identity.who(prompt.person) if prompt.person else "", self.now()
        checks = self.limits.checks(who, prompt.conversation, at)
        bounded = any(check.rule.unit != "messages" for check in checks)
        given, said = _bound(prompt, tariff) if bounded else _guess(prompt)
        if not tariff.counts:
            given, said = 0, 0
        call = Call(
            id=next(self._ids), at=at, who=who, lane=prompt.conversation, purpose=prompt.purpose,
            tariff=tariff, input=given, output=said, least=min(LEAST_ANSWER, said),
            counted=prompt.counted,
        )  # fmt: skip
        if not checks:
            self.reserving.queue(call)
            return Meter(self, call)
        output = await self._reserved(call, checks, prompt)
        return Meter(self, call, output if bounded and tariff.counts else 0)

    async def admit(self, prompt: Prompt) -> None:
        """Let a question pass that a message is left for, before a choice or a candidate is paid.

        Raises:
            OverBudget: there is none.
        """
        who = self.identity.who(prompt.person) if prompt.person else ""
        await self.limits.refuse_spent(who, prompt.conversation, self.now())

    def settle(self, call: Call, usage: Usage, *, answered: bool) -> None:
        """Enter what a call has taken; `answered` tells whether it counts as a message."""
        cost = call.tariff.cost(usage.input_tokens, usage.output_tokens)
        tokens = usage.input_tokens + usage.output_tokens
        messages = call.messages if answered else 0
        self.reserving.settle(call, usage, Spent(tokens=tokens, usd=cost, messages=messages))
        self.metrics.paid(usage, cost)

    async def _reserved(self, call: Call, checks: tuple[Check, ...], prompt: Prompt) -> int:
        """Return the tokens of output that are left for a call.

        When its bytes do not fit, its tokens are counted; when others have reserved what it needs,
        it waits until they have used less.
        """
        outcome = await self.reserving.hold(call, checks)
        if isinstance(outcome, Refused) and outcome.check.rule.unit != "messages":
            await self.tokens.load()
            counted = sum(self.tokens.count(line.text) for line in prompt.lines)
            call = replace(call, input=min(call.input, counted + _overhead(prompt)))
            outcome = await self.reserving.hold_in_turn(call, checks, outcome.check.account)
        if isinstance(outcome, Refused):
            raise self.limits.refusal(call.who, call.at, outcome)
        return outcome.output


class Meter:
    """One call that was begun; it is settled once, however it ends."""

    def __init__(self, metering: Metering, call: Call, limit: int = 0) -> None:
        self._metering, self._call, self.settled = metering, call, False
        self.limit = limit  # tokens of the answer, at most; 0: as many as the model gives

    def settle(self, usage: Usage, *, answered: bool = True) -> None:
        """Enter what was used; only the first time counts."""
        if not self.settled:
            self.settled = True
            self._metering.settle(self._call, usage, answered=answered)


def _bound(prompt: Prompt, tariff: Tariff) -> tuple[int, int]:
    """Return more tokens than a call can take, in and out."""
    longest = USUAL_ANSWER if tariff.longest is None else tariff.longest
    return _size(prompt) + _overhead(prompt), longest


def _guess(prompt: Prompt) -> tuple[int, int]:
    """Return what a call that a kill cuts short counts where no limit needs a bound."""
    return _size(prompt) // 4 + 1 + IMAGE_TOKENS * len(prompt.images), 1


def _size(prompt: Prompt) -> int:
    sizes = [
        len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
        for _, text in prompt.lines
    ]
    return sum(sizes)


def _overhead(prompt: Prompt) -> int:
    given = IMAGE_TOKENS * len(prompt.images) + SOUND_TOKENS * prompt.sound_s
    return LINE_TOKENS * len(prompt.lines) + CALL_TOKENS + given
