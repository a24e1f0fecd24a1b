"""A model whose every call passes the ledger, however it ends."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from bot.core.metering import Metering
from bot.domain.budgets import Tariff
from bot.domain.dialogue import IMAGE_TOKENS, Delta, Ended, Prompt
from bot.domain.errors import ModelError, ParleyError
from bot.domain.replies import Usage
from bot.ports.model import Model


class Metered:
    """One model, closest to its server: so each model of a chain of fallbacks is paid by itself."""

    def __init__(self, model: Model, tariff: Tariff, metering: Metering) -> None:
        self._model, self._tariff, self._metering = model, tariff, metering

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Reserve, pass on what the model says, and settle.

        Raises:
            OverBudget: a limit leaves no room for this call.
        """
        meter = await self._metering.begin(prompt, self._tariff)
        spoken = 0
        try:
            asked = replace(prompt, limit=meter.limit) if meter.limit else prompt
            async with aclosing(self._model.stream(asked)) as deltas:
                async for delta in deltas:
                    if isinstance(delta, Ended):
                        meter.settle(delta.usage)
                    else:
                        spoken += len(delta)
                    yield delta
        except ParleyError as error:  # it gave no answer, but may have been paid for thinking
            used = error.usage if isinstance(error, ModelError) else Usage()
            meter.settle(used, answered=spoken > 0)
            raise
        finally:
            if not meter.settled:  # cut short: what was heard so far is paid
                meter.settle(self._estimate(prompt, spoken))

    def _estimate(self, prompt: Prompt, spoken: int) -> Usage:
        if not self._tariff.counts:
            return Usage()
        given = sum(len(line.text) for line in prompt.lines)
        return Usage(
            model=self._tariff.model,
            input_tokens=given // 4 + 1 + IMAGE_TOKENS * len(prompt.images),
            output_tokens=spoken // 4 + 1,
            estimated=True,
        )
