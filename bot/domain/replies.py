"""What a reply is made of, from the model to the platform."""

import re
from dataclasses import dataclass, field
from typing import Final, Literal

_ACTION: Final = re.compile(r"[a-z_]{1,12}")
_LABEL_LIMIT: Final = 75  # characters, as Slack wants
_DATA_LIMIT: Final = 64  # bytes, as Telegram wants

# `unsure`: the model says that it does not know, so a person may be asked.
Reason = Literal[
    "complete", "unsure", "length", "filtered", "interrupted", "stopped", "declined"
]  # fmt: skip


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
class Button:
    """Something to press below an answer.

    The value names and seals what it is for (`bot.core.buttons`): platforms only carry it. A button
    that some platform could not carry is an error of ours, and raises ValueError when it is made.
    """

    label: str  # 1 to 75 characters
    action: str  # [a-z_]{1,12}
    value: str = ""

    def __post_init__(self) -> None:
        """Refuse what does not fit on every platform."""
        if not (self.label.strip() and len(self.label) <= _LABEL_LIMIT):
            raise ValueError(f"a label has 1 to {_LABEL_LIMIT} characters, not {len(self.label)}")
        if not _ACTION.fullmatch(self.action):
            raise ValueError(f"no action has the name {self.action!r}")
        if len(self.data.encode()) > _DATA_LIMIT:
            raise ValueError(f"{self.action}: action and value have more than {_DATA_LIMIT} bytes")

    @property
    def data(self) -> str:
        """Action and value in one string, as it comes back when the button is pressed."""
        return f"{self.action}:{self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The end: the answer is stored, so the sender may now do what is final."""

    reason: Reason = "complete"
    usage: Usage = Usage()
    buttons: tuple[Button, ...] = ()  # below the last message, where the platform has any


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
