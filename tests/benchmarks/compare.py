"""Put Parley beside the smallest bot on the same SDK, under the same load, on this machine.

    python -m tests.benchmarks.compare --platform telegram

The floor runs before and after Parley: figures of a shared machine wander, and ratios to a floor
that was measured in the same minutes are what can be compared. Added latency is the time from the
writing of a message to its whole answer on the screen, less what the model needed. With knowledge,
what a search takes is measured apart, shown, and taken off before ratios are built. It always exits
with 0: a benchmark is not a test.
"""

import argparse
import gc
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.acceptance.stage import STAGES
from tests.benchmarks import bots
from tests.benchmarks.load import ADVANCES, measure
from tests.benchmarks.process import BotFailed
from tests.benchmarks.searching import QUESTIONS, Searching, searching

GOALS = {  # figure → highest ratio to the floor
    "CPU ms per message, saturated": 0.6,
    "CPU ms per message, one chat": 0.8,
    "added ms p50, one chat": 1.0,
    "added ms p99, one chat": 1.5,
    "added ms p50, 100 chats": 0.4,
    "added ms p99, 100 chats": 0.5,
    "CPU s to the first reply": 1.0,
    "RSS MB, idle": 1.4,
}
CPU = ("CPU ms per message, saturated", "CPU ms per message, one chat")
MODERATED = {"local": 0.8, "remote": 1.0}  # the highest ratio of CPU with moderation in and out
STEADY = 1.15  # floors that differ by a higher factor say that the machine was busy
FULL_LOAD = 0.9  # of a core: then the harness may be what the bot waits for
OVERHEAD = 18.0  # seconds that three runs take besides their nine phases


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table: the floor is the mean of both runs."""

    figure: str
    floor: float
    parley: float
    search: float  # of it: what the floor does not do
    ratio: float  # without the search
    goal: float
    missed: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the three runs on one platform gave, by figure."""

    before: dict[str, float]
    ours: dict[str, float]
    after: dict[str, float]
    moderation: str = "none"
    search: Searching = Searching()

    def lines(self) -> list[Line]:
        """Compare with the mean of both floors."""
        lines = []
        for figure, usual in GOALS.items():
            goal = MODERATED.get(self.moderation, usual) if figure in CPU else usual
            floor, ours = (self.before[figure] + self.after[figure]) / 2, self.ours[figure]
            search = self._search(figure)
            ratio = (ours - search) / floor
            lines.append(Line(figure=figure, floor=floor, parley=ours, search=search, ratio=ratio,
                              goal=goal, missed=ratio > goal))  # fmt: skip
        return lines

    def _search(self, figure: str) -> float:
        """Return what one search takes of a figure; with many chats it waits for its turn, too."""
        if figure in CPU:
            return self.search.cpu
        alone = {
            "added ms p50, one chat": self.search.p50,
            "added ms p99, one chat": self.search.p99,
        }
        return alone.get(figure, 0.0)

    def doubts(self) -> list[str]:
        """Say why the figures may be worth little."""
        found = []
        if apart := [self._both(figure) for figure in GOALS if self._unsteady(figure)]:
            found.append(f"the floors differ ({'; '.join(apart)}): a busy machine, repeat the run")
        if max(run["harness"] for run in (self.before, self.ours, self.after)) > FULL_LOAD:
            found.append("the harness was busy all the time: the bots may have waited for it")
        return found

    def _unsteady(self, figure: str) -> bool:
        """Whether the floors differ in CPU; latency wanders more, on any machine."""
        low, high = sorted((self.before[figure], self.after[figure]))
        return figure.startswith("CPU") and high > STEADY * low

    def _both(self, figure: str) -> str:
        return f"{figure}: {self.before[figure]:.2f} and {self.after[figure]:.2f}"


async def compare(
    platform: str, seconds: float, advance: Callable[[], None], *, moderation: str, knows: str
) -> Comparison:
    """Measure floor, Parley and floor again; each phase takes `seconds`. Raises BotFailed."""
    results = []
    asked = QUESTIONS if knows != "nothing" else ("",)
    ours = partial(bots.parley, moderation=moderation, knows=knows)
    for build in (bots.floor, ours, bots.floor):
        with tempfile.TemporaryDirectory() as folder:
            results.append(await measure(build, platform, seconds, Path(folder), advance, asked))
    if knows == "nothing":
        return Comparison(*results, moderation=moderation)
    with tempfile.TemporaryDirectory() as folder:
        search = await searching(Path(folder), knows)
    return Comparison(*results, moderation=moderation, search=search)


def show(platform: str, comparison: Comparison, console: Console) -> None:
    """Print the table and what is doubtful about it."""
    searched = ("of it search",) if comparison.search.cpu else ()
    table = Table("", "floor", "parley", *searched, "ratio", "goal", title=platform)
    for column in table.columns[1:]:
        column.justify = "right"
    for line in comparison.lines():
        ratio = f"[red]missed {line.ratio:.2f}[/]" if line.missed else f"{line.ratio:.2f}"
        search = (f"{line.search:.2f}" if line.search else "",) if searched else ()
        table.add_row(line.figure, f"{line.floor:.2f}", f"{line.parley:.2f}", *search, ratio,
                      f"≤ {line.goal}")  # fmt: skip
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
    seconds = max(1.0, (options.seconds - OVERHEAD) / 9)
    results = {}
    with Progress(console=Console(stderr=True)) as progress:
        for platform in options.platform or STAGES:
            task = progress.add_task(f"load on {platform}", total=3 * ADVANCES)
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
        print(json.dumps({name: {**asdict(result), "lines": [asdict(line) for line in result.lines()],
                                 "doubts": result.doubts()} for name, result in results.items()}))  # fmt: skip
    else:
        for platform, result in results.items():
            show(platform, result, Console())


if __name__ == "__main__":
    main()
