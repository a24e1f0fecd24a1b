"""The program is killed while it sums up: each line is summed up once, and none is missing."""

import asyncio
import re
import sqlite3
from contextlib import closing
from itertools import chain, pairwise

from tests.acceptance.stage import Stage
from tests.fakes.openai import FakeOpenAI

CHATTER = "we talked about the weather and the garden for quite a while today, " * 3
LINE, KEPT = re.compile(r"line no(\d+):"), re.compile(r"kept(\d+)")
HELD, FOR_S = 2, 600.0  # which call gets no answer
MEMORY = """
[models.small]
kind = "openai"
base_url = "{url}"
model = "small-model"
[memory]
kind = "summary"
max_tokens = 800
summary_model = "small"
[budgets.total]
tokens = {{ day = 100_000_000 }}
"""


class Summariser(FakeOpenAI):
    """Keeps the numbers of lines as words of its own; call number HELD gets no answer."""

    def __init__(self):
        super().__init__(answer=self._summary)
        self.parts = []  # the numbers of the new lines of each call

    def _summary(self, body):
        asked = body["messages"][-1]["content"]
        self.parts.append(found(LINE, asked))
        self.delay = FOR_S if len(self.parts) == HELD else 0.0
        return " ".join(f"kept{n}" for n in [*found(KEPT, asked), *self.parts[-1]])


def found(pattern, text):
    return [int(number) for number in pattern.findall(text)]


def rows(stage, sql):
    with closing(sqlite3.connect(stage.folder / "data" / "parley.db")) as db:
        return db.execute(sql).fetchall()


def kept(stage):
    """Return the numbers of the lines that the stored summary covers."""
    return [n for (text,) in rows(stage, "select text from summaries") for n in found(KEPT, text)]


class Talk:
    """One person, who says numbered lines."""

    def __init__(self, stage):
        self.stage, self.said = stage, 0

    async def say(self):
        """Say the next line; returns what the model was shown with it."""
        self.stage.say(0, f"line no{self.said}: {CHATTER}")
        self.said += 1
        await self.stage.quiet(0)
        shown = self.stage.model.calls[-1].args["messages"]
        return "\n".join(line["content"] for line in shown[1:])

    async def until(self, condition):
        """Go on until something is so; the newest lines are always shown, without a hole."""
        while not condition():
            lines = found(LINE, await self.say())
            assert lines == list(range(lines[0], self.said))


async def test_a_summary_goes_on_where_kills_have_left_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PARLEY__CHAT__MODEL", "main")
    async with Summariser() as summariser:
        sections = MEMORY.format(url=summariser.base_url)
        async with Stage("telegram", tmp_path, streaming="off", sections=sections) as stage:
            await stage.begin(1)
            talk = Talk(stage)
            await talk.until(lambda: len(summariser.parts) == HELD)
            await stage.kill()
            assert kept(stage) == summariser.parts[0]
            await stage.start()
            await talk.until(lambda: len(summariser.parts) >= HELD + 2)
            await stage.kill()  # that one may be stored by now or not
            await stage.start()
            await talk.until(lambda: len(summariser.parts) >= HELD + 4)
            async with asyncio.timeout(10):
                while kept(stage)[-1] < summariser.parts[-1][-1]:
                    await asyncio.sleep(0.01)
            shown = await talk.say()
            assert {*found(KEPT, shown), *found(LINE, shown)} == set(range(talk.said))
            assert await stage.stop() == 0
        covered = kept(stage)
        paid = rows(stage, "select held from ledger where purpose = 'summary'")
    parts = summariser.parts
    assert parts[HELD][: len(parts[HELD - 1])] == parts[HELD - 1], "made once more"
    made = [part for part, later in pairwise([*parts, [talk.said]]) if later[0] > part[0]]
    assert len(made) >= 3
    lines = [*chain(*made)]
    assert lines == list(range(lines[-1] + 1)), "each line once, in order"
    assert covered in (lines, [*chain(*made[:-1])])
    assert paid == [(0,)] * len(parts)
