"""A platform, an outbox and a clock in memory, on which replies are delivered."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from adapters.kit.live import Manner, deliver
from bot.domain.errors import Unreachable
from bot.domain.replies import Button, Finished, Part, Piece, Receipt, Text

T = TypeVar("T")
COMMIT = 0.002  # seconds that a note needs to be safe


class Killed(BaseException):
    """The process ends here."""


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer instead of waiting for it."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        waiting = [] if self._ready else [h.when() for h in self._scheduled if not h.cancelled()]
        if waiting:
            self.now = max(self.now, min(waiting))
        super()._run_once()


def play(scene: Coroutine[Any, Any, T]) -> T:
    """Run a scene in jumping time, and let its last commit pass; no task may be left."""

    async def alone() -> T:
        try:
            result = await scene
            await asyncio.sleep(COMMIT)
        finally:
            assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(alone())


@dataclass(frozen=True)
class Call:
    at: float
    verb: str
    what: int | str
    shown: str = ""
    final: bool = False
    buttons: tuple[Button, ...] = ()


class Taken:
    """A fault: the platform does what was asked, then `error` happens."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class Platform:
    """Keeps messages; does wrong what `faults` says, call by call and verb by verb."""

    def __init__(self, outbox: "Journal | None" = None, *, searchable: bool = True) -> None:
        self.messages: dict[str, str] = {}
        self.buttons: dict[str, tuple[Button, ...]] = {}
        self.index: dict[str, int] = {}
        self.calls: list[Call] = []
        self.faults: dict[str, deque[BaseException | Taken | None]] = defaultdict(deque)
        self.outbox = outbox
        self.searchable = searchable
        self.latency = 0.01
        self.busy = False

    @property
    def screen(self) -> list[str]:
        return list(self.messages.values())

    def verbs(self, *verbs: str) -> list[Call]:
        return [call for call in self.calls if call.verb in verbs]

    async def post(self, index: int, shown: str, *, final: bool, buttons=()) -> str:
        assert shown.strip()
        if self.outbox:
            assert index in (self.outbox.committed if index else self.outbox.known)
        fault = await self._begin("post", index, shown, final, buttons)
        id_ = f"m{len(self.index)}"
        self.messages[id_], self.buttons[id_] = shown, buttons
        self.index[id_] = index
        self._end(fault)
        return id_

    async def edit(self, id: str, shown: str, *, final: bool, buttons=()) -> None:
        assert shown.strip()
        assert id in self.messages
        if self.outbox:
            assert id in self.outbox.committed_ids
        fault = await self._begin("edit", id, shown, final, buttons)
        self.messages[id], self.buttons[id] = shown, buttons
        self._end(fault)

    async def delete(self, id: str) -> None:
        fault = await self._begin("delete", id)
        self.messages.pop(id, None)
        self._end(fault)

    async def find(self, index: int) -> str | None:
        self._end(await self._begin("find", index))
        found = [id_ for id_ in self.messages if self.index[id_] == index]
        return found[0] if found and self.searchable else None

    async def typing(self) -> None:
        self.calls.append(Call(asyncio.get_running_loop().time(), "typing", ""))
        await asyncio.sleep(self.latency)

    async def _begin(self, verb, what, shown="", final=False, buttons=()):
        assert not self.busy, "two calls at once"
        assert final or not buttons
        self.busy = True
        now = asyncio.get_running_loop().time()
        self.calls.append(Call(now, verb, what, shown, final, buttons))
        try:
            await asyncio.sleep(self.latency)
        finally:
            self.busy = False
        fault = self.faults[verb].popleft() if self.faults[verb] else None
        if isinstance(fault, BaseException):
            raise fault
        return fault

    def _end(self, fault: Taken | None) -> None:
        if fault:
            raise fault.error


class Journal:
    """An outbox; what it is told is safe only after its next commit."""

    def __init__(self, known: Mapping[int, Part] | None = None, *, resumed: bool = False) -> None:
        self.known: dict[int, Part] = dict(known or {})
        self.committed: dict[int, Part] = dict(self.known)
        self.committed_ids = {part.id for part in self.known.values() if part.id}
        self.resumed = resumed
        self.notes: list[tuple[str, Part | int]] = []

    def begin(self, part: Part) -> asyncio.Future[None]:
        self.known[part.index] = part
        return self._commit("begin", part)

    def sent(self, part: Part) -> asyncio.Future[None]:
        assert part.id
        self.known[part.index] = part
        return self._commit("sent", part)

    def withdrawn(self, index: int) -> asyncio.Future[None]:
        self.known.pop(index, None)
        return self._commit("withdrawn", index)

    def survivor(self) -> "Journal":
        """What the next attempt finds after a crash."""
        return Journal(self.committed, resumed=True)

    def _commit(self, verb: str, what: Part | int) -> asyncio.Future[None]:
        self.notes.append((verb, what))
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_later(COMMIT, self._committed, future, what)
        return future

    def _committed(self, future: asyncio.Future[None], what: Part | int) -> None:
        if isinstance(what, int):
            self.committed.pop(what, None)
        else:
            self.committed[what.index] = what
            self.committed_ids |= {what.id} - {""}
        if not future.done():
            future.set_result(None)


class Reply:
    """A reply that yields pieces and pauses (seconds), and notes that it was closed."""

    def __init__(self, *steps: Piece | str | float | BaseException) -> None:
        self.steps = steps
        self.closed = False

    async def __call__(self) -> AsyncIterator[Piece]:
        try:
            for step in self.steps:
                if isinstance(step, BaseException):
                    raise step
                if isinstance(step, int | float):
                    await asyncio.sleep(step)
                else:
                    yield Text(step) if isinstance(step, str) else step
        finally:
            self.closed = True


MANNER = Manner(limit=100, interval=1.0, patience=0.3, give_up=20.0)
EDITED = replace(MANNER, placeholder="…")
SILENT = Unreachable("no answer")


async def give(
    reply: Reply, platform: Platform, outbox: Journal, manner: Manner = MANNER
) -> Receipt:
    """Deliver a reply, and see to it that it is closed whatever happens."""
    try:
        return await deliver(reply(), platform, manner, outbox)
    finally:
        assert reply.closed


def said(*words: str, pause: float = 0.0) -> Reply:
    """A reply of some words with a pause before each, and an end."""
    steps = [step for word in words for step in (pause, word)]
    return Reply(*steps, Finished())
