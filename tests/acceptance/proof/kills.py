"""Kill the bot at every kind of moment under load, start it again, count what became of each message.

    python -m tests.acceptance.proof.kills --cycles 100 --platform slack

A cycle: people write while the bot is away, it starts, answers and is killed with SIGKILL

- at any moment from the start on (`EARLY` of the cycles),
- right behind the next message that the platform has taken from it, half of the time before it can
  hear so (`AIMED`: the worst case, not a field rate), or
- at any moment after its first answer, while people go on writing.

Rooms are private chats, groups and threads; answers are short, slow enough to be streamed, or
longer than one message; some posts appear on the platform `LATE` seconds after they were sent, also
when their sender is dead by then. Starts are forks of a process that has done the imports
(`preloaded.py`); a few plain starts are measured apart. The seed repeats every draw, not the timing.
"""

import asyncio
import random
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.acceptance.counting import Count, Shapes
from tests.acceptance.places import MIXED, text_limit
from tests.acceptance.proof.forks import Forks
from tests.acceptance.proof.running import alone, quiet
from tests.acceptance.stage import Stage

ROOMS, AT_ONCE = 36, 4  # rooms that are busy, messages that wait in one
GENERATION = 100  # cycles with the same rooms
EARLY, AIMED = 0.15, 0.35
WINDOW = 0.5  # seconds in which a random kill comes
LATE, LATE_SHARE = 0.3, 0.1  # how late a post appears, in how many cycles
DRAIN = 90.0  # seconds without any progress after which the rest counts as lost
PATIENCE = 5.0  # seconds for something to happen in a cycle
FAULTS = ("lost", "doubled", "swapped", "crossed", "partial")
SECTIONS = """
[memory]
kind = "window"
window = 2
max_tokens = 200000
[turns]
attempts = 1000  # in life the fifth death of a turn is its last; here it dies twice a second
"""


@dataclass
class Clocks:
    """Seconds, collected over the cycles."""

    ready: list[float] = field(default_factory=list)  # from the start until it listens
    resumed: list[float] = field(default_factory=list)  # from a kill to the first answer it held up


class Trial:
    """One platform, its bot, and the dice."""

    def __init__(self, stage, dice):
        self.stage, self.dice = stage, dice
        self.clocks, self.count = Clocks(), Count()
        self.cycles = self._first = 0
        self._held_up, self._killed = set(), 0.0
        self._sent = asyncio.Event()
        self._aim = False
        stage.place.heard(self._accepted)

    async def run(self, cycles, advance):
        """Do so many cycles, with new rooms from time to time."""
        for done in range(cycles):
            if done % GENERATION == 0:
                await self._new_rooms()
            await self._cycle()
            advance(done + 1)
        await self._drain()
        await self.stage.kill()

    async def _new_rooms(self):
        if self.stage.sent:
            await self._drain()
            await self.stage.kill()
        self._rooms = range(self._first, self._first + ROOMS)
        self._first += ROOMS
        await self.stage.begin(self._rooms)
        await self.stage.kill()

    async def _drain(self):
        """Let everything be answered, what is late appear, and count."""
        await self.stage.start()
        await self.stage.all_answered(within=DRAIN)
        await asyncio.sleep(2 * LATE)
        self.count += self.stage.close_rooms()
        self._held_up = set()

    async def _cycle(self):
        self._write(self.dice.randint(2, 4))
        if self.dice.random() < LATE_SHARE:
            self.stage.place.delay_posts(LATE)
        began, moment = time.monotonic(), self.dice.random()
        await self.stage.start()
        watching = asyncio.create_task(self._watch(began))
        if moment < EARLY:
            await asyncio.sleep(self.dice.uniform(0, WINDOW))
        elif moment < EARLY + AIMED:
            await self._right_behind_a_post()
        else:
            await self._answer_after(began)
            self._write(self.dice.randint(3, 7))
            await asyncio.sleep(self.dice.uniform(0, WINDOW))
        await self.stage.kill()
        self._killed = time.monotonic()
        watching.cancel()
        self._held_up = self._open()

    def _write(self, messages):
        for _ in range(messages):
            room = self.dice.choice(self._rooms)
            if len(self.stage.unanswered(room)) < AT_ONCE:
                self.stage.say(room)

    async def _right_behind_a_post(self):
        self._write(self.dice.randint(2, 4))
        self._sent.clear()
        self._aim = self.dice.random() < 0.5
        try:
            await asyncio.wait_for(self._sent.wait(), PATIENCE)
        except TimeoutError:
            return
        finally:
            self._aim = False
        await asyncio.sleep(self.dice.uniform(0, 0.05))

    def _accepted(self):
        """Hear from the platform that it took a message; its answer is not written yet."""
        if self._aim and self.stage.process.returncode is None:
            self.stage.process.send_signal(9)
        self._sent.set()

    async def _answer_after(self, began):
        before = self.stage.answered()
        while self.stage.answered() == before and time.monotonic() < began + PATIENCE:
            await asyncio.sleep(0.02)

    def _open(self):
        return {token for room in self._rooms for token in self.stage.unanswered(room)}

    async def _watch(self, began):
        """Note when the new process listens, and when it has made good for the kill."""
        while not self.stage.connected():
            await asyncio.sleep(0.01)
        self.clocks.ready.append(time.monotonic() - began)
        waiting = set(self._held_up)
        while waiting and waiting <= self._open():
            await asyncio.sleep(0.02)
        if waiting:
            self.clocks.resumed.append(time.monotonic() - self._killed)


async def kills(platform, cycles, seed, folder, *, blind=False, advance=lambda done: None):
    """Run kill cycles on one platform; returns the trial with its count and clocks."""
    stage = Stage(
        platform, folder, streaming="native" if platform == "slack" else "edit", kinds=MIXED,
        shapes=Shapes(text_limit(platform)), sections=SECTIONS,
        adapter=f"settle_s = {LATE + 0.3}" if platform == "slack" else "",
    )  # fmt: skip
    async with stage:
        stage.model.delay, stage.model.interval = 0.01, 0.005
        async with Forks(platform, stage.config, folder / "log", blind=blind) as forks:
            stage.spawn = forks.start
            trial = Trial(stage, random.Random(f"{platform}{seed}"))
            await trial.run(cycles, advance)
        return trial


async def plain_start(platform, folder, times=3):
    """Return the seconds from a plain start of the program to an answer that waited for it."""
    took = []
    async with Stage(platform, folder) as stage:
        await stage.begin(1)
        for _ in range(times):
            await stage.kill()
            stage.say(0)
            began = time.monotonic()
            await stage.start()
            await stage.quiet(0)
            took.append(time.monotonic() - began)
    return sorted(took)[times // 2]


def percentile(values, percent):
    """Return a percentile, 0 of nothing."""
    return sorted(values)[min(len(values) * percent // 100, len(values) - 1)] if values else 0.0


async def measured(platform, cycles, seed, progress, *, blind=False):
    """Run one platform; returns the trial and the seconds it took."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        trial = await kills(platform, cycles, seed, Path(folder), blind=blind,
                            advance=lambda done: progress(done, cycles))  # fmt: skip
        return trial, time.monotonic() - began


async def run(platform="telegram", cycles=100, seed=1, progress=quiet):
    """Kill the bot on one platform; returns what became of the messages, and how long it took."""
    trial, took = await measured(platform, cycles, seed, progress)
    with tempfile.TemporaryDirectory() as folder:
        plain = await plain_start(platform, Path(folder))
    clocks = trial.clocks
    return {
        "kills": cycles, **vars(trial.count),
        "forked_start_to_ready_p50_s": round(percentile(clocks.ready, 50), 2),
        "kill_to_first_resumed_answer_p50_s": round(percentile(clocks.resumed, 50), 2),
        "kill_to_first_resumed_answer_p99_s": round(percentile(clocks.resumed, 99), 2),
        "plain_start_to_first_answer_s": round(plain, 2),
        "seconds_per_cycle": round(took / cycles, 2),
    }  # fmt: skip


if __name__ == "__main__":
    alone("kill -9", run, FAULTS, platform="telegram", cycles=100)
