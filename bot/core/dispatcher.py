"""Runs the lanes: turns of one conversation one after another, conversations side by side.

Whatever goes wrong in a turn ends here: the turn is tried again later, or given up with one
sentence to the person. A stuck lane never blocks another.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bot.core import sentences
from bot.core.doorway import Doorway
from bot.core.journal import TurnOutbox, address, reference_of
from bot.core.metrics import Metrics
from bot.domain.errors import (
    DeliveryError,
    Fenced,
    Gone,
    ParleyError,
    RetryLater,
    StoreError,
)
from bot.domain.events import MessageReceived
from bot.domain.replies import Button, Finished, Piece, Text
from bot.ports.clock import Clock
from bot.ports.platform import Sender
from bot.ports.store import Crowd, Journal, Lanes, Result, Turn

log = logging.getLogger(__name__)
LONGEST_PAUSE = 60.0  # seconds between attempts at a turn that fails
STOPPING_S = 5.0  # how long replies may take to end once their models are stopped
ALBUM_S = 0.7  # without another part, after which an album is taken to be whole
LONGEST_DEBOUNCE = 5  # times the pause for which one turn waits for more messages at most
PLATFORM_PAUSE = 2.0  # seconds before a platform that cannot be reached is tried again


@dataclass(slots=True, kw_only=True)
class Dispatcher:
    """Claims ready lanes and runs their turns."""

    lanes: Lanes
    crowd: Crowd
    journal: Journal
    handle: Callable[[Turn], Awaitable[Result]]
    senders: Mapping[str, Sender]
    stop_answers: Callable[[], None]  # ends every running model stream
    doorway: Doorway
    clock: Clock
    metrics: Metrics
    attempts: int = 5
    gathers: bool = False  # what a person wrote meanwhile is taken as one message
    debounce_s: float = 0.0  # how long to wait for more of it
    parallel: int = 512  # lanes that run at once
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _beside: set[asyncio.Task[None]] = field(default_factory=set)  # the control track
    _draining: bool = False

    async def run(self) -> None:
        """Claim and run until cancelled."""
        while True:
            while len(self._tasks) >= self.parallel:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            room = min(await self.doorway.room(), self.parallel - len(self._tasks))
            for turn in await self.lanes.claim(room):
                self.doorway.enter(turn.id)
                self._begin(turn, self._tasks)

    async def drain(self, seconds: float) -> None:
        """Let running turns end within a limit, then stop their models so that replies end whole.

        What waits stays stored for the next start, and so does what cannot even be stopped.
        """
        self._draining = True
        tasks = self._tasks | self._beside
        if tasks and seconds:
            await asyncio.wait(tasks, timeout=seconds)
        self.stop_answers()
        if tasks:
            await asyncio.wait(tasks, timeout=STOPPING_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def control(self, turn: Turn) -> None:
        """Begin one event of the control track, beside the lanes."""
        self._begin(turn, self._beside)

    def _begin(self, turn: Turn, tasks: set[asyncio.Task[None]]) -> None:
        task = asyncio.create_task(self._lane(turn), name=f"lane {turn.lane}")
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        task.add_done_callback(lambda _: self.doorway.leave(turn.id))

    async def _lane(self, turn: Turn) -> None:
        following: Turn | None = turn
        while following and not self._draining:
            try:
                following = await self._attempt(following)
            except BaseException as error:
                if is_the_end(error):
                    raise
                log.error("lane %s: %s, trying again", turn.lane, told(error))  # noqa: TRY400
                await self.clock.sleep(1.0)

    async def _attempt(self, turn: Turn) -> Turn | None:
        turn = self.crowd.current(turn)
        self.metrics.resumed += turn.resumed
        if turn.attempts >= self.attempts:
            reference = reference_of(turn.event.id)
            log.error(
                "giving up on %s after %s attempts: reference %s",
                turn.event.id, turn.attempts, reference,
            )  # fmt: skip
            if "forgotten" not in turn.steps:
                await self._apologise(turn)
            return await self._bury(turn, f"gave up after {turn.attempts} attempts")
        if isinstance(turn.event, MessageReceived) and not (turn.attempts or turn.steps):
            turn = await self._gathered(turn, turn.event.album)
        began = time.monotonic()
        try:
            result = await self.handle(turn)
        except Fenced:
            log.warning("turn %s of %s belongs to another worker now", turn.id, turn.lane)
            return None
        except BaseException as error:
            if is_the_end(error):
                await self.lanes.release(turn)
                raise
            return await self._failed(turn, error)
        self.metrics.turns[result.outcome] += 1
        self.metrics.turn_seconds.observe(time.monotonic() - began)
        return await self._finish(turn, result)

    async def _gathered(self, turn: Turn, album: str) -> Turn:
        """Wait until its author pauses, but not for ever; take what came as one message."""
        if not (self.gathers or album):
            return turn
        pause = max(self.debounce_s if self.gathers else 0.0, ALBUM_S if album else 0.0)
        limit = self.clock.now() + LONGEST_DEBOUNCE * pause
        seen = 0
        while pause and seen < self.crowd.count(turn.lane) and self.clock.now() < limit:
            seen = self.crowd.count(turn.lane)
            await self.clock.sleep(pause)
        return await self.crowd.gather(turn, album="" if self.gathers else album)

    async def _failed(self, turn: Turn, error: BaseException) -> Turn | None:
        if isinstance(error, Gone):
            log.warning("%s of %s: the place is closed: %s", turn.event.id, turn.lane, error)
            return await self._bury(turn, "the place is closed to the bot")
        passing = isinstance(error, DeliveryError | StoreError)
        pause = min(2.0**turn.attempts, LONGEST_PAUSE)
        if passing:  # the sender has tried for a while already
            pause = error.seconds if isinstance(error, RetryLater) else PLATFORM_PAUSE
        log.warning("%s: turn %s failed, again in %g s: %s", turn.lane, turn.id, pause, told(error))
        log.debug("%s: turn %s", turn.lane, turn.id, exc_info=error)
        due = time.time() + pause
        await self._patiently(lambda: self.lanes.fail(turn, not_before=due, counted=not passing))
        return None

    async def _bury(self, turn: Turn, reason: str) -> Turn | None:
        self.metrics.dead += 1
        return await self._finish(turn, Result(outcome="dead", reason=reason))

    async def _finish(self, turn: Turn, result: Result) -> Turn | None:
        following: list[Turn | None] = []

        async def finish() -> None:
            following.append(await self.lanes.finish(turn, result))

        await self._patiently(finish)
        result.then()
        return following[0]

    async def _patiently(self, write: Callable[[], Awaitable[None]]) -> None:
        """Repeat a write until the store takes it: a full disk must not lose what was sent."""
        while True:
            try:
                await write()
            except StoreError as error:
                log.error("the store does not write, trying again: %s", error)  # noqa: TRY400
                await self.clock.sleep(1.0)
            else:
                return

    async def _apologise(self, turn: Turn) -> None:
        sentence = sentences.GAVE_UP.format(reference=reference_of(turn.event.id))
        try:
            sender = self.senders[turn.event.conversation.platform]
            await sender.deliver(address(turn), saying(sentence), TurnOutbox(self.journal, turn))
        except BaseException as error:
            if is_the_end(error):
                raise
            log.warning(
                "could not tell %s that its message was given up: %s", turn.lane, told(error)
            )


def is_the_end(error: BaseException) -> bool:
    """Whether the running task itself is to end, and not only something inside it has failed."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is None or task.cancelling() > 0
    return isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit)


def told(error: BaseException) -> str:
    """Describe an error for a log: ours in words, others by name, since theirs may quote text."""
    return str(error) if isinstance(error, ParleyError) else type(error).__name__


async def saying(sentence: str, buttons: tuple[Button, ...] = ()) -> AsyncGenerator[Piece, None]:
    """Make a reply of one finished sentence."""
    if sentence:
        yield Text(sentence)
    yield Finished(buttons=buttons)
