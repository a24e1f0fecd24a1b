"""Ask models in order until one answers; once words were heard, that model has the floor."""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from bot.core.models.breaker import Breaker
from bot.domain.dialogue import Delta, Prompt
from bot.domain.errors import ContextTooLong, ModelError
from bot.ports.model import Model

log = logging.getLogger(__name__)


class Fallback:
    """An ordered list of models that behaves like one."""

    def __init__(self, models: Sequence[tuple[str, Model]]) -> None:
        self._models = models

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Stream from the first model that says anything; raises what the last one raised."""
        models = sorted(self._models, key=_rests)  # those that rest come last, in their order
        for index, (name, model) in enumerate(models):
            try:
                async with aclosing(model.stream(prompt)) as deltas:
                    async for delta in deltas:
                        yield delta
            except ContextTooLong:
                raise
            except ModelError as error:
                if index == len(models) - 1:
                    raise
                log.warning("%s gave no answer, asking %s: %s", name, models[index + 1][0], error)
            else:
                return


def _rests(named: tuple[str, Model]) -> bool:
    model = named[1]
    return isinstance(model, Breaker) and model.resting
