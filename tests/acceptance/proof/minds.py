"""A model in memory: it answers with the token of the question in front and, at the very end, again.

So a complete answer, a partial one and a foreign one can be told apart, and what a question asks
for can be known without asking. It fails as the schedule says.
"""

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field

from bot.domain.dialogue import Ended
from bot.domain.errors import ModelError
from bot.domain.replies import Usage
from tests.acceptance.proof.virtual import chance

TOKEN = re.compile(r"#(\d+-\d+(?:v\d+)?)\b")
USAGE = Usage(model="main", input_tokens=10, output_tokens=10)


def question(token):
    """Return what a person writes."""
    return f"please #{token}"


def pieces(token, words):
    """Return an answer as the model speaks it."""
    return [f"#{token} begins", *(f" word{n}" for n in range(words)), f" #{token} ends."]


@dataclass
class Call:
    """One question as the model was asked it."""

    at: float
    life: int
    token: str
    asked: tuple  # tokens of the persons' lines before, oldest first
    said: tuple  # tokens of the bot's lines before


@dataclass
class Mind:
    """The model of one schedule."""

    world: object
    calls: list = field(default_factory=list)
    count: Counter = field(default_factory=Counter)

    async def stream(self, prompt):
        """See `bot.ports.model.Model`."""
        loop, plan = asyncio.get_running_loop(), self.world.plan
        token = TOKEN.findall(prompt.lines[-1].text)[-1]
        nth = self.count[token] = self.count[token] + 1
        self.calls.append(Call(loop.time(), self.world.life, token, *_heard(prompt)))
        self.world.say("model", f"is asked {token} (call {nth})")
        saying = self.world.saying(token)
        act = saying.script[nth - 1] if nth <= len(saying.script) else "fine"
        await asyncio.sleep(0.05 + 0.5 * chance(plan.name, token, nth))
        if act == "error" or any(a <= loop.time() < b for a, b in plan.silence):
            raise ModelError("the model is down")
        spoken = pieces(token, saying.words)
        cut = int(chance(plan.name, token, nth, "cut") * len(spoken))
        for n, words in enumerate(spoken):
            if n == cut and act == "stall":
                await asyncio.sleep(1e6)
            if n == cut and act == "reset":
                yield Ended(reason="interrupted", usage=USAGE)
                return
            if self.world.moment("word"):
                await loop.create_future()
            yield words
            await asyncio.sleep(0.12 * chance(plan.name, token, nth, n))
        yield Ended(reason="complete", usage=USAGE)


def _heard(prompt):
    lines = prompt.lines[:-1]
    asked = [TOKEN.findall(line.text)[-1] for line in lines if line.role == "user"]
    said = [(TOKEN.findall(line.text) or ["?"])[0] for line in lines if line.role == "assistant"]
    return tuple(asked), tuple(said)
