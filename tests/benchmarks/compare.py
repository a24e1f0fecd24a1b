"""Put Parley beside the smallest bot on the same SDK, under the same load, on this machine.

    python -m tests.benchmarks.compare --platform telegram

Both run at once and are put under load by turns, a second or two each: figures of a shared machine
wander, and what can be compared are ratios of neighbouring moments. The ratio of CPU is the median
over all turns, that of latency comes from all messages; beside it stands between what the ratios of
single turns lay. Added latency is the time from the writing of a message to its whole answer on the
screen, less what the model needed. With knowledge, what a search takes is measured apart, beside
each turn, shown, and taken off before ratios are built. It always exits with 0: a benchmark is not
a test.
"""

import argparse
import gc
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.acceptance.stage import STAGES
from tests.benchmarks import bots
from tests.benchmarks.ledger import percentile
from tests.benchmarks.load import Builder, Load, Phase, first_reply, settled
from tests.benchmarks.process import BotFailed
from tests.benchmarks.searching import QUESTIONS, Searcher, Searching, searching

SATURATED, ONE, MANY = "saturated", "one chat", "100 chats"
CHATS = {ONE: 1, SATURATED: 32, MANY: 100}
GOALS = {  # figure → highest ratio to the floor
    f"CPU ms per message, {SATURATED}": 0.6,
    f"CPU ms per message, {ONE}": 0.8,
    f"added ms p50, {ONE}": 1.0,
    f"added ms p99, {ONE}": 1.5,
    f"added ms p50, {MANY}": 0.4,
    f"added ms p99, {MANY}": 0.5,
    "CPU s to the first reply": 1.0,
    "RSS MB, idle": 1.4,
}
MODERATED = {"local": 0.8, "remote": 1.0}  # the highest ratio of CPU with moderation in and out
FULL_LOAD = 0.9  # of a core: then the harness may be what the bot waits for
STARTS = 3
TURNS = {ONE: 6, SATURATED: 6, MANY: 3}
SHARES = {ONE: 0.25, SATURATED: 0.25, MANY: 0.5}  # of the time: what begins at once parts late
ADVANCES = STARTS + 1 + sum(TURNS.values())  # of the progress bar
OVERHEAD = 36.0  # seconds that starting, settling and the last answers take


@dataclass(slots=True)
class Run:
    """What one bot gave, turn by turn."""

    first: list[float] = field(default_factory=list)  # CPU seconds
    idle: float = 0.0
    turns: dict[str, list[Phase]] = field(default_factory=lambda: {name: [] for name in CHATS})

    def figures(self, name: str) -> list[float]:
        """Return a figure of each turn; memory was looked at once."""
        kind, _, chats = name.partition(", ")
        if name == "CPU s to the first reply":
            return self.first
        if kind == "RSS MB":
            return [self.idle]
        if kind == "CPU ms per message":
            return [phase.cpu_ms for phase in self.turns[chats]]
        return [phase.added_ms(int(kind[-2:])) for phase in self.turns[chats]]

    def figure(self, name: str) -> float:
        """Return the median over the turns; of latency, the percentile over all messages."""
        kind, _, chats = name.partition(", ")
        if kind.startswith("added"):
            letters = [letter.added for phase in self.turns[chats] for letter in phase.letters]
            return 1000 * percentile(letters, int(kind[-2:]))
        return median(self.figures(name))

    @property
    def harness(self) -> float:
        """How busy the harness was, at most, in cores."""
        return max(one.harness / one.seconds for turns in self.turns.values() for one in turns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table."""

    figure: str
    floor: float
    parley: float
    search: float  # of it: what the floor does not do
    ratio: float  # without the search
    lowest: float  # ratio of a single turn
    highest: float
    goal: float
    missed: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """What both bots gave on one platform."""

    floor: Run
    ours: Run
    moderation: str = "none"
    searches: Mapping[str, Sequence[Searching]] = field(default_factory=dict)  # beside each turn

    def lines(self) -> list[Line]:
        """Compare turn by turn; latency by all messages."""
        lines = []
        for figure, usual in GOALS.items():
            by_cpu = figure.startswith("CPU ms")
            goal = MODERATED.get(self.moderation, usual) if by_cpu else usual
            searches = self._searches(figure)
            search = median(searches)
            floor, ours = self.floor.figure(figure), self.ours.figure(figure)
            each = zip(self.floor.figures(figure), self.ours.figures(figure), searches, strict=True)
            ratios = [(mine - one) / least for least, mine, one in each]
            ratio = (ours - search) / floor if figure.startswith("added") else median(ratios)
            lines.append(Line(figure=figure, floor=floor, parley=ours, search=search, ratio=ratio,
                              lowest=min(ratios), highest=max(ratios), goal=goal,
                              missed=ratio > goal))  # fmt: skip
        return lines

    def _searches(self, figure: str) -> list[float]:
        """Return what a search took of a figure beside each turn; with many chats it waits, too."""
        kind, _, chats = figure.partition(", ")
        beside = self.searches.get(chats)
        if beside is None or chats == MANY:
            return [0.0] * len(self.ours.figures(figure))
        taken = {"CPU ms per message": "cpu", "added ms p50": "p50", "added ms p99": "p99"}[kind]
        return [getattr(search, taken) for search in beside]

    def doubts(self) -> list[str]:
        """Say why the figures may be worth little."""
        if max(self.floor.harness, self.ours.harness) > FULL_LOAD:
            return ["the harness was busy all the time: the bots may have waited for it"]
        return []


async def compare(
    platform: str, seconds: float, advance: Callable[[], None], *, moderation: str, knows: str
) -> Comparison:
    """Put both bots under load by turns, for so many seconds in all. Raises BotFailed."""
    asked = QUESTIONS if knows != "nothing" else ("",)
    builders = bots.floor, partial(bots.parley, moderation=moderation, knows=knows)
    runs = Run(), Run()
    for _ in range(STARTS):
        for build, run in zip(builders, runs, strict=True):
            with tempfile.TemporaryDirectory() as folder:
                run.first.append(await first_reply(build, platform, Path(folder), asked))
        advance()
    async with AsyncExitStack() as stack:
        searcher = None
        if knows != "nothing":
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            searcher = await stack.enter_async_context(searching(folder, knows))
        searches = await _by_turns(platform, builders, runs, seconds, advance, searcher)
    return Comparison(*runs, moderation=moderation, searches=searches)


async def _by_turns(
    platform: str, builders: Sequence[Builder], runs: Sequence[Run],
    seconds: float, advance: Callable[[], None], searcher: Searcher | None,
) -> Mapping[str, Sequence[Searching]]:  # fmt: skip
    """Fill the runs; returns what searches took meanwhile."""
    searches: dict[str, list[Searching]] = {}
    asked = QUESTIONS if searcher else ("",)
    async with AsyncExitStack() as stack:
        loads = []
        for build, run in zip(builders, runs, strict=True):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            loads.append(await stack.enter_async_context(Load(build, platform, folder, asked)))
            run.idle = await settled(loads[-1])
        advance()
        for name, chats in CHATS.items():
            if name == MANY:
                for load in loads:
                    load.model.pace(first=0.3, words=40, gap=0.02)
            for _ in range(TURNS[name]):
                for load, run in zip(loads, runs, strict=True):
                    share = seconds * SHARES[name] / TURNS[name] / len(loads)
                    run.turns[name].append(await load.phase(chats=chats, seconds=share))
                if searcher:
                    searches.setdefault(name, []).append(await searcher.turn())
                advance()
    return searches


def show(platform: str, comparison: Comparison, console: Console) -> None:
    """Print the table and what is doubtful about it."""
    searched = ("of it search",) if comparison.searches else ()
    table = Table("", "floor", "parley", *searched, "ratio", "of turns", "goal", title=platform)
    for column in table.columns[1:]:
        column.justify = "right"
    for line in comparison.lines():
        ratio = f"[red]missed {line.ratio:.2f}[/]" if line.missed else f"{line.ratio:.2f}"
        search = (f"{line.search:.2f}" if line.search else "",) if searched else ()
        turns = f"{line.lowest:.2f}-{line.highest:.2f}" if line.lowest < line.highest else ""
        table.add_row(line.figure, f"{line.floor:.2f}", f"{line.parley:.2f}", *search, ratio,
                      turns, f"≤ {line.goal}")  # fmt: skip
    console.print(table, *comparison.doubts(), sep="\n")


def main() -> None:
    """Run what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--platform", choices=list(STAGES), action="append")
    parser.add_argument("--seconds", type=float, default=90, help="per platform (default: 90)")
    parser.add_argument("--moderation", choices=list(bots.GUARDS), default="none")
    parser.add_argument("--knows", choices=list(bots.EMBEDDERS), default="nothing",
                        help="with memory that sums up and a handbook, searched by words or meaning")  # fmt: skip
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    gc.disable()  # its pauses would count as latency; `load` collects between the phases
    seconds = max(9.0, options.seconds - OVERHEAD)
    results = {}
    with Progress(console=Console(stderr=True)) as progress:
        for platform in options.platform or STAGES:
            task = progress.add_task(f"load on {platform}", total=ADVANCES)
            try:
                results[platform] = uvloop.run(
                    compare(
                        platform,
                        seconds,
                        lambda task=task: progress.advance(task),
                        moderation=options.moderation,
                        knows=options.knows,
                    )
                )
            except BotFailed as failed:
                progress.console.print(f"{platform}: {failed}")
    if options.json:
        print(json.dumps({name: {"lines": [asdict(line) for line in result.lines()],
                                 "doubts": result.doubts()} for name, result in results.items()}))  # fmt: skip
    else:
        for platform, result in results.items():
            show(platform, result, Console())


if __name__ == "__main__":
    main()
