"""Lanes in memory: which turns wait, which lane is ready, running, or resting until a time.

The inbox table is the truth; what stands here is what it would say, without asking it. A lane gives
way after each turn when others are ready, so that a busy one does not keep a slot for itself.
"""

import asyncio
import heapq
import time
from collections import deque
from collections.abc import Callable, Container, Iterator
from typing import Literal

from bot.ports.store import Turn

LONGEST_REST = 60.0  # seconds that a lane waits for its next attempt


class Waiting:
    """All open turns by lane, in order."""

    def __init__(self) -> None:
        self.count = 0
        self._lanes: dict[str, deque[Turn]] = {}
        self._running: set[str] = set()  # lanes that are claimed: their first turn is being run
        self._resting: dict[str, float] = {}  # lane → when its first turn may run, monotonic
        self._delayed: list[tuple[float, str]] = []  # the same, soonest first
        self._ready: deque[str] = deque()
        self._wake = asyncio.Event()

    # ---- who waits

    def offer(self, turn: Turn, *, not_before: float = 0.0) -> None:
        """Let a stored turn wait in its lane; `not_before` in seconds since 1970."""
        self.count += 1
        lane = self._lanes.get(turn.lane)
        if lane is not None:
            lane.append(turn)
            return
        self._lanes[turn.lane] = deque([turn])
        self.rest(turn.lane, not_before - time.time())

    def rest(self, lane: str, pause: float) -> None:
        """Let a lane wait; on the monotonic clock, since the system's may be set back."""
        if pause > 0:
            due = asyncio.get_running_loop().time() + min(pause, LONGEST_REST)
            self._resting[lane] = due
            heapq.heappush(self._delayed, (due, lane))
        else:
            self._resting.pop(lane, None)
            self._ready.append(lane)
        self._wake.set()

    def turns(self, lane: str) -> tuple[Turn, ...]:
        """Return the open turns of a lane, the running one included."""
        return tuple(self._lanes.get(lane, ()))

    def head(self, lane: str) -> Turn | None:
        """Return the first open turn of a lane."""
        turns = self._lanes.get(lane)
        return turns[0] if turns else None

    def depth(self, lane: str) -> int:
        """Return how many turns are open in a lane."""
        return len(self._lanes.get(lane, ()))

    def everywhere(self) -> Iterator[Turn]:
        """Walk over all open turns."""
        for lane in self._lanes.values():
            yield from lane

    def state(self, turn: Turn) -> Literal["waiting", "running", "resting"]:
        """Tell what an open turn does."""
        if turn.id == self.running(turn.lane):
            return "running"
        head = self.head(turn.lane)
        first = head is not None and head.id == turn.id
        return "resting" if first and turn.lane in self._resting else "waiting"

    def running(self, lane: str) -> int:
        """Return the id of the turn that runs in a lane; 0 when none does."""
        return self._lanes[lane][0].id if lane in self._running else 0

    @property
    def ready(self) -> int:
        """How many lanes wait for a slot."""
        return len(self._ready)

    # ---- who runs

    async def claim(self, limit: int) -> list[Turn]:
        """Take ready lanes, oldest news first."""
        while True:
            pause = self._wake_rested()
            turns: list[Turn] = []
            while self._ready and len(turns) < limit:
                lane = self._ready.popleft()
                if lane in self._running or lane in self._resting or not self._lanes.get(lane):
                    continue
                self._running.add(lane)
                turns.append(self._lanes[lane][0])
            if turns:
                return turns
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                continue

    def next(self, turn: Turn) -> Turn | None:
        """Take a closed turn out; return the next one of its lane, unless others are waiting."""
        lane = self._lanes.get(turn.lane)
        if not lane or lane[0].id != turn.id:
            return None
        lane.popleft()
        self.count -= 1
        if lane and not self._ready:
            return lane[0]
        self._running.discard(turn.lane)
        if lane:
            self._ready.append(turn.lane)
        else:
            del self._lanes[turn.lane]
        return None

    def again(self, was: str, turn: Turn, not_before: float) -> None:
        """Put a failed turn back to the head of its lane; one that had none joins its lane.

        `was` is the lane in which it ran, which has got another name when it is not the turn's.
        """
        lane = self._lanes.get(was)
        if not lane or lane[0].id != turn.id:
            self.offer(turn, not_before=not_before)
        elif was == turn.lane:
            lane[0] = turn
            self._running.discard(was)
            self.rest(was, not_before - time.time())
        else:
            self.next(lane[0])
            self.put_back(turn)

    def put_back(self, turn: Turn) -> None:
        """Let a turn wait where its age puts it, but not before one that runs."""
        before = self._lanes.get(turn.lane)
        if not before:
            self.offer(turn)
            return
        self.count += 1
        running = self.running(turn.lane)
        before.append(turn)
        self._lanes[turn.lane] = deque(sorted(before, key=lambda t: (t.id != running, t.id)))

    # ---- what is changed while it waits

    def change(self, lane: str, id: int, change: Callable[[Turn], Turn]) -> Turn | None:
        """Replace a turn, running ones too; returns the new one."""
        for index, turn in enumerate(self._lanes.get(lane, ())):
            if turn.id == id:
                self._lanes[lane][index] = change(turn)
                return self._lanes[lane][index]
        return None

    def lanes(self) -> tuple[str, ...]:
        """Return the lanes that have open turns."""
        return tuple(self._lanes)

    def rename(self, old: str, renamed: Callable[[Turn], Turn]) -> None:
        """Move what waits in a lane to the one of its new name."""
        running = self.running(old)
        moved = [turn for turn in self._lanes.get(old, ()) if turn.id != running]
        self.take_out(old, {turn.id for turn in moved})
        for turn in moved:
            self.put_back(renamed(turn))

    def take_out(self, lane: str, ids: Container[int]) -> None:
        """Forget turns that were closed while they waited; a new head need not rest."""
        before = self._lanes.get(lane)
        if before is None:
            return
        after = deque(turn for turn in before if turn.id not in ids)
        self.count -= len(before) - len(after)
        if not after:
            del self._lanes[lane]
            self._running.discard(lane)
            self._resting.pop(lane, None)
            return
        self._lanes[lane] = after
        if after[0] is not before[0] and lane in self._resting:
            self.rest(lane, 0)

    def _wake_rested(self) -> float | None:
        """Move lanes whose time has come to `ready`; returns seconds until the next one."""
        while self._delayed:
            due, lane = self._delayed[0]
            pause = due - asyncio.get_running_loop().time()
            if pause > 0:
                return pause
            heapq.heappop(self._delayed)
            if self._resting.get(lane) == due:  # else it was put off, or need not rest any more
                del self._resting[lane]
                self._ready.append(lane)
        return None
