"""What a model is given and what it gives back."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from bot.domain.replies import Reason, Usage

Role = Literal["system", "user", "assistant"]


class Line(NamedTuple):
    """One line of a conversation as the model sees it; a tuple, since a prompt has hundreds."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A whole question to a model: system line first, the newest line last."""

    lines: tuple[Line, ...]
    person: str = ""  # who asks; a backend hashes it before it leaves the machine
    conversation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The model is done; the last thing that its stream yields."""

    reason: Reason
    usage: Usage


Delta = str | Ended
