"""An update of the Bot API → an event: pure, and unmoved by whatever an update contains.

It reads the JSON as it came; no SDK object is built for it. What the bot knowingly does not read
(channel posts, business and guest messages, polls, payments) is not asked for (`ALLOWED`) and gives
None when it comes all the same.
"""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Literal

from adapters.telegram.words import (
    Me,
    Plain,
    answered,
    answers_us,
    cut,
    files,
    named,
    original,
    quoted,
    without_mention,
    words,
)
from bot.domain.conversation import Conversation, Person
from bot.domain.events import (
    CommandGiven,
    Event,
    Joined,
    Left,
    MessageEdited,
    MessageReceived,
    Moved,
    Pressed,
    Rated,
    StopAsked,
)
from bot.domain.text import storable

log = logging.getLogger(__name__)

GENERAL = 1  # the topic that is the forum itself
MEMBER = ("creator", "administrator", "member")
_COMMAND = re.compile(r"/([a-z0-9_]{1,32})(?:@(\w+))?(?:\s+|$)", re.IGNORECASE | re.ASCII)


def read(update: Plain, me: Me) -> Event | None:
    """Translate an update; None when it does not concern a bot like ours. Never raises."""
    try:
        for kind, reader in READERS.items():
            if kind in update:
                return reader(update[kind], me, f"telegram:{me.id}:{int(update['update_id'])}")
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        log.warning("telegram: an update could not be read: %s", type(error).__name__)
    return None


def _message(message: Plain, me: Me, id: str) -> Event | None:
    author, place, at = _author(message), _place(message), float(message["date"])
    if author.user == str(me.id):
        return None
    if "migrate_to_chat_id" in message:  # its twin, `migrate_from_chat_id`, is not needed
        to = Conversation(platform="telegram", channel=str(int(message["migrate_to_chat_id"])))
        return Moved(id=id, at=at, conversation=place, to=to)
    text, attached = words(message), files(message)
    if not text and not attached:
        return None
    private, forwarded = message["chat"]["type"] == "private", "forward_origin" in message
    command = None if forwarded else _COMMAND.match(text)
    name = _known(command, me) if command else ""
    dropped = name == "learn" and bool(attached)  # the files are what matters: no command has any
    if name and command and not dropped:
        return CommandGiven(
            id=id, at=at, conversation=place, author=author, name=name, private=private,
            words="" if command[1].lower() == "start" else text[command.end() :].strip(),
            message=_id(message), answers=answered(message),
        )  # fmt: skip
    mentioned, text = without_mention(message, text, me)
    addressed = private or mentioned or dropped or answers_us(message, me)
    if command and (not addressed or _for_another(command, me)):
        return None
    theirs, said_by = quoted(message, me)
    if forwarded:
        theirs, said_by, text = cut(text), original(message["forward_origin"]), ""
    if said_by == named({"id": me.id}):  # the bot's own words count as theirs who quotes them
        said_by = str(author)
    return MessageReceived(
        id=id, at=at, conversation=place, author=author, addressed=addressed, private=private,
        text=text, message=_id(message), quoted=theirs, quoted_by=said_by if theirs else "",
        answers=answered(message), attachments=attached,
        album=storable(str(message.get("media_group_id") or "")),
    )  # fmt: skip


def _edited(message: Plain, me: Me, id: str) -> Event | None:
    author, text = _author(message), words(message)
    if author.user == str(me.id) or not text:
        return None
    return MessageEdited(
        id=id, at=float(message.get("edit_date") or message["date"]), author=author,
        conversation=_place(message), message=_id(message),
        text=without_mention(message, text, me)[1], private=message["chat"]["type"] == "private",
    )  # fmt: skip


def _pressed(query: Plain, _me: Me, id: str) -> Event | None:
    message, data = query.get("message"), query.get("data")
    if not message or not data:  # a button below an inline result, or a game: not ours
        return None
    action, _, value = storable(data).partition(":")
    return Pressed(
        id=id, at=float(message["date"]), conversation=_place(message), author=_author(query),
        action=action, value=value, message=_id(message),
        private=message["chat"]["type"] == "private",
    )  # fmt: skip


def _rated(change: Plain, _me: Me, id: str) -> Event | None:
    new, old = _thumb(change["new_reaction"]), _thumb(change["old_reaction"])
    if new == old:
        return None
    return Rated(
        id=id, at=float(change["date"]), conversation=_place(change), author=_author(change),
        message=_id(change), value=new,
    )  # fmt: skip


def _membership(change: Plain, _me: Me, id: str) -> Event | None:
    was, is_in = _inside(change["old_chat_member"]), _inside(change["new_chat_member"])
    kind, place = change["chat"]["type"], _place(change)
    if was == is_in or kind == "channel":
        return None
    if not is_in:
        return Left(id=id, at=float(change["date"]), conversation=place)
    # A private chat that is opened again says so by its first message.
    return (
        None if kind == "private" else Joined(id=id, at=float(change["date"]), conversation=place)
    )


def _stopped(stop: Plain, _me: Me, id: str) -> Event | None:
    topic = {"is_topic_message": True, "message_thread_id": stop.get("message_thread_id")}
    return StopAsked(
        id=id, at=float(stop.get("date", 0)), conversation=_place({"chat": stop["chat"], **topic})
    )


READERS: Mapping[str, Callable[[Plain, Me, str], Event | None]] = {
    "message": _message,
    "edited_message": _edited,
    "callback_query": _pressed,
    "message_reaction": _rated,
    "my_chat_member": _membership,
    "stopped_message_generation": _stopped,
}
ALLOWED = tuple(READERS)


def _place(message: Plain) -> Conversation:
    topic = message.get("message_thread_id") if message.get("is_topic_message") else None
    return Conversation(
        platform="telegram",
        channel=str(int(message["chat"]["id"])),
        thread=str(int(topic)) if topic and topic != GENERAL else "",
    )


def _id(message: Plain) -> str:
    return str(int(message["message_id"]))


def _author(message: Plain) -> Person:
    """Read who acted; a chat acts where an administrator is anonymous or a channel speaks."""
    chat = message.get("sender_chat") or message.get("actor_chat")
    if chat:
        anonymous = chat["id"] == message["chat"]["id"]
        return _person(chat, bot=False, roles=("administrator",) if anonymous else ())
    user = message.get("from") or message["user"]
    return _person(user, bot=user.get("is_bot") is True)


def _person(who: Plain, *, bot: bool, roles: tuple[str, ...] = ()) -> Person:
    names = (who.get("title"), who.get("first_name"), who.get("last_name"))
    name = " ".join(name for name in names if name) or who.get("username") or ""
    return Person(
        platform="telegram", user=str(int(who["id"])), name=storable(name), bot=bot, roles=roles
    )


def _known(command: re.Match[str], me: Me) -> str:
    """Return the name of the bot's own command, empty if it is somebody else's or unknown."""
    name = command[1].lower()
    if _for_another(command, me):
        return ""
    if name == "start":  # what Telegram's start button says
        return "help"
    return name if me.commands is None else me.commands.get(name, "")


def _for_another(command: re.Match[str], me: Me) -> bool:
    return command[2] is not None and command[2].lower() != me.username.lower()


def _thumb(reactions: list[Plain]) -> Literal[-1, 0, 1]:
    for reaction in reversed(reactions):
        if reaction.get("emoji") == "👍":
            return 1
        if reaction.get("emoji") == "👎":
            return -1
    return 0


def _inside(member: Plain) -> bool:
    status = member["status"]
    return status in MEMBER or (status == "restricted" and member.get("is_member") is True)
