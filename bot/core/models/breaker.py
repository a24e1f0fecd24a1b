"""Let a model that keeps failing rest, so that nobody waits for it again and again.

After some failures in a row it rests, each time longer. A resting model is asked only when no other
is left, and then it must begin soon: who waits gets words or a sentence, not minutes of silence.
When its rest is over one question tries it with all patience; its first word ends the matter.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from bot.domain.dialogue import Delta, Prompt
from bot.domain.errors import ContextTooLong, ModelError, ModelRefused
from bot.ports.model import Model

log = logging.getLogger(__name__)
FAILURES = 5  # in a row, after which a model rests
FIRST_REST_S, LONGEST_REST_S = 10.0, 300.0
HURRY_S = 8.0  # until the first word of a resting model
SILENT_S = 60.0  # whoever gave up after so much silence was failed too


@dataclass(slots=True)
class Breaker:
    """One model, with a memory of how it fared of late."""

    name: str
    model: Model
    now: Callable[[], float] = time.monotonic
    hurry_s: float = HURRY_S
    _failures: int = 0
    _until: float = 0.0
    _rest: float = FIRST_REST_S
    _trying: set[int] = field(default_factory=set)  # the one question that tries it again

    @property
    def resting(self) -> bool:
        """Whether others are to be asked first."""
        return self._broken and (bool(self._trying) or self.now() < self._until)

    @property
    def complaint(self) -> str:
        """Say what is wrong with the model; empty while nothing is."""
        if not self._broken:
            return ""
        left = max(self._until - self.now(), 0.0)
        return f"failed {self._failures} times in a row; tried again in {left:.0f} s"

    @property
    def _broken(self) -> bool:
        return self._failures >= FAILURES

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Pass on what the model says.

        Raises:
            ModelError: as the model does, or when it rests and does not begin soon.
        """
        hurried, began, heard = self.resting, self.now(), False
        mine = id(prompt) if self._broken and not hurried else 0
        self._trying |= {mine} if mine else set()
        try:
            async with aclosing(self.model.stream(prompt)) as deltas:
                yield await self._first(deltas, hurried=hurried)
                heard = True
                async for delta in deltas:
                    yield delta
        except (ContextTooLong, ModelRefused):
            raise
        except ModelError:
            self._failed(hurried=hurried)
            raise
        except (GeneratorExit, asyncio.CancelledError):
            if not heard and not hurried and self.now() - began >= SILENT_S:
                self._failed(hurried=False)
            raise
        finally:
            self._trying.discard(mine)

    async def _first(self, deltas: AsyncGenerator[Delta, None], *, hurried: bool) -> Delta:
        try:
            async with asyncio.timeout(self.hurry_s if hurried else None):
                first = await anext(deltas)
        except TimeoutError:
            raise ModelError(f"{self.name} rests, and did not begin soon") from None
        except StopAsyncIteration:
            raise ModelError(f"{self.name} said nothing") from None
        if self._broken:
            log.warning("model %s answers again", self.name)
        self._failures, self._until, self._rest = 0, 0.0, FIRST_REST_S
        return first

    def _failed(self, *, hurried: bool) -> None:
        """Count a failure; those that come while it rests already do not make it longer."""
        self._failures += 1
        if not self._broken or hurried or self.now() < self._until:
            return
        self._until = self.now() + self._rest
        log.warning(
            "model %s failed %s times in a row; it rests for %g s",
            self.name, self._failures, self._rest,
        )  # fmt: skip
        self._rest = min(self._rest * 2, LONGEST_REST_S)
