"""What happens on a platform, as frozen values without a client inside.

Events can be stored, replayed and shown. Their `id` is the platform's own name for the thing (Slack
team:channel:ts, Discord message id with its edit number, Telegram bot and update id), so that a
redelivery is recognised. `track` decides whether an event waits for its lane (`turn`) or is handled
at once, beside a running turn (`control`). `closed`: it happens in a thread that not all of its
channel read, as a private one of Discord.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Literal, Self

from bot.domain.conversation import Conversation, Person
from bot.domain.replies import Button

Track = Literal["turn", "control"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a message, as its platform describes it; nothing is fetched yet."""

    name: str
    type: str = ""  # MIME type, as the sender's machine claims
    size: int = 0  # bytes, likewise
    source: str = field(default="", repr=False)  # where the adapter finds it: an address, a file id
    message: str = ""  # of several messages taken together, the one that it came with


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived:
    """A person wrote something the bot is allowed to read."""

    track: ClassVar[Track] = "turn"
    id: str
    at: float  # seconds since 1970, the platform's clock
    conversation: Conversation
    author: Person
    text: str
    message: str  # the platform's id of this message
    addressed: bool  # a direct message, a mention, or a reply to the bot: from text and place
    private: bool = False
    closed: bool = False
    quoted: str = ""  # what the person replied to or forwarded: somebody else's words
    quoted_by: str = ""  # platform:workspace:user of who said it; empty: the platform does not say
    answers: str = ""  # the platform's id of the message that this one replies to
    attachments: tuple[Attachment, ...] = ()
    replaces: str = ""  # id of the event whose answer this one replaces: `retry`, an edit
    edited: float = 0.0  # when the text was changed last, in seconds since 1970
    asker: Person | None = None  # who wants it answered, where that is not who wrote it: `retry`
    album: str = ""  # the platform's id of the album that this is a part of
    before: tuple[tuple[str, str], ...] = ()  # (message, text) of those taken together with this

    @property
    def words(self) -> str:
        """All that was written, earlier messages first."""
        texts = (*(text for _, text in self.before), self.text)
        return "\n".join(texts if not self.album else filter(None, texts))

    @property
    def payer(self) -> Person:
        """Whose rights and budget an answer takes."""
        return self.asker or self.author

    def with_text(self, message: str, text: str, at: float) -> Self:
        """Return the event after somebody changed one of its messages."""
        if message == self.message:
            return replace(self, text=text, edited=at)
        pairs = tuple((id, text if id == message else old) for id, old in self.before)
        return replace(self, before=pairs, edited=at)

    def without(self, message: str) -> Self | None:
        """Return the event after one of its messages was deleted; None when nothing is left."""
        left = [pair for pair in (*self.before, (self.message, self.text)) if pair[0] != message]
        if not left:
            return None
        *before, (last, text) = left
        kept = tuple(file for file in self.attachments if file.message != message)
        return replace(self, before=tuple(before), message=last, text=text, attachments=kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEdited:
    """A person changed a message."""

    track: ClassVar[Track] = "control"
    id: str
    at: float
    conversation: Conversation
    author: Person
    message: str
    text: str
    private: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeleted:
    """Messages were taken away, by whomever."""

    track: ClassVar[Track] = "control"
    id: str
    at: float
    conversation: Conversation
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandGiven:
    """A person gave one of the bot's commands, natively or as text."""

    track: ClassVar[Track] = "control"
    id: str
    at: float
    conversation: Conversation
    author: Person
    name: str
    words: str = ""  # what followed the name
    message: str = ""
    answers: str = ""  # the platform's id of the message that it was written below
    private: bool = False
    closed: bool = False
    reply_via: str = field(default="", repr=False)  # expires; never logged


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """A person pressed a button of ours."""

    track: ClassVar[Track] = "control"
    id: str
    at: float
    conversation: Conversation
    author: Person
    action: str
    value: str = ""
    message: str = ""
    private: bool = False
    closed: bool = False
    reply_via: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """A person liked an answer, disliked it, or took that back (0)."""

    track: ClassVar[Track] = "control"
    id: str
    at: float
    conversation: Conversation
    author: Person
    message: str
    value: Literal[-1, 0, 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAsked:
    """A person pressed the platform's own stop button."""

    track: ClassVar[Track] = "control"
    id: str
    at: float
    conversation: Conversation
    author: Person | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """The bot was added to a channel, a server or a group."""

    track: ClassVar[Track] = "control"
    id: str
    at: float
    conversation: Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """The bot was removed, or the place was deleted."""

    track: ClassVar[Track] = "control"
    id: str
    at: float
    conversation: Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A conversation got another name, as when a Telegram group becomes a supergroup."""

    track: ClassVar[Track] = "control"
    id: str
    at: float
    conversation: Conversation
    to: Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """The bot itself has something to say somewhere: an alert, a notice, a person's answer.

    It is stored like everything that happens, so it is said once, however often the bot is killed.
    """

    id: str
    at: float
    conversation: Conversation
    text: str
    buttons: tuple[Button, ...] = ()
    author: Person | None = None  # whom it is for; None: everybody there
    hidden: bool = False  # only that person should see it, where the platform can
    private: bool = False
    message: str = ""  # the message that it answers
    remembered: bool = False  # whether it becomes a line of the conversation
    in_order: bool = False  # behind what waits in its lane, not at once

    @property
    def track(self) -> Track:
        """Say whether it waits for its lane."""
        return "turn" if self.in_order else "control"


Event = (
    MessageReceived | MessageEdited | MessageDeleted | CommandGiven | Pressed
    | Rated | StopAsked | Joined | Left | Moved | Announced
)  # fmt: skip

KINDS: Mapping[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        MessageReceived, MessageEdited, MessageDeleted, CommandGiven, Pressed,
        Rated, StopAsked, Joined, Left, Moved, Announced,
    )
}  # fmt: skip


def audience(event: Event) -> Conversation:
    """Return the place whose people read an event: a channel with its threads, or a closed one."""
    closed = getattr(event, "closed", False)
    return event.conversation if closed else event.conversation.parent


PARTS: Mapping[str, type[Attachment | Button]] = {"attachments": Attachment, "buttons": Button}


def to_plain(event: Event) -> dict[str, Any]:
    """Turn an event into plain dicts, lists and scalars; `from_plain` reads it back."""
    plain: dict[str, Any] = {"kind": type(event).__name__}
    for name in event.__dataclass_fields__:
        value = getattr(event, name)
        if isinstance(value, Conversation):
            plain[name] = str(value)
        elif isinstance(value, Person):
            plain[name] = _fields(value)
        elif name in PARTS:
            plain[name] = [_fields(part) for part in value]
        else:
            plain[name] = value
    return plain


def _fields(value: Person | Attachment | Button) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def _person(plain: Mapping[str, Any] | None) -> Person | None:
    return Person(**{**plain, "roles": tuple(plain["roles"])}) if plain else None


def from_plain(plain: Mapping[str, Any]) -> Event:
    """Read an event back; unknown fields of a newer version are ignored.

    Raises:
        KeyError: the kind is not known, or a field is missing.
    """
    kind = KINDS[plain["kind"]]
    values = {f.name: plain[f.name] for f in fields(kind) if f.name in plain}
    for name in ("conversation", "to"):
        if name in values:
            values[name] = Conversation.parse(values[name])
    for name in {"author", "asker"} & values.keys():
        values[name] = _person(values[name])
    for name, part in PARTS.items():
        if name in values:  # an older version stored the names of attachments alone
            values[name] = tuple(
                part(**one) if isinstance(one, Mapping) else Attachment(name=one)
                for one in values[name]
            )
    if "messages" in values:
        values["messages"] = tuple(values["messages"])
    if values.get("before"):
        values["before"] = tuple((message, text) for message, text in values["before"])
    else:
        values.pop("before", None)
    return kind(**values)
