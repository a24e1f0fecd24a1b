"""Forget somebody whose words a model has summed up in words of its own.

Two people talk with the bot in a group, which remembers by summaries and overhears; both models
write the canary down backwards and in rot13, and so does what is stored of them. One of the two asks to
be forgotten while the next summary, with more of their canaries, is being made; it comes when they
are forgotten. Then the other goes on talking until a new summary has their words, so that a summary
that came too late would be on the disk by now, and no prompt may have a canary.
"""

import asyncio
import re
import sqlite3
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

from tests.acceptance.proof.forgetting import (
    CANARY,
    PATIENCE,
    RETOLD,
    Erasing,
    begun,
    counted,
    found_in,
    logged,
    swept,
)
from tests.acceptance.proof.sweep import SECTIONS
from tests.acceptance.stage import Stage
from tests.fakes.openai import FakeOpenAI
from tests.fakes.slack_api import BOT_USER

GONE, STAYING = 0, 1  # who is forgotten, and who is not
CHATTER = "we talked about the weather and the garden for quite a while today, "
LONG, LONGER = CHATTER * 7, CHATTER * 16  # two of the one, or one of the other, are to be summed up
STAYED, NOTED = re.compile(r"STAYED(\d+)"), re.compile(r"DEYATS(\d+)")
SMALL = """
[models.small]
kind = "openai"
base_url = "{url}"
model = "small-model"
[memory]
kind = "summary"
scope = "channel"
overhears = true
max_tokens = 400
summary_model = "small"
[budgets.total]
tokens = {{ day = 100_000_000 }}
"""
LEFT = f"""select (select count(*) from lines where text like '%{CANARY}%')
+ (select count(*) from known_facts) + (select count(*) from erasures)
+ (select count(*) from inbox where payload is not null)
+ (select count(*) from steps)"""


class Rewriter(FakeOpenAI):
    """Sums up in words of its own, which can be read back; waits while its gate is closed."""

    def __init__(self):
        super().__init__(answer=notes)
        self.gate = asyncio.Event()
        self.gate.set()
        self.waiting = self.late = 0

    async def _sleep(self, seconds):
        if self.gate.is_set():
            return
        self.waiting += 1
        try:
            await self.gate.wait()
            self.late += 1
        finally:
            self.waiting -= 1


def notes(body):
    """Keep the canary, and the number of the newest line of who stays."""
    asked = body["messages"][-1]["content"]
    numbers = [int(n) for pattern in (STAYED, NOTED) for n in pattern.findall(asked)]
    return f"Notes: {told(asked)} DEYATS{max(numbers, default=0)}"


def told(text):
    """Return the canary in other words if it is in a text in any."""
    return " ".join(RETOLD) if counted(text.encode(), CANARY, *RETOLD) else ""


def speak(stage, person, text, *, aside=False):
    """Let a person say something in the group of room 0, to the bot unless it is an aside."""
    fake = stage.place.fake
    if stage.platform == "telegram":
        text = text if aside else f"@parley_bot {text}"
        fake.say(text, chat=-1001, person=1001 + person, private=False, date=int(time.time()))
    elif stage.platform == "slack":
        fake.say(text if aside else f"<@{BOT_USER}> {text}", "C0", f"U{person}")
    else:
        fake.say(text, channel="93000", user=str(600 + person), mention=not aside)


def confide(platform, fake, text):
    """Let who is forgotten later tell the bot a fact about themselves."""
    if platform == "telegram":
        fake.say(f"/memory add {text}", chat=1001, person=1001)
    elif platform == "slack":
        fake.slash(f"memory add {text}", "D0", "U0")
    else:
        fake.interact("memory", channel=fake.direct("600"), user="600", what="add", text=text)


class Retelling(Erasing):
    """A group whose summaries hold words of who is to be forgotten."""

    left = LEFT

    def __init__(self, stage, folder, rewriter):
        super().__init__(stage, folder)
        self.rewriter, self._said = rewriter, 0
        answer = stage.model.answer
        stage.model.answer = lambda body: f"{told(str(body))} {answer(body)}"

    async def _known(self):
        """Let a summary hold the canary, and one with more of it be in the making."""
        confide(self.stage.platform, self.stage.place.fake, f"I am {CANARY}")
        speak(self.stage, GONE, f"an aside: {CANARY}", aside=True)
        await self._until(lambda: self._ask("select count(*) from known_facts"))
        await self._until(lambda: self._rows(f"lines where text like '%aside: {CANARY}%'"))
        self._first = self._said + 1  # of the numbered lines of this round
        await self._says(STAYING, f"STAYED{self._first} {LONG}")
        await self._talk(lambda: self._rows(f"summaries where text like '%{RETOLD[0]}%'"))
        self.rewriter.gate.clear()
        await self._talk(lambda: self.rewriter.waiting)
        await self._settled()
        data = self.folder / "data"
        self.found["canaries_before"] += found_in(data, CANARY)
        self.found["rewritten_before"] += found_in(data, *RETOLD)
        self.found["in_the_making"] += 1

    def keep_summaries(self):
        """Let no summary go with its lines any more."""
        with closing(sqlite3.connect(self.folder / "data" / "parley.db")) as db:
            db.execute("drop trigger summaries_go")

    async def _talk(self, done):
        """Let who is forgotten later talk until something is so."""
        for _ in range(10):
            await self._says(GONE, f"{CANARY} {LONGER}")
            if await self._soon(done):
                return
        raise AssertionError("it is not summed up")

    async def _search(self):
        """Count what is left, at once and when a summary that came too late would be there."""
        left = found_in(self.folder / "data", CANARY, *RETOLD)
        models = (self.stage.model, self.rewriter)
        before, late = [len(model.calls) for model in models], self.rewriter.late
        self.rewriter.gate.set()
        for _ in range(10):
            await self._says(STAYING, f"STAYED{self._said + 1} {LONG}")
            if await self._soon(self._made_anew):
                break
        self.found["made_anew"] += self._made_anew()
        self.found["came_too_late"] += self.rewriter.late - late
        self.found["forgotten_bytes"] += left + found_in(self.folder / "data", CANARY, *RETOLD)
        for model, count in zip(models, before, strict=True):
            asked = (str(call.args).encode() for call in model.calls[count:])
            self.found["forgotten_in_prompts"] += sum(
                counted(body, CANARY, *RETOLD) for body in asked
            )

    def _made_anew(self):
        """Whether a summary has what was said in this round by who stays."""
        with closing(sqlite3.connect(self.folder / "data" / "parley.db")) as db:
            texts = [text for (text,) in db.execute("select text from summaries")]
        return any(int(n) >= self._first for text in texts for n in NOTED.findall(text))

    async def _says(self, person, text):
        """Say something in the group, and wait for its answer."""
        self._said += 1
        end = f"#0-{self._said}"
        speak(self.stage, person, f"{text} {end}")
        await self._until(lambda: any(f"{end}." in shown for shown in self.stage.place.shown(0)))

    async def _soon(self, done):
        """Whether something is so within a moment, as a summary is made beside the answers."""
        with suppress(TimeoutError):
            await self._until(done, 0.3)
            return True
        return False

    async def _until(self, done, seconds=PATIENCE):
        async with asyncio.timeout(seconds):
            while not done():
                await asyncio.sleep(0.01)

    def _rows(self, where):
        return self._ask(f"select count(*) from {where}")


async def retold(platform, kinds, progress=lambda: None):
    """Sweep moments by kind (`kinds`: the numbers to try); returns K by kind, and what was found.

    The contrast is one more round, in which no summary goes with its lines.
    """
    async with Rewriter() as rewriter:
        with tempfile.TemporaryDirectory() as name:
            stage = Stage(
                platform, Path(name), streaming="off", kinds=("group",),
                chatting='model = "main"', sections=SECTIONS + SMALL.format(url=rewriter.base_url),
            )  # fmt: skip
            async with stage, begun(stage):
                sweep = Retelling(stage, stage.folder, rewriter)
                last = await swept(sweep, kinds, progress)
                found, sweep.found = sweep.found, Counter()
                sweep.keep_summaries()
                await sweep.moments("nothing", [0])
            found["bytes_in_logs"] = logged(stage)
            found["contrast_bytes"] = sweep.found["forgotten_bytes"]
    return last, found
