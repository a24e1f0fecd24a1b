"""What a reply is made of, from the model to the platform."""

from dataclasses import dataclass, field
from typing import Literal

Reason = Literal["complete", "length", "filtered", "interrupted", "stopped", "declined"]


@dataclass(frozen=True, slots=True)
class Text:
    """More words, to be shown behind those before."""

    words: str


@dataclass(frozen=True, slots=True)
class Status:
    """The bot is busy: shown as the platform's typing indicator, never stored."""

    doing: str = "thinking"


@dataclass(frozen=True, slots=True)
class Retraction:
    """All words so far are taken back; this sentence stands in their place."""

    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one model call took, in tokens; `estimated` when the server did not say."""

    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The end: the answer is stored, so the sender may now do what is final."""

    reason: Reason = "complete"
    usage: Usage = Usage()


Piece = Text | Status | Retraction | Finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One message of a long answer, as the outbox knows it.

    `end` is the offset in the answer's text up to which this part carries it (characters, not
    bytes); `digest` names the shown content; `id` is empty until the platform has named it; `at` is
    when it was last begun, in seconds since 1970, set by the store.
    """

    index: int
    end: int = 0
    digest: str = ""
    id: str = ""
    at: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform's ids of the messages that carry an answer, in order."""

    messages: tuple[str, ...] = ()
