"""What the core stores: lanes of turns, memory, usage, marks. One suite tests every store.

States of an inbox row: waiting → running → done | declined | dead. A closed row keeps its id for
de-duplication and loses its payload.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from bot.domain.dialogue import Role
from bot.domain.events import Event, MessageDeleted, MessageEdited, MessageReceived
from bot.domain.replies import Part, Receipt

Outcome = Literal["done", "declined", "dead"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One claimed event with all that earlier attempts have journaled."""

    id: int
    lane: str  # str(Conversation)
    memory: str  # the key under which the exchange is remembered
    epoch: int  # of that memory when the event was admitted
    event: Event
    revision: int = 0  # how often the event was edited or withdrawn since it is open
    attempts: int = 0  # earlier attempts that ended without a result
    resumed: bool = False  # a process before this one may have begun it
    fence: int = 0
    steps: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLine:
    """A line to remember; `message` is the platform's id, so that a deletion can find it."""

    role: Role
    text: str
    person: str = ""
    name: str = ""
    message: str = ""


class Remembered(NamedTuple):
    """A line as it was stored; a tuple, since a prompt may take hundreds of them."""

    id: int
    role: Role
    text: str
    name: str
    size: int  # UTF-8 bytes of the text
    tokens: int | None  # of the line as it is shown; None until somebody counted them
    event: str  # id of the event whose turn wrote it

    @property
    def shown(self) -> str:
        """The line as a prompt has it: of a person in a group, the name stands before it."""
        return f"{self.name}: {self.text}" if self.role == "user" and self.name else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the lines `first` to `last` of a memory say; it lives as long as all of them do."""

    memory: str
    epoch: int
    first: int
    last: int
    text: str = field(repr=False)
    tokens: int
    model: str
    at: float  # seconds since 1970


class Since(NamedTuple):
    """What has come to a memory since somebody read lines `first` to `last` of it."""

    still: int  # how many of the lines from `first` to `last` are there
    newer: Sequence[Remembered]  # newest first
    summary: Summary | None = None  # of the older lines, as it is now


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A remembered line of a person, with what it takes to ask it again."""

    id: int  # of the line: a higher one is newer
    event: str
    text: str
    message: str
    person: str  # platform:workspace:user
    name: str  # empty in a direct message
    lane: str
    at: float  # when it was said, in seconds since 1970


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a turn ended: everything that its one closing transaction writes."""

    outcome: Outcome = "done"
    lines: tuple[NewLine, ...] = ()
    receipt: Receipt = Receipt()
    revision: int | None = None  # of the event that was answered; None: whatever it is by now
    reason: str = ""  # why a dead one was given up, for the operator
    trace: Mapping[str, Any] = field(default_factory=dict)  # how an answer came about
    then: Callable[[], object] = tuple  # called once that is written


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """What became of deleted messages."""

    changed: bool = False  # something was known of them
    running: Turn | None = None  # the turn that runs over one of them, as it is now
    answers: Turn | None = None  # a turn of the control track: it takes the answers away


class Intake(Protocol):
    """Where events enter, and where those that wait can still be changed."""

    async def ingest(
        self, event: Event, *, lane: str, memory: str, answered: Mapping[str, Any] | None = None
    ) -> Turn | None:
        """Store an event and commit; None when its id is known already.

        An event of the control track is returned for its caller to run, and so is one that is
        stored with the step `answered`; others of the turn track wait for `claim`. Raises StoreBusy
        when it cannot be stored.
        """
        ...

    async def amend(self, event: MessageEdited, *, within: float) -> Turn | None:
        """Follow an edit, wherever its message is by now; None when it changes nothing.

        A waiting message is changed. A running one too: its turn is returned as it is now, and runs
        again unless it notices. One that was answered less than `within` seconds ago is asked
        again, over the same messages; it waits in its lane.
        """
        ...

    async def withdraw(self, event: MessageDeleted) -> Withdrawn:
        """Close waiting messages, mark running ones, forget exchanges that deleted ones began."""
        ...

    async def overhear(
        self, event: MessageReceived, line: NewLine, *, lane: str, memory: str
    ) -> bool:
        """Remember what was not said to the bot; no turn comes of it. False: it is known already.

        Raises:
            StoreBusy: it cannot be stored.
        """
        ...

    async def schedule(self, event: Event, *, lane: str, memory: str, due: float) -> None:
        """Ingest an event at `due` (seconds since 1970), once, also across restarts."""
        ...


class Lanes(Protocol):
    """One lane per conversation: its turns run one after another, lanes run side by side."""

    async def claim(self, limit: int) -> Sequence[Turn]:
        """Wait until a lane is ready; return the first turn of up to `limit` ready lanes."""
        ...

    async def finish(self, turn: Turn, result: Result) -> Turn | None:
        """Close a turn in one transaction; returns the lane's next turn, still owned.

        A turn whose event has changed since (`Result.revision`) is not closed, but returned.
        """
        ...

    async def fail(self, turn: Turn, *, not_before: float, counted: bool = True) -> None:
        """Try the turn again at `not_before`; its lane waits.

        `counted` adds to its attempts: leave it out when the fault is the platform's.
        """
        ...

    async def cancel(self, turn: Turn) -> None:
        """Note durably that this turn was stopped, so that a resume does not answer anew."""
        ...

    async def release(self, turn: Turn) -> None:
        """Give a turn back uncounted, as a shutdown does."""
        ...


class Crowd(Protocol):
    """How many wait, for how long, and how several messages become one turn."""

    def count(self, lane: str = "") -> int:
        """Return how many turns are open in a lane, or in all of them."""
        ...

    def current(self, turn: Turn) -> Turn:
        """Return a turn as it is now: it may have been edited or withdrawn since it was claimed."""
        ...

    async def lateness(self) -> float | None:
        """Return how soon, at best, a recent message was answered, in seconds by both clocks."""
        ...

    def open(self, lane: str) -> Sequence[Turn]:
        """Return what waits or runs in a lane, oldest first."""
        ...

    async def gather(self, turn: Turn, *, album: str = "") -> Turn:
        """Take the messages that its author has sent since together with a turn, and commit.

        With an `album` only the parts of that are taken.
        """
        ...


class Journal(Protocol):
    """What a turn writes down on its way; every call joins the next group commit."""

    def save(self, turn: Turn, name: str, value: Any, *, along: bool = False) -> Awaitable[None]:
        """Write one step; raises Fenced, when awaited, if the turn is no longer ours.

        What goes `along` waits for whatever is written next.
        """
        ...

    def save_part(self, turn: Turn, part: Part) -> Awaitable[None]:
        """Write what is known of one part of the answer."""
        ...

    def drop_part(self, turn: Turn, index: int) -> Awaitable[None]:
        """Forget a part that was deleted on the platform."""
        ...


class Memory(Protocol):
    """Lines of conversations, append-only within an epoch."""

    async def recall(self, key: str, epoch: int | None, *, limit: int, before: int | None = None,
                     without: str = "") -> Sequence[Remembered]:  # fmt: skip
        """Return up to `limit` lines of an epoch, or the present one, newest first.

        Only those older than line `before` count.
        Lines of the event `without` are left out.
        """
        ...

    async def since(self, key: str, epoch: int, *, first: int, last: int) -> Since | None:
        """Return what is newer than line `last`; None when that line is no longer there."""
        ...

    async def reset(self, key: str) -> int:
        """Begin a new epoch and delete the lines of the old ones; returns how many went."""
        ...

    async def last_question(self, key: str) -> Question | None:
        """Return the newest question, if there is one."""
        ...

    def counted(self, tokens: Mapping[int, int]) -> Awaitable[None]:
        """Keep token counts by line id."""
        ...


class Settings(Protocol):
    """What people changed in chat, and which threads the bot has joined."""

    async def overrides(self) -> Mapping[str, Mapping[str, str]]:
        """Return all changed settings by conversation: `{"slack:T1:C1:": {"model": "big"}}`."""
        ...

    async def override(self, lane: str, name: str, value: str | None) -> None:
        """Change one setting of a conversation; None takes the change back."""
        ...

    async def joined(self) -> frozenset[str]:
        """Return the threads in which the bot has answered."""
        ...

    async def active(self, *, since: float) -> frozenset[str]:
        """Return the conversations in which something was answered since then."""
        ...
