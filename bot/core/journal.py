"""What one attempt at a turn writes down, and what it finds written by earlier ones.

Awaited are `answer` (before anything final is shown), what was paid for (before anything else is),
the attempt itself after a kill, and, by the adapter, `sent` (before the first edit of a message).
Everything else joins the next group commit by itself.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from bot.core.citing import uncited
from bot.core.trace import Trace
from bot.domain.conversation import Address
from bot.domain.errors import StoreBusy
from bot.domain.events import Announced, CommandGiven, Pressed
from bot.domain.policy import Policy
from bot.domain.replies import Button, Finished, Part, Reason, Usage
from bot.ports.store import Journal, Turn

ADMITTED = ("model", "chain", "persona", "system_prompt")  # what a resumed turn keeps
BUSY_PAUSE = 1.0  # seconds before a busy store is asked again
AT_ONCE_S = 0.05  # seconds after which a post is not the one that was announced with its answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The screened final text with its usage: from here on the model is never asked again."""

    text: str
    reason: Reason
    usage: Usage = Usage()
    revision: int = 0  # of the question that it answers
    remembered: bool = True  # whether question and answer go into memory
    asked: str = ""  # the question as it is remembered, where that is not what was written
    buttons: tuple[Button, ...] = ()  # shown below it
    sources: str = ""  # what it cites, below it; shown and forgotten
    note: str = ""  # what stands below that, shown and forgotten
    trace: Mapping[str, Any] = field(default_factory=dict)  # how it came about

    @classmethod
    def read(cls, step: Mapping[str, Any]) -> Self:
        """Read the journaled form back."""
        buttons = tuple(Button(**button) for button in step.get("buttons", ()))
        return cls(**{**step, "usage": Usage(**step["usage"]), "buttons": buttons})

    @property
    def bare(self) -> str:
        """What is remembered of it: not the numbers of sources that are forgotten."""
        words = uncited(self.text) if self.sources else ""
        return words if words.strip() else self.text

    @property
    def below(self) -> str:
        """All that stands below it."""
        return "\n\n".join(filter(None, (self.sources, self.note)))

    @property
    def finished(self) -> Finished:
        """The piece that lets the sender do what is final."""
        return Finished(reason=self.reason, usage=self.usage, buttons=self.buttons)


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
        self._announced: tuple[float, Patient] | None = None  # when, and its write

    @property
    def known(self) -> Mapping[int, Part]:
        """Parts by index."""
        return self._known

    @property
    def resumed(self) -> bool:
        """Whether an earlier attempt may have sent something."""
        return self._turn.resumed

    def announce(self) -> None:
        """Begin the first part, unless one has begun: it is posted once the answer is stored.

        So both are one commit, and the sender need not wait for another.
        """
        if not self._known:
            begun = Patient(lambda: self._store.save_part(self._turn, Part(index=0)))
            self._announced = time.monotonic(), begun

    def begin(self, part: Part) -> Awaitable[None]:
        """Journal that a part is about to be sent."""
        self._known[part.index] = part
        announced, self._announced = self._announced, None
        if announced and part.index == 0 and time.monotonic() - announced[0] < AT_ONCE_S:
            return announced[1]
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
        self.trace = Trace()

        def seen() -> None:
            self.trace.seen()
            visible()

        self.outbox = TurnOutbox(store, turn, seen)
        self.opened: Mapping[str, Mapping[str, Any]] = turn.steps.get("opened", {})
        self._found = dict(turn.steps)
        step = turn.steps.get("answered")
        answered = Answered.read(step) if step else None
        # What answers the question as it was before an edit is no answer any more.
        self.answered = answered if answered and answered.revision == turn.revision else None

    async def admit(self, policy: Policy, known: Callable[[Policy], bool]) -> Policy:
        """Begin an attempt; a resumed turn keeps model, chain and persona, if these are known.

        It goes on once its attempt is on disk: if it was this message that killed the process, it
        must not do so uncounted, and for ever.
        """
        step = self._turn.steps.get("admitted")
        if step and known(kept := replace(policy, **step)):
            policy = kept
        began = {name: getattr(policy, name) for name in ADMITTED}
        counted = Patient(lambda: self._store.save(self._turn, "admitted", began, along=True))
        if self._turn.resumed:
            await counted
        return policy

    def judged(self, turn: Turn, part: str) -> Mapping[str, Any] | None:
        """Return what an earlier attempt has found in a part of the question as it still is."""
        step = turn.steps.get(f"judged {part}")
        return step["ruling"] if step and step["revision"] == turn.revision else None

    def judge(self, turn: Turn, part: str, ruling: Mapping[str, Any]) -> None:
        """Note what was found in a part of the question, so that it is not judged again.

        It is written with the reservation of the model's call, or with the decision that ends it.
        """
        step = {"revision": turn.revision, "ruling": ruling}
        self._store.save(self._turn, f"judged {part}", step, along=True)

    def found(self, turn: Turn, name: str) -> Mapping[str, Any] | None:
        """Return what a stage has kept for the question as it still is, in whichever attempt."""
        step = self._found.get(name)
        return step["found"] if step and step["revision"] == turn.revision else None

    def keep(self, turn: Turn, name: str, found: Mapping[str, Any]) -> Awaitable[None]:
        """Keep what a stage has found or paid; await it before something else is paid for.

        What nobody waits for is written with what comes next.
        """
        self._found[name] = step = {"revision": turn.revision, "found": found}
        return Patient(lambda: self._store.save(self._turn, name, step, along=True))

    def open(self, files: Mapping[str, Mapping[str, Any]]) -> None:
        """Note what files say, so that none of them is read again."""
        self.opened = files
        self._store.save(self._turn, "opened", files)

    async def answer(self, answered: Answered) -> None:
        """Commit the final text; only then may anything final be shown."""
        self.answered = answered = replace(answered, trace=self.trace.notes)
        self.outbox.announce()
        await Patient(lambda: self._store.save(self._turn, "answered", answered))


def address(turn: Turn) -> Address:
    """Say where the reply to a turn goes; the key is the same for every attempt."""
    event = turn.event
    author = getattr(event, "author", None)
    return Address(
        conversation=event.conversation,
        answers=getattr(event, "message", ""),
        several=isinstance(event, Announced),
        person=author.user if author else "",
        private=getattr(event, "private", False),
        hidden=isinstance(event, CommandGiven | Pressed) or getattr(event, "hidden", False),
        reply_via=getattr(event, "reply_via", ""),
        key=reference_of(event.id, size=20),
    )


def reference_of(event_id: str, *, size: int = 6) -> str:
    """Name an event in few letters, for people and for platforms' idempotency keys."""
    return hashlib.blake2b(event_id.encode(), digest_size=16).hexdigest()[:size]
