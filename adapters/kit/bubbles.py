"""What a platform brings to the showing of one reply: its calls and its manners."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.replies import Button


class Bubbles(Protocol):
    """What a platform can do with the single messages of one reply.

    Methods raise the errors of `bot.domain.errors`: RetryLater, Unreachable (outcome unknown),
    Gone. Markup that the platform rejects is their own affair: they fall back to plain text. Only
    the final text of the last message has buttons.
    """

    async def post(
        self, index: int, shown: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> str:
        """Send message number `index` of the reply; returns the platform's id."""
        ...

    async def edit(
        self, id: str, shown: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> None:
        """Replace a message's text and its buttons; "not modified" counts as success."""
        ...

    async def delete(self, id: str) -> None:
        """Take a surplus message away; one that is gone already counts as success."""
        ...

    async def find(self, index: int) -> str | None:
        """Look for a message that an earlier attempt may have sent; None where there is no way."""
        ...

    async def typing(self) -> None:
        """Show that the bot is busy; called again every few seconds; errors are not raised."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one platform likes its replies."""

    limit: int  # of one message, by `measure`
    measure: Callable[[str], int] = len
    interval: float = 1.2  # seconds between edits
    patience: float = 0.3  # an answer complete by then is posted once
    placeholder: str = ""  # posted and journaled first; content comes by edits only (Telegram)
    edits: bool = True  # False: wait for the whole answer (streaming = "off")
    typing_every: float = 4.0
    announces: bool = False  # `begin` is committed before a post: never begun, never sent (Slack)
    settle: float = 1.0  # seconds from the start of a post until `find` surely sees it
    give_up: float = 60.0  # seconds of an unreachable platform before the turn is tried later
