"""Replay real conversations through the real SDKs and count what became of each message.

    python -m tests.acceptance.replay --conversations 200

The conversations are those of the `chitchat-dataset` package; 50 of them run at once, each in a room
of its own, and a person often writes twice before the answer has come.
"""

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

import chitchat_dataset
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.acceptance.stage import STAGES, Stage

AT_ONCE = 50
COLUMNS = ("messages", "lost", "doubled", "swapped", "crossed", "partial", "left placeholders")


def conversations(count, longest=1000):
    """Return the texts of `count` conversations, in the order of the data set."""
    chosen = []
    data = Path(chitchat_dataset.__file__).with_name("dataset.json")
    for conversation in json.loads(data.read_text(encoding="utf-8")).values():
        texts = [line["text"] for block in conversation["messages"] for line in block]
        if len(texts) > 4:
            chosen.append(texts[:longest])
        if len(chosen) == count:
            break
    return chosen


async def replay(platform, texts, folder, advance=lambda: None):
    """Replay conversations on one platform; returns the count and the seconds it took."""
    async with Stage(platform, folder) as stage:
        await stage.begin(0)
        began = time.monotonic()
        rooms = iter(enumerate(texts))

        async def worker():
            for room, lines in rooms:
                for number, text in enumerate(lines):
                    stage.say(room, text)
                    if number % 3 != 1:  # every third time the next message does not wait
                        await stage.quiet(room)
                await stage.quiet(room)
                advance()

        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
        await stage.all_answered()
        took = time.monotonic() - began
        assert await stage.stop() == 0
        return stage.count(), took


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conversations", type=int, default=200)
    parser.add_argument("--platform", choices=list(STAGES), action="append")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    texts = conversations(options.conversations)
    results = {}
    with Progress(console=Console(stderr=True)) as progress:
        for platform in options.platform or STAGES:
            task = progress.add_task(f"replay on {platform}", total=len(texts))
            with tempfile.TemporaryDirectory() as folder:
                results[platform] = asyncio.run(
                    replay(platform, texts, Path(folder), lambda task=task: progress.advance(task))
                )
    rows = {
        name: dict(zip(COLUMNS, count.row(), strict=True)) for name, (count, _) in results.items()
    }
    if options.json:
        print(json.dumps(rows))
    else:
        table = Table("platform", *COLUMNS, "messages/s", title=f"{len(texts)} real conversations")
        for platform, (count, took) in results.items():
            table.add_row(platform, *map(str, count.row()), f"{count.messages / took:.0f}")
        Console().print(table)
    raise SystemExit(1 if any(row[name] for row in rows.values() for name in COLUMNS[1:]) else 0)


if __name__ == "__main__":
    main()
