"""A model that says what it is told to, and a place where steps are kept, in memory."""

from dataclasses import dataclass, field

from bot.domain.dialogue import Ended
from bot.domain.replies import Usage


class Killed(Exception):
    """Stands for what ends a process."""


@dataclass
class Said:
    """A model that repeats its answers, one per call, and remembers what it was asked."""

    answers: list
    name: str = "small"
    reason: str = "complete"
    asked: list = field(default_factory=list)
    closed: int = 0

    async def stream(self, prompt):
        self.asked.append(prompt)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        try:
            if isinstance(answer, BaseException):
                raise answer
            for word in answer.split(" "):
                yield f"{word} "
            usage = Usage(model=self.name, input_tokens=10, output_tokens=len(answer.split()))
            yield Ended(reason=self.reason, usage=usage)
        finally:
            self.closed += 1


@dataclass
class Kept:
    """What one turn keeps, across the attempts of a test."""

    steps: dict = field(default_factory=dict)
    notes: dict = field(default_factory=dict)
    breaks: str = ""  # the name behind which the process is killed

    def found(self, name):
        return self.steps.get(name)

    async def keep(self, name, found):
        self.steps[name] = found
        if name == self.breaks:
            raise Killed

    def paid(self, what, name, usage, **more):
        self.notes.setdefault(what, []).append((name, usage.model, more))

    def note(self, what, value):
        self.notes[what] = value


async def told(model, prompt):
    """Return what a model says and how it ended."""
    words, ended = "", None
    async for delta in model.stream(prompt):
        if isinstance(delta, Ended):
            ended = delta
        else:
            words += delta
    return words.strip(), ended
