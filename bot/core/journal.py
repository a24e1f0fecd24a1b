"""What one attempt at a turn writes down, and what it finds written by earlier ones.

Awaited are only `answer` (before anything final is shown) and, by the adapter, `sent` (before the
first edit of a message). Everything else joins the next group commit by itself.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Container, Generator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from bot.domain.conversation import Address
from bot.domain.errors import StoreBusy
from bot.domain.events import CommandGiven
from bot.domain.policy import Policy
from bot.domain.replies import Finished, Part, Reason, Usage
from bot.ports.store import Journal, Turn

BUSY_PAUSE = 1.0  # seconds before a busy store is asked again


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The screened final text with its usage: from here on the model is never asked again."""

    text: str
    reason: Reason
    usage: Usage = Usage()
    revision: int = 0  # of the question that it answers
    remembered: bool = True  # whether question and answer go into memory

    @classmethod
    def read(cls, step: Mapping[str, Any]) -> Self:
        """Read the journaled form back."""
        return cls(**{**step, "usage": Usage(**step["usage"])})

    @property
    def finished(self) -> Finished:
        """The piece that lets the sender do what is final."""
        return Finished(reason=self.reason, usage=self.usage)


class Patient:
    """A write that is queued at once and, when awaited, repeated until a busy store takes it.

    What was posted or paid for must not be forgotten because a disk was full for a while.
    """

    def __init__(self, write: Callable[[], Awaitable[None]]) -> None:
        self._write = write
        self._pending = write()

    def __await__(self) -> Generator[Any, None, None]:
        """Wait for the commit."""
        return self._wait().__await__()

    async def _wait(self) -> None:
        while True:
            try:
                return await self._pending
            except StoreBusy:
                await asyncio.sleep(BUSY_PAUSE)
                self._pending = self._write()


class TurnOutbox:
    """The outbox of one turn: known parts in memory, every change journaled."""

    def __init__(self, store: Journal, turn: Turn, visible: Callable[[], object] = tuple) -> None:
        self._store, self._turn, self._visible = store, turn, visible
        self._known = {part.index: part for part in turn.parts}

    @property
    def known(self) -> Mapping[int, Part]:
        """Parts by index."""
        return self._known

    @property
    def resumed(self) -> bool:
        """Whether an earlier attempt may have sent something."""
        return self._turn.resumed

    def begin(self, part: Part) -> Awaitable[None]:
        """Journal that a part is about to be sent."""
        self._known[part.index] = part
        return Patient(lambda: self._store.save_part(self._turn, part))

    def sent(self, part: Part) -> Awaitable[None]:
        """Journal the platform's id of a part."""
        self._known[part.index] = part
        self._visible()
        self._visible = tuple  # only the first message counts
        return Patient(lambda: self._store.save_part(self._turn, part))

    def withdrawn(self, index: int) -> Awaitable[None]:
        """Journal that a part is gone."""
        self._known.pop(index, None)
        return Patient(lambda: self._store.drop_part(self._turn, index))


class TurnJournal:
    """The steps of one turn."""

    def __init__(self, store: Journal, turn: Turn, visible: Callable[[], object] = tuple) -> None:
        self._store, self._turn = store, turn
        self.outbox = TurnOutbox(store, turn, visible)
        step = turn.steps.get("answered")
        answered = Answered.read(step) if step else None
        # What answers the question as it was before an edit is no answer any more.
        self.answered = answered if answered and answered.revision == turn.revision else None

    def admit(self, policy: Policy, models: Container[str]) -> Policy:
        """Begin an attempt; a resumed turn keeps its model, if that still exists, and persona."""
        step = self._turn.steps.get("admitted")
        if step and step["model"] in models:
            policy = replace(policy, **step)
        began = {name: getattr(policy, name) for name in ("model", "persona", "system_prompt")}
        self._store.save(self._turn, "admitted", began)
        return policy

    def asked(self, estimate: Usage, cost: float) -> None:
        """Note what a model is asked, so that a killed process's call is charged by the next."""
        value = {"model": estimate.model, "input": estimate.input_tokens, "cost": cost}
        self._store.save(self._turn, "asked", value)

    def charge(self, usage: Usage, cost: float) -> None:
        """Note a paid call; it joins the next commit."""
        if usage.model:
            self._store.charge(self._turn, usage, cost)

    async def answer(self, answered: Answered) -> None:
        """Commit the final text; only then may anything final be shown."""
        self.answered = answered
        step = asdict(answered)
        await Patient(lambda: self._store.save(self._turn, "answered", step))


def address(turn: Turn) -> Address:
    """Say where the reply to a turn goes; the key is the same for every attempt."""
    event = turn.event
    author = getattr(event, "author", None)
    return Address(
        conversation=event.conversation,
        answers=getattr(event, "message", ""),
        person=author.user if author else "",
        private=getattr(event, "private", False),
        hidden=isinstance(event, CommandGiven),
        reply_via=getattr(event, "reply_via", ""),
        key=reference_of(event.id, size=20),
    )


def reference_of(event_id: str, *, size: int = 6) -> str:
    """Name an event in few letters, for people and for platforms' idempotency keys."""
    return hashlib.blake2b(event_id.encode(), digest_size=16).hexdigest()[:size]
