"""Kill the bot at every commit of answers that take several model calls, and start it again.

    python -m tests.acceptance.proof.chains

Each kind of chain answers three messages in two rooms of one platform, as `sweep` does it: a
sequence of three steps, the same behind a router by words, one by examples and one by a model, and
the best of three candidates with a judge. The bot kills itself right before, or right behind, the first,
second, … commit, until a round passes untouched.

After each kill the journal is read as the dead process has left it. When the bot has started again
and answered what is left, no call that the journal holds may have been made again; of calls that
ran when it died, each may have been made once more. Answers are judged as in `sweep`.
"""

import asyncio
import itertools
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

from tests.acceptance.counting import TOKEN
from tests.acceptance.proof.running import alone, quiet
from tests.acceptance.proof.sweep import BROKEN, SCRIPT, Armed, Sweep
from tests.acceptance.stage import Stage

PLATFORM = "telegram"
STEPS = """
[[chains.steps.steps]]
name = "facts"
prompt = "FACTS of {question}"
[[chains.steps.steps]]
name = "draft"
prompt = "DRAFT of {facts}"
[[chains.steps.steps]]
name = "answer"
prompt = "ANSWER {question} with {draft} and {previous}"
"""
ROUTER = """
[chains.front.router]
by = "%s"
default = "steps"
[[chains.front.router.routes]]
name = "usual"
to = "steps"
words = ["hello"]
examples = ["hello"]
about = "greetings"
"""
EMBEDDER = """
[knowledge]
embedder = "main"
"""
BEST = """
[chains.best.best_of]
candidates = 3
models = ["main", "b", "c"]
scorer = "model"
"""
KINDS = {  # the chain that answers, all sections, and how many calls may run at once for a message
    "sequence": ("steps", STEPS, 1),
    "router_by_words": ("front", STEPS + ROUTER % "rules", 1),
    "router_by_examples": ("front", STEPS + ROUTER % "embeddings" + EMBEDDER, 1),
    "router_by_model": ("front", STEPS + ROUTER % "model", 1),
    "best_of": ("best", BEST, 3),
}
CALLS = {  # which call a kept step has paid for
    "chain facts": "facts", "chain draft": "draft", "routed front": "route",
    "candidate 1": "fake-model", "candidate 2": "model-b", "candidate 3": "model-c",
    "chosen": "judge",
}  # fmt: skip
KEPT = "select name, payload from steps join inbox on inbox.id = steps.turn"
MOMENTS = 55  # about as many for each kind, for the progress bar alone
FAULTS = ("answers_broken", "left_open", "steps_paid_twice", "repeated_without_need")


class Thinker:
    """The model of a stage: it tells calls apart, and counts them by message and step."""

    def __init__(self, stage):
        self.stage, self.calls = stage, Counter()

    def answer(self, body):
        """Answer one call as its step is to be answered."""
        token = TOKEN.findall(body["messages"][-1]["content"])[-1]
        step = which(body)
        self.calls[token, step] += 1
        if step in ("facts", "draft"):
            return f"{step} about #{token}"
        if step in ("route", "judge"):
            return {"route": "usual", "judge": "2"}[step]
        return self.stage.shapes.answer(token)


def which(body):
    """Tell which step a call is for."""
    told, said = body["messages"][0]["content"], body["messages"][-1]["content"]
    for words, step in (("You sort", "route"), ("You compare", "judge")):
        if told.startswith(words):
            return step
    for words, step in (("FACTS", "facts"), ("DRAFT", "draft"), ("ANSWER", "answer")):
        if said.startswith(words):
            return step
    return body["model"]


class ChainSweep(Sweep):
    """A sweep that watches what is paid again."""

    def __init__(self, stage, folder, thinker, at_once):
        super().__init__(stage, folder)
        self.thinker, self.at_once = thinker, at_once

    async def _again(self):
        """Note what the journal holds and what was called, start, and compare."""
        await asyncio.sleep(0.05)  # until what the dead process has sent has come
        kept, before = self._kept(), self.thinker.calls.copy()
        await super()._again()
        again = [step for step in kept if self.thinker.calls[step] > before[step]]
        self.found["steps_kept_over_a_kill"] += len(kept)
        self.found["steps_paid_twice"] += len(again)

    def _kept(self):
        """Return the calls that the journal holds the answers of, by message and step."""
        with closing(sqlite3.connect(self.folder / "data" / "parley.db")) as db:
            rows = db.execute(KEPT).fetchall()
        return [
            (TOKEN.findall(payload)[-1], CALLS[name]) for name, payload in rows if name in CALLS
        ]

    def _judge(self):
        """Judge answers, and that of each message nothing was asked again but what ran."""
        super()._judge()
        repeated = Counter()
        for (token, _), count in self.thinker.calls.items():
            repeated[token] += count - 1
        self.thinker.calls.clear()
        self.found["running_calls_repeated"] += repeated.total()
        self.found["repeated_without_need"] += sum(
            max(count - self.at_once, 0) for count in repeated.values()
        )


async def swept(kind, every, progress):
    """Sweep one kind of chain; returns what was found."""
    chain, sections, at_once = KINDS[kind]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with Stage(
            PLATFORM, folder, sections=f"{sections}\n[turns]\nattempts = 1000"
        ) as stage:
            _with_models(stage, chain)
            thinker = Thinker(stage)
            stage.model.answer = thinker.answer
            stage.model.delay, stage.model.interval, stage.model.chunk = 0.02, 0.02, 24
            async with Armed(PLATFORM, stage.config, folder / "log") as forks:
                stage.spawn = forks.start
                await stage.begin(max(SCRIPT) + 1)
                sweep = ChainSweep(stage, folder, thinker, at_once)
                await sweep._settled()
                for moment in ("before", "after"):
                    numbers = itertools.count(1, every)
                    sweep.found[f"commits_{moment}"] = await sweep.moments(
                        moment, numbers, progress
                    )
                with suppress(ProcessLookupError):
                    await stage.kill()
        return sweep.found


def _with_models(stage, chain):
    """Let a chain answer, and give the candidates models of their own."""
    text = stage.config.read_text().replace("[chat]", f'[chat]\nmodel = "main"\nchain = "{chain}"')
    for name in ("b", "c"):
        text += (f'\n[models.{name}]\nkind = "openai"\nbase_url = "{stage.model.base_url}"\n'
                 f'model = "model-{name}"\n')  # fmt: skip
    stage.config.write_text(text)


async def run(every=1, seed=1, progress=quiet):
    """Sweep every kind of chain, all of them side by side; `seed` changes nothing here."""
    done = itertools.count(1)
    total = len(KINDS) * (2 * MOMENTS // every)
    found = await asyncio.gather(*(
        swept(kind, every, lambda: progress(next(done), total)) for kind in KINDS
    ))  # fmt: skip
    progress(total, total)
    numbers = {}
    for kind, counts in zip(KINDS, found, strict=True):
        numbers |= {f"{kind}_kills": counts["kills"],
                    f"{kind}_steps_kept_over_a_kill": counts["steps_kept_over_a_kill"],
                    f"{kind}_running_calls_repeated": counts["running_calls_repeated"]}  # fmt: skip
    both = sum(found, Counter())
    broken = sum(abs(counts[name]) for counts in found for name in BROKEN)
    return {
        **numbers,
        "kills": both["kills"],
        "answers_broken": broken - both["left_open"],
        "left_open": both["left_open"],
        "steps_paid_twice": both["steps_paid_twice"],
        "repeated_without_need": both["repeated_without_need"],
    }


if __name__ == "__main__":
    alone("chains", run, FAULTS, every=1)
