"""What a model is given and what it gives back."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from bot.domain.budgets import Purpose
from bot.domain.knowledge import Grounds
from bot.domain.replies import Reason, Usage

Role = Literal["system", "user", "assistant"]
IMAGE_TOKENS = 3_000  # that a picture takes, for estimates: more than most models count for one

SOUND_TOKENS = 10  # that a second of speech takes, likewise


class Line(NamedTuple):
    """One line of a conversation as the model sees it; a tuple, since a prompt has hundreds."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture that a person has sent."""

    type: str  # as its first bytes say
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Of what a prompt was put together, for the templates of a chain; no model is sent this."""

    persona: str = ""  # the system prompt alone
    note: str = ""  # about the fences in the newest line
    question: str = ""  # the newest line without the documents
    documents: str = ""  # what was found for the question, as the prompt quotes it
    orders: str = ""  # how to cite them


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A whole question to a model: system line first, the newest line last."""

    lines: tuple[Line, ...]
    person: str = ""  # who asks; a backend hashes it before it leaves the machine
    conversation: str = ""
    purpose: Purpose = "answer"  # for what the call is entered into the ledger
    counted: bool | None = None  # as a message, by budgets; None: an answer is, all else is not
    limit: int = 0  # tokens of the answer, at most; 0: as many as the model gives
    material: Material = Material()
    sound_s: int = 0  # seconds of speech to write down, at most, for estimates
    grounds: Grounds = Grounds()  # what the newest line was given to lean on
    images: tuple[Image, ...] = ()  # of the newest line; a model that cannot see says so to itself

    @property
    def question(self) -> str:
        """What is asked, without the documents that were found for it."""
        return self.material.question or self.lines[-1].text


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The model is done; the last thing that its stream yields."""

    reason: Reason
    usage: Usage


Delta = str | Ended
