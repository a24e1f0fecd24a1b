"""The two arrows between the core and a platform, and how a platform describes itself.

Inward an adapter calls `Inbox.accept(event)`; outward the core calls `Sender.deliver(to, reply,
outbox)`. The core never asks an adapter a question: what a platform can do is declared in
`Abilities`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from bot.domain.commands import Catalogue
from bot.domain.conversation import Address, Conversation
from bot.domain.events import Attachment, Event, MessageReceived
from bot.domain.replies import Part, Piece, Receipt


class Inbox(Protocol):
    """The one door inward."""

    async def accept(self, event: Event) -> bool:
        """Store an event that concerns the bot; only after this may the platform be acknowledged.

        Returns:
            True when the event is new and concerns the bot; False when it was dropped, as a
            duplicate or because it does not concern the bot. Acknowledge in both cases.

        Raises:
            StoreBusy: it could not be stored: do not acknowledge, so that it comes again.
        """
        ...


class Outbox(Protocol):
    """What is known about the parts of one answer; every call is journaled."""

    @property
    def known(self) -> Mapping[int, Part]:
        """Parts begun or sent in this or an earlier attempt, by index; `id` empty if only begun."""
        ...

    @property
    def resumed(self) -> bool:
        """Whether an earlier attempt, perhaps of a killed process, may have sent something."""
        ...

    def begin(self, part: Part) -> Awaitable[None]:
        """Note that a part is about to be sent; awaiting the commit is the caller's choice."""
        ...

    def sent(self, part: Part) -> Awaitable[None]:
        """Note the platform's id of a part; await this before the first edit of it."""
        ...

    def withdrawn(self, index: int) -> Awaitable[None]:
        """Note that a surplus part was deleted on the platform."""
        ...


class Sender(Protocol):
    """The one door outward: plain web calls, no listening."""

    async def open(self) -> None:
        """Create clients.

        Raises:
            ConfigError: a token is refused; one sentence.
            DeliveryError: the platform cannot be reached; `open` is called again later.
        """
        ...

    async def deliver(self, to: Address, reply: AsyncIterator[Piece], outbox: Outbox) -> Receipt:
        """Show a reply as this platform can; do nothing final before `Finished` was seen.

        Raises:
            Gone: the place is closed to the bot for good.
            DeliveryError: the platform cannot be reached now; the same turn is tried again later.
        """
        ...

    async def publish(self, catalogue: Catalogue) -> None:
        """Show the commands natively: menus, application commands; nothing where a file does it."""
        ...

    async def close(self) -> None:
        """Close clients."""
        ...


class Receiver(Protocol):
    """The listening side of a platform."""

    async def listen(self, inbox: Inbox) -> None:
        """Hand events to the core until cancelled; reconnects by itself.

        Raises:
            ConfigError: the platform refuses the token for good.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a file lies, and what lets us in."""

    url: str = field(repr=False)  # may hold a token: never logged
    hosts: tuple[str, ...]  # of the platform: only they may be given the headers or redirect to
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class Files(Protocol):
    """Where the files of a platform are; it fetches none."""

    async def locate(self, attachment: Attachment) -> Location:
        """Find out where an attachment can be fetched.

        Raises:
            FileRefused: it is not kept by the platform itself, or not given to bots.
            DeliveryError: the platform cannot tell now.
        """
        ...


class History(Protocol):
    """What was said on a platform earlier, for those that tell bots."""

    async def before(
        self, conversation: Conversation, message: str, limit: int
    ) -> Sequence[MessageReceived]:
        """Return the newest messages of people before one in its thread, oldest first.

        Raises:
            DeliveryError: the platform does not tell.
        """
        ...


class Marks(Protocol):
    """How far each channel was read, for platforms that do not redeliver (Discord).

    A channel may be named by any string, such as `str(Conversation)`.
    """

    async def read(self, platform: str) -> Mapping[str, str]:
        """Return the newest handled message id by channel."""
        ...

    def put(self, platform: str, channel: str, message: str) -> Awaitable[None]:
        """Move a mark forward; call it after `accept`, in order; awaiting is optional."""
        ...


class Pulse(Protocol):
    """How an adapter tells whether it hears its platform; `/readyz` shows it."""

    def up(self) -> None:
        """Say that the platform is heard: connected, and something came or was answered lately."""
        ...

    def down(self, reason: str) -> None:
        """Say that nothing can be heard, and why, in words for the operator."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a platform can do, declared once."""

    text_limit: int  # per message, after rendering, in `unit`
    unit: Literal["characters", "utf16"] = "characters"
    streaming: tuple[Literal["native", "edit"], ...] = ("edit",)
    private_replies: bool = False  # an answer that only the asking person sees
    reactions: bool = False
    buttons: bool = False
    threads: bool = False  # a reply to a message opens a thread of that name
    whispers: bool = False  # a message that only one person sees, without their having asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A token that a platform needs: where it is looked for and what it looks like."""

    key: str  # configuration key that names the variable: "adapters.slack.bot_token_env"
    variable: str = field(default="")  # environment variable: "SLACK_BOT_TOKEN"
    shape: str = ".+"  # regular expression of a plausible value
    hint: str = ""  # where the operator finds it


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an adapter is given when it is built."""

    bot_name: str
    streaming: Literal["native", "edit", "off"]
    marks: Marks
    pulse: Pulse
    roles: bool = False  # whether people's roles on the platform are to be asked for
    secret: Callable[[str], str]  # variable name → value; raises ConfigError when it is not set


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """A built platform."""

    receiver: Receiver
    sender: Sender
    files: Files | None = None  # None: this platform has none
    history: History | None = None  # None: this platform does not tell bots what was said


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A platform without its SDK: enough to check a configuration and print manifests.

    Importing the module of a descriptor must not import the SDK; `build` does.
    """

    name: str
    settings: type[Any]  # a frozen dataclass with `enabled: bool`
    abilities: Abilities
    secrets: Callable[[Any], tuple[Secret, ...]]  # those that these settings need
    manifest: Callable[[Catalogue], str] | None
    link: Callable[[Conversation], str] = lambda _: ""  # opens a place; empty: there is none
    build: Callable[[Any, Surroundings], Adapter]
