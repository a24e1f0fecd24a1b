"""An hour without a platform, without the model, without the store, in virtual time.

    python -m tests.acceptance.proof.outages

People go on writing all the while. Nothing is acknowledged that is not stored; when the cause ends,
every message is answered once and in order. While the model is down people get a sentence, and
`retry` answers afterwards.
"""

import asyncio
import itertools
import tempfile

from bot.core import sentences
from bot.domain.conversation import Conversation
from bot.domain.events import MessageReceived
from tests.acceptance.proof.chats import PLACEHOLDER, Weather
from tests.acceptance.proof.judge import NEVER
from tests.acceptance.proof.minds import pieces
from tests.acceptance.proof.plans import FLAVOURS, Act, Plan, Saying
from tests.acceptance.proof.running import alone, quiet
from tests.acceptance.proof.virtual import memory_folder, virtual_time
from tests.acceptance.proof.world import World

BEGINS = 60.0  # seconds before anything goes wrong
AFTER = 30.0  # seconds after the end until people ask the model to `retry`
CAUSES = ("refused", "applied", "wait", "model", "busy", "full")
NAMES = {
    "refused": "platform_5xx", "applied": "platform_silent", "wait": "platform_429",
    "model": "model_down", "busy": "store_locked", "full": "disk_full",
}  # fmt: skip


def planned(cause, seed, seconds, every):
    """Let people write every so many seconds in one room per platform, an hour and a bit."""
    plan = Plan(f"{seed}/{cause}")
    ends = BEGINS + seconds
    for room, name in enumerate(FLAVOURS):
        plan.rooms.append(Conversation(platform=name, workspace="W", channel=f"C{room}"))
        times = itertools.takewhile(lambda at: at < ends, itertools.count(1.0 + room, every))
        plan.sayings += [Saying(at, room, n, 12) for n, at in enumerate(times)]
        if cause in ("refused", "applied", "wait"):
            plan.weather[name] = [Weather(cause, BEGINS, ends, 1.0)]
        if cause == "model":
            plan.acts.append(Act(ends + AFTER, "retry", room))
    if cause == "model":
        plan.silence.append((BEGINS, ends))
    if cause in ("busy", "full"):
        plan.store.append((BEGINS, ends, cause))
    plan.sayings.sort(key=lambda saying: saying.at)
    return plan


class Ledger:
    """Counts what became of every message of one outage."""

    def __init__(self, world, ends):
        self.world, self.ends = world, ends
        self.most_tasks = 0

    async def watch(self):
        """Look once a minute at what the bot keeps in memory."""
        while True:
            await asyncio.sleep(60.0)
            self.most_tasks = max(self.most_tasks, len(asyncio.all_tasks()))

    def numbers(self):
        """Return the row of the table."""
        rows = self.world.rows(
            "select event from inbox where state in ('done', 'declined') order by id"
        )
        stored = [event for (event,) in rows]
        letters = {id: letter for id, letter in self.world.letters.items()
                   if isinstance(letter.event, MessageReceived)}  # fmt: skip
        whole = {id: self._whole(letter.event) for id, letter in letters.items()}
        told = {id for id, letter in letters.items() if self._told(letter.event)}
        unstored = sum(letter.accepted and id not in stored for id, letter in letters.items())
        return {
            "messages": len(letters),
            "lost": sum(not whole[id] and id not in told for id in letters),
            "doubled": sum(len(times) > 1 for times in whole.values()),
            "swapped": self._swapped(stored, whole),
            "acknowledged_unstored": unstored,
            "complaints": len(self.world.complaints),
            "apologies": len(told),
            "failed_requests": sum(chat.failed for chat in self.world.chats.values()),
            "tasks_at_most": self.most_tasks,
            "recovery_s": round(self._recovery(letters, whole), 1),
            "orphans": sum(b.text == PLACEHOLDER for c in self.world.chats.values() for b in c.shown.values()),
        }  # fmt: skip

    def _replies(self, event):
        """Return the replies to a message: the text of each, and when it was complete."""
        shown = {}
        for bubble in self.world.chats[event.conversation.platform].shown.values():
            here = (bubble.lane, bubble.question) == (str(event.conversation), event.message)
            if here and bubble.text != PLACEHOLDER:
                shown.setdefault(bubble.key, []).append(bubble)
        for parts in shown.values():
            yield (
                "".join("".join(b.text.split()) for b in parts),
                max(b.history[-1][0] for b in parts),
            )

    def _whole(self, event):
        said = pieces(event.message, self.world.saying(event.message).words)
        expected = "".join("".join(said).split())
        return [at for text, at in self._replies(event) if text == expected]

    def _told(self, event):
        begins = "".join(sentences.MODEL_DOWN.partition("{")[0].split())
        return any(text.startswith(begins) for text, _ in self._replies(event))

    def _swapped(self, stored, whole):
        """Count answers that were complete before those of earlier messages of their room."""
        found = 0
        for room in range(len(FLAVOURS)):
            times = [whole[id][0] for id in stored if id.startswith(f"m{room}-") and whole.get(id)]
            if not self.world.plan.silence:  # a retried answer comes late, as asked
                found += sum(b < a for a, b in itertools.pairwise(times))
        return found

    def _recovery(self, letters, whole):
        """Return the longest time from the end of the cause to a room's next whole answer."""
        begins = self.ends + (AFTER if self.world.plan.silence else 0.0)
        nexts = [0.0]  # for a room in which everything was answered all the while
        for room in range(len(FLAVOURS)):
            times = [min(whole[id], default=NEVER) for id in letters if id.startswith(f"m{room}-")]
            nexts += (
                [min(at for at in times if at > begins) - begins] if max(times) > begins else []
            )
        return max(nexts)


def outage(cause, seed=1, seconds=3600.0, every=60.0):
    """Live through one outage; returns its numbers and its world."""
    plan = planned(cause, seed, seconds, every)
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder, virtual_time() as loop:
        world = World(plan, folder, loop)
        ledger = Ledger(world, BEGINS + seconds)
        watching = loop.create_task(ledger.watch())
        loop.run_until_complete(world.play())
        watching.cancel()
        numbers = ledger.numbers()
    return numbers, world


def outages(seed, seconds, every, progress=quiet):
    """Live through all outages; returns plain numbers, each named by its cause."""
    table = {}
    for done, cause in enumerate(CAUSES, 1):
        numbers, _ = outage(cause, seed, seconds, every)
        table |= {f"{NAMES[cause]}_{name}": number for name, number in numbers.items()}
        progress(done, len(CAUSES))
    return table


async def run(seconds=3600.0, every=60.0, seed=1, progress=quiet):
    """Live through all outages beside a running loop."""
    return await asyncio.to_thread(outages, seed, seconds, every, progress)


BAD = ("lost", "doubled", "swapped", "acknowledged_unstored", "complaints")
FAULTS = tuple(f"{cause}_{name}" for cause in NAMES.values() for name in BAD)


if __name__ == "__main__":
    alone("An hour without…", run, FAULTS, seconds=3600.0, every=60.0)
