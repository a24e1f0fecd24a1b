"""Let 1,000 requests come at once against a budget, kill the bot in between, count what was called.

    python -m tests.acceptance.proof.budgets --requests 1000 --kills 20

Three times with the installed program on Telegram's fake: a budget of answers without a kill, which
is used up to the last call; the same one with kills; and one of tokens with kills. Half of the kills
come while the model has just been called and nobody can know it yet (the worst moment), the others
at any time. What a killed process had called counts, so that kills cost the budget calls that nobody
sees; they never add one. The model's server tells how often it was called and for how many tokens.

That the count can fail at all is shown by the same requests in a bot that looks whether there is
room but does not reserve it.
"""

import asyncio
import random
import sqlite3
import tempfile
import time
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from bot.backends.sqlite import accounts
from bot.domain.budgets import Allowance, Budgets, Held
from tests.acceptance.proof.forks import Forks
from tests.acceptance.proof.running import alone, quiet
from tests.acceptance.stage import Stage
from tests.events import ANN, PLACE, message
from tests.fakes.openai import FakeOpenAI, tokens
from tests.harness import MemoryPlatform, configuration, running

ROOMS = 20  # each a person; as many calls run at once
PATIENCE = 60.0  # seconds without any progress after which the rest counts as unanswered
FAULTS = ("calls_over", "calls_left", "calls_over_with_kills", "tokens_over_with_kills",
          "unanswered")  # fmt: skip
SECTIONS = """
[budgets.total]
{unit} = {most}
per = "month"
[memory]
kind = "window"
window = 1
[turns]
attempts = 1000  # in life the fifth death of a turn is its last
waiting = 10000
"""


class Trial:
    """One budget, one bot, and the dice."""

    def __init__(self, stage, dice):
        self.stage, self.dice = stage, dice
        self.at = None  # the call with which the process is killed

    async def run(self, requests, kills, calls):
        """Let all requests come at once, kill while about `calls` are made, let the rest end."""
        self.stage.model.answer, self.stage.model.delay = self._answer, 0.02
        for number in range(requests):
            self.stage.place.say(number % ROOMS, f"question number {number}")
        for _ in range(kills):
            await self._life(max(calls // (2 * kills), 1))
        await self.stage.start()
        await self._end(requests)
        await self.stage.kill()

    def used(self):
        """Return the tokens of all calls, as the server counts them."""
        return sum(
            tokens(str(line["content"]))
            for call in self.stage.model.calls
            for line in call.args["messages"]
        ) + sum(tokens(self._said(call.args)) for call in self.stage.model.calls)

    async def _life(self, calls):
        began = len(self.stage.model.calls)
        goal = began + self.dice.randint(1, calls)
        aimed = self.dice.random() < 0.5
        self.at = goal if aimed else None
        await self.stage.start()
        with suppress(TimeoutError):
            async with asyncio.timeout(3):  # the budget may be used up
                while len(self.stage.model.calls) < goal and self.stage.process.returncode is None:
                    await asyncio.sleep(0.002)
        if not aimed:
            await asyncio.sleep(self.dice.uniform(0, 0.03))
        await self.stage.kill()
        self.at = None

    def _answer(self, body):
        if self.at is not None and len(self.stage.model.calls) >= self.at:
            self.stage.process.send_signal(9)
        return self._said(body)

    def _said(self, body):
        return f"{body['messages'][-1]['content']}: {'word ' * 90}"

    async def _end(self, requests):
        """Wait until every request is closed, with an answer or a refusal."""
        seen, moved = -1, time.monotonic()
        while time.monotonic() < moved + PATIENCE and self.closed() < requests:
            if self.closed() != seen:
                seen, moved = self.closed(), time.monotonic()
            await asyncio.sleep(0.1)

    def closed(self):
        """Count the requests that are stored and done with."""
        path = self.stage.folder / "data" / "parley.db"
        if not path.exists():
            return 0
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(path)) as db:
            sql = "select count(*) from inbox where payload is null and state <> 'dead'"
            return db.execute(sql).fetchone()[0]
        return 0  # it is being made


async def trial(unit, most, requests, kills, seed):
    """Run one trial on a fresh database; returns it when its stage is closed."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(
            "telegram", Path(folder), sections=SECTIONS.format(unit=unit, most=most),
            talking="max_output_tokens = 100",
        )  # fmt: skip
        async with stage, Forks("telegram", stage.config, Path(folder) / "log") as forks:
            stage.spawn = forks.start
            stage.place.open(range(ROOMS))
            found = Trial(stage, random.Random(f"{unit}{seed}"))
            calls = most if unit == "messages" else requests // 2
            await found.run(requests, kills, calls)
            return found, requests - found.closed()


async def unreserved(requests, allowed):
    """Count the calls of a bot that only looks whether there is room."""
    free = patch.object(accounts, "hold", _looked)
    with tempfile.TemporaryDirectory() as folder, free:
        async with FakeOpenAI(answer="yes", delay=0.02) as model:
            budgets = Budgets(total=Allowance(messages=allowed), rate_per_minute=0)
            platform = MemoryPlatform()
            config = configuration(Path(folder), model.base_url, budgets=budgets)
            async with running(config, platform):
                await asyncio.gather(*(
                    platform.inbox.accept(message(
                        f"question {n}", author=replace(ANN, user=f"u{n}"),
                        conversation=replace(PLACE, channel=f"C{n % 200}"),
                    )) for n in range(requests)
                ))  # fmt: skip
                await platform.answers(requests, timeout=PATIENCE)
            return len(model.calls)


def _looked(db, call, checks):
    for check in checks:
        spent = accounts.spent(db, check.account, check.period)
        if spent.messages + 1 > check.rule.most:
            return accounts.Refused(check, 0)
    return Held(call.output)


async def run(*, requests=1000, kills=20, seed=1, progress=quiet):
    """Run all trials; returns what was allowed, what was called, and what was too much."""
    allowed, tokens_allowed = requests * 3 // 5, requests * 150
    plain, open_0 = await trial("messages", allowed, requests, 0, seed)
    progress(1, 4)
    killed, open_1 = await trial("messages", allowed, requests, kills, seed)
    progress(2, 4)
    counted, open_2 = await trial("tokens", tokens_allowed, requests, kills, seed)
    progress(3, 4)
    unkept = await unreserved(requests, allowed)
    progress(4, 4)
    made, made_killed = len(plain.stage.model.calls), len(killed.stage.model.calls)
    used = counted.used()
    return {
        "requests": requests, "calls_allowed": allowed, "calls_made": made,
        "calls_over": max(made - allowed, 0), "calls_left": max(allowed - made, 0),
        "kills": 2 * kills, "calls_made_with_kills": made_killed,
        "calls_over_with_kills": max(made_killed - allowed, 0),
        "tokens_allowed": tokens_allowed, "tokens_used_with_kills": used,
        "calls_made_within_tokens": len(counted.stage.model.calls),
        "tokens_over_with_kills": max(used - tokens_allowed, 0),
        "unanswered": open_0 + open_1 + open_2,
        "calls_over_without_reserving": max(unkept - allowed, 0),
    }  # fmt: skip


if __name__ == "__main__":
    alone("Budgets", run, FAULTS, requests=1000, kills=20)
