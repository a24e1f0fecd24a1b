"""An answer while it is being written, in a task of its own.

Stopping ends the source, never the sink: `stop` closes the model's stream and lets the sender
finish its call. Words that arrive while the sender is busy are handed over together.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from bot.core.citing import Citing
from bot.domain.dialogue import IMAGE_TOKENS, Delta, Ended, Prompt
from bot.domain.errors import ModelError
from bot.domain.replies import Reason, Usage
from bot.ports.store import Turn

log = logging.getLogger(__name__)
T = TypeVar("T")


class Draft:
    """Runs one model stream at a time; can be stopped, revised or forgotten from outside."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn  # as it is now: an edit of the question changes it
        self._answering = turn
        self.stopped = False
        self.asked = ""  # which model, once it was
        self._prompt = Prompt(lines=())  # what it was asked
        self.spoken = 0  # characters of the answer so far
        self.forgotten = False  # the question was deleted meanwhile: nothing is remembered
        self.ended: Ended | None = None
        self.citing = Citing(())  # what the answer cites
        self._task: asyncio.Task[Any] | None = None
        self._heard: list[str] = []
        self._news = asyncio.Event()

    def stop(self) -> None:
        """End the answer here, as it stands."""
        self.stopped = True
        if self._task:
            self._task.cancel()

    def revise(self, turn: Turn) -> None:
        """Let the answer begin anew: the question was edited, or all of it was deleted."""
        self.turn = turn
        self.forgotten = self.forgotten or bool(turn.steps.get("forgotten"))
        if self._task:
            self._task.cancel()

    def begin(self) -> None:
        """Answer the question as it is now."""
        self._answering, self.asked, self.ended = self.turn, "", None

    @property
    def outdated(self) -> bool:
        """Whether what is being said answers a question that is no more."""
        return self.forgotten or self.turn is not self._answering

    def cut(self) -> None:
        """End the answer here, since it has become too long to be shown."""
        self.ended = Ended(reason="complete", usage=self.estimate())

    def forget(self) -> None:
        """End without a trace: the question, or the place, is gone."""
        self.forgotten = True
        self.stop()

    def asks(self, model: str, prompt: Prompt) -> None:
        """Note what the model is asked, for the estimate."""
        self.asked, self.spoken, self.ended, self._prompt = model, 0, None, prompt

    def estimate(self) -> Usage:
        """Return what a call took that was cut short: four characters a token, never nothing."""
        if not self.asked:
            return Usage()
        given = sum(len(line.text) for line in self._prompt.lines) // 4 + 1
        given += IMAGE_TOKENS * len(self._prompt.images)
        spoken = self.spoken // 4 + 1
        return Usage(model=self.asked, input_tokens=given, output_tokens=spoken, estimated=True)

    async def prepare(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Do what comes before the first word; None when the draft was ended meanwhile."""
        self._task = task = asyncio.create_task(work, name="preparing")
        if self.stopped or self.outdated:
            task.cancel()
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
        return None if task.cancelled() else task.result()

    async def words(
        self, stream: AsyncGenerator[Delta, None], timeout_s: float
    ) -> AsyncGenerator[str, None]:
        """Yield the stream's words; afterwards `ended` says how and why it ended.

        Raises:
            ModelError: the model failed before its first word.
        """
        self._task = task = asyncio.create_task(self._listen(stream, timeout_s), name="draft")
        if self.stopped or self.outdated:
            self._task.cancel()
        task.add_done_callback(lambda _: self._news.set())
        try:
            while not task.done() or self._heard:
                if not self._heard:
                    await self._news.wait()
                    self._news.clear()
                    continue
                words = "".join(self._heard)
                self.spoken += len(words)
                self._heard.clear()
                yield words
            if not task.cancelled():
                task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self.ended is None:
            reason: Reason = "stopped" if self.stopped else "interrupted"
            self.ended = Ended(reason=reason, usage=self.estimate())

    async def _listen(self, stream: AsyncGenerator[Delta, None], timeout_s: float) -> None:
        heard_any = False
        try:
            async with asyncio.timeout(timeout_s), aclosing(stream):
                async for delta in stream:
                    if isinstance(delta, Ended):
                        self.ended = delta
                        return
                    heard_any = True
                    self._heard.append(delta)
                    self._news.set()
        except TimeoutError:
            if not heard_any:
                raise ModelError(f"the model did not answer within {timeout_s:g} s") from None
            log.error("%s: an answer broke off: it took %g s", self.turn.lane, timeout_s)  # noqa: TRY400
