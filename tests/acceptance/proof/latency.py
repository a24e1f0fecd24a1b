"""How long a platform waits for its acknowledgement: from `accept` to the commit on the disk.

    python -m tests.acceptance.proof.latency --seconds 5

The real inbox over the real store, `synchronous=full`, in one process with the one that offers the
messages, so its work counts too. Messages come at their times whatever became of those before
(a slow answer does not thin out the load). Once more with 200 turns running beside, which write
their steps into the same commits. The contrast commits every message by itself.

The numbers are this machine's, and whatever else it does shows in them: they are printed and held
against the README's, not against a limit. Of the limit of 3 s that Slack and Discord set, they are
a thousandth or so.
"""

import asyncio
import random
import statistics
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from unittest.mock import patch

from bot.app.engine import assemble
from bot.backends.sqlite import writer
from bot.backends.sqlite.store import opened
from bot.config import Secrets
from bot.domain.conversation import Conversation
from bot.domain.replies import Part
from bot.ports.platform import Adapter
from bot.ports.store import Result
from tests.acceptance.proof.running import alone, quiet
from tests.events import message
from tests.harness import MemoryPlatform, configuration

RATES, BURST, TURNS, ROOMS = (200, 1000), 5000, 200, 500
ALONE = 500  # messages of the contrast
LIMIT_MS = 3000.0  # what Slack allows for an acknowledgement: docs.slack.dev/apis/events-api
FAULTS = ("too_late",)


async def run(*, seconds=5.0, seed=1, progress=quiet):
    """Measure all loads, `seconds` each; times in ms."""
    dice, numbers, late = random.Random(f"latency {seed}"), {}, 0
    loads = [(f"{rate}_a_second", rate, 0) for rate in RATES]
    loads += [(f"{RATES[-1]}_a_second_beside_{TURNS}_turns", RATES[-1], TURNS)]
    for done, (name, rate, turns) in enumerate(loads, 1):
        times = await offered(int(rate * seconds), rate, turns=turns, dice=dice)
        numbers |= _summary(name, times)
        late += sum(took > LIMIT_MS for took in times)
        progress(done, len(loads) + 2)
    burst = await offered(BURST, 0, dice=dice)
    progress(len(loads) + 1, len(loads) + 2)
    with patch.object(writer, "LARGEST_BATCH", 1):
        lonely = await offered(ALONE, 0, dice=dice)
    progress(len(loads) + 2, len(loads) + 2)
    return {
        **numbers,
        **_summary(f"burst_of_{BURST}", burst),
        "burst_messages_per_second": round(BURST / max(burst) * 1000),
        "too_late": late,
        "contrast_messages_per_second_one_commit_each": round(ALONE / max(lonely) * 1000),
    }


async def offered(count, rate, *, dice, turns=0):
    """Offer `count` messages, `rate` a second (0: all at once); returns the waits in ms."""
    with tempfile.TemporaryDirectory() as folder:
        async with _inbox(Path(folder)) as (inbox, store):
            busy = [asyncio.create_task(_turns(store.lanes)) for _ in range(turns)]
            events = [_message(number, dice) for number in range(count)]
            began, waiting = time.perf_counter(), []
            for number, event in enumerate(events):
                due = began + number / rate if rate else began
                if (pause := due - time.perf_counter()) > 0:
                    await asyncio.sleep(pause)
                waiting.append(asyncio.create_task(_timed(inbox, event, due)))
            times = await asyncio.gather(*waiting)
            for task in busy:
                task.cancel()
            await asyncio.gather(*busy, return_exceptions=True)
            return times


@asynccontextmanager
async def _inbox(folder):
    """Put the engine together without letting it answer."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(folder / "parley.db"))
        config = configuration(folder, "http://127.0.0.1:9/v1")
        adapters = {"fake": Adapter(receiver=MemoryPlatform(), sender=MemoryPlatform())}
        engine = await assemble(config, Secrets({"OPENAI_API_KEY": "k"}), store, adapters, stack)
        yield engine.inbox, store


def _message(number, dice):
    place = Conversation(platform="fake", channel=f"C{dice.randrange(ROOMS)}")
    text = "word " * dice.randint(1, 60)
    return message(text, id=f"fake:{number}", conversation=place, at=time.time())


async def _timed(inbox, event, due):
    """Wait for one acknowledgement, counted from when the message was due."""
    assert await inbox.accept(event)
    return (time.perf_counter() - due) * 1000


async def _turns(lanes):
    """Answer one turn after another, each in about a second, with every write of a real one."""
    while True:
        for turn in await lanes.claim(1):
            lanes.save(turn, "admitted", {"model": "m"})
            await asyncio.sleep(0.3)
            await lanes.save_part(turn, Part(index=0, id="1"))
            await asyncio.sleep(0.6)
            await lanes.save(turn, "answered", {"text": "word " * 100})
            await asyncio.sleep(0.1)
            await lanes.finish(turn, Result())


def _summary(name, times):
    cuts = statistics.quantiles(times, n=100)
    return {
        f"{name}_p50_ms": round(cuts[49], 1),
        f"{name}_p99_ms": round(cuts[98], 1),
        f"{name}_worst_ms": round(max(times), 1),
    }


if __name__ == "__main__":
    alone("waits for an acknowledgement", run, FAULTS, seconds=5.0)
