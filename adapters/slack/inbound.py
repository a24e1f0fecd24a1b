"""Slack payloads as events: pure, and never raising, whatever Slack may send.

Three kinds of payload arrive: Events API callbacks, slash commands and presses of buttons
(https://docs.slack.dev/reference/events). What the bot has no use for becomes None; it is
acknowledged all the same.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from adapters.slack import commands, enclosed, markup
from adapters.slack.payloads import (
    Account,
    Payload,
    Reading,
    is_private,
    read,
    seconds,
    table,
    tables,
    text,
)
from bot.domain.conversation import Conversation
from bot.domain.events import (
    CommandGiven,
    Event,
    Joined,
    Left,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    Pressed,
    Rated,
    StopAsked,
)

_WRITTEN = {"", "bot_message", "file_share", "me_message", "thread_broadcast"}
_VALUES: Mapping[str, Literal[-1, 1]] = {"+1": 1, "thumbsup": 1, "-1": -1, "thumbsdown": -1}


def convert(payload: Payload, account: Account, *, at: float) -> Event | None:
    """Turn the body of one request from Slack into an event; None when we have no use for it.

    Args:
        payload: parsed JSON or form fields.
        account: who we are.
        at: when it arrived, in seconds since 1970, for the payloads that do not say.
    """
    if "event" in payload:
        reading = read(payload, account)
        convert_event = _EVENTS.get(text(reading.event, "type"))
        return convert_event(reading) if convert_event else None
    if "command" in payload:
        return _command(read(payload, account), at)
    if payload.get("type") == "block_actions":
        return _pressed(read(payload, account), at)
    return None


def _message(reading: Reading) -> Event | None:
    subtype = text(reading.event, "subtype")
    if subtype == "message_changed":
        return _edited(reading)
    if subtype == "message_deleted":
        before = table(reading.event, "previous_message")
        return _deleted(reading, before, text(reading.event, "deleted_ts") or text(before, "ts"))
    return _received(reading) if subtype in _WRITTEN else None


def _received(reading: Reading) -> MessageReceived | None:
    event = reading.event
    channel, ts, author = text(event, "channel"), text(event, "ts"), reading.author(event)
    if not (channel and ts and author) or reading.ours(event):
        return None
    private = is_private(channel)
    quoted, quoted_by = enclosed.quoted(reading, author)
    return MessageReceived(
        id=reading.id(channel, ts),
        at=seconds(ts),
        conversation=reading.place(channel, ts, text(event, "thread_ts")),
        author=author,
        text=reading.words(event),
        message=ts,
        addressed=private or markup.mentions(text(event, "text"), reading.users),
        private=private,
        quoted=quoted,
        quoted_by=quoted_by,
        attachments=enclosed.files(event),
    )


def _edited(reading: Reading) -> MessageEdited | MessageDeleted | None:
    event, message = reading.event, table(reading.event, "message")
    channel, ts, author = text(event, "channel"), text(message, "ts"), reading.author(message)
    if text(message, "subtype") == "tombstone":  # a deleted message whose thread goes on
        return _deleted(reading, message, ts)
    if not (channel and ts and author) or reading.ours(message):
        return None
    if text(message, "text") == text(table(event, "previous_message"), "text"):
        return None  # a link was unfurled, a reply was counted
    changed = text(table(message, "edited"), "ts") or text(event, "event_ts")
    return MessageEdited(
        id=reading.id(channel, ts, "edited", changed),
        at=seconds(changed),
        conversation=reading.place(channel, ts, text(message, "thread_ts")),
        author=author,
        message=ts,
        text=reading.words(message),
        private=is_private(channel),
    )


def _deleted(reading: Reading, message: Payload, ts: str) -> MessageDeleted | None:
    channel = text(reading.event, "channel")
    if not (channel and ts):
        return None
    return MessageDeleted(
        id=reading.id(channel, ts, "deleted"),
        at=seconds(text(reading.event, "event_ts")),
        conversation=reading.place(channel, ts, text(message, "thread_ts")),
        messages=(ts,),
    )


def _rated(reading: Reading) -> Rated | None:
    event, item = reading.event, table(reading.event, "item")
    channel, ts, user = text(item, "channel"), text(item, "ts"), text(event, "user")
    value = _VALUES.get(text(event, "reaction").partition("::")[0])  # in any colour of skin
    if value is None or not (channel and ts and user) or user in reading.users:
        return None
    if text(event, "item_user") not in {"", *reading.users}:
        return None
    stamp = text(event, "event_ts")
    return Rated(
        id=reading.id(channel, ts, user, text(event, "reaction"), text(event, "type"), stamp),
        at=seconds(stamp),
        conversation=reading.place(channel),
        author=reading.person(user),
        message=ts,
        value=value if text(event, "type") == "reaction_added" else 0,
    )


def _joined(reading: Reading) -> Joined | None:
    if text(reading.event, "user") not in reading.users:
        return None
    id, at, conversation = _presence(reading)
    return Joined(id=id, at=at, conversation=conversation)


def _left(reading: Reading) -> Left:
    id, at, conversation = _presence(reading)
    return Left(id=id, at=at, conversation=conversation)


def _member_left(reading: Reading) -> Left | None:
    return _left(reading) if text(reading.event, "user") in reading.users else None


def _revoked(reading: Reading) -> Left | None:
    return _left(reading) if table(reading.event, "tokens").get("bot") else None


def _presence(reading: Reading) -> tuple[str, float, Conversation]:
    channel, stamp = text(reading.event, "channel"), text(reading.event, "event_ts")
    id = reading.id(channel, text(reading.event, "type"), stamp)
    told = reading.payload.get("event_time")  # all that is said of a whole workspace
    at = seconds(stamp) or (float(told) if isinstance(told, int) else 0.0)
    return id, at, reading.place(channel)


def _stopped(reading: Reading) -> StopAsked | None:
    event = reading.event
    channel, thread, user = text(event, "channel"), text(event, "thread_ts"), text(event, "user")
    if not channel:
        return None
    return StopAsked(
        id=reading.id(channel, thread, "stopped", text(event, "event_ts")),
        at=seconds(text(event, "event_ts")),
        conversation=reading.place(channel, thread=thread),
        author=reading.person(user) if user else None,
    )


def _command(reading: Reading, at: float) -> CommandGiven | None:
    payload = reading.payload
    channel, user = text(payload, "channel_id"), text(payload, "user_id")
    if not (channel and user):
        return None
    words = markup.plain(text(payload, "text"), ids=True)
    name, words = commands.parse(text(payload, "command"), words)
    return CommandGiven(
        id=reading.id(channel, user, "command", text(payload, "trigger_id") or str(at)),
        at=at,
        conversation=reading.place(channel, thread=text(payload, "thread_ts")),
        author=reading.person(user, team=text(payload, "team_id"), name=text(payload, "user_name")),
        name=name,
        words=words,
        private=is_private(channel),
        reply_via=text(payload, "response_url"),
    )


def _pressed(reading: Reading, at: float) -> Pressed | None:
    payload, container = reading.payload, table(reading.payload, "container")
    person, action = table(payload, "user"), next(tables(payload, "actions"), {})
    channel = text(table(payload, "channel"), "id") or text(container, "channel_id")
    user, pressed = text(person, "id"), markup.action(text(action, "action_id"))
    if not (channel and user and pressed):
        return None
    message = text(container, "message_ts") or text(table(payload, "message"), "ts")
    thread = text(container, "thread_ts") or text(table(payload, "message"), "thread_ts")
    stamp = text(action, "action_ts")
    return Pressed(
        id=reading.id(channel, user, pressed, text(payload, "trigger_id") or stamp),
        at=seconds(stamp) or at,
        conversation=reading.place(channel, message, thread),
        author=reading.person(
            user,
            team=text(person, "team_id"),
            name=text(person, "name") or text(person, "username"),
        ),
        action=pressed,
        value=text(action, "value") or text(table(action, "selected_option"), "value"),
        message=message,
        private=is_private(channel),
        reply_via=text(payload, "response_url"),
    )


_EVENTS: Mapping[str, Callable[[Reading], Event | None]] = {
    "message": _message,
    "app_mention": _message,
    "reaction_added": _rated,
    "reaction_removed": _rated,
    "member_joined_channel": _joined,
    "member_left_channel": _member_left,
    "channel_deleted": _left,
    "channel_left": _left,
    "group_deleted": _left,
    "group_left": _left,
    "app_uninstalled": _left,
    "tokens_revoked": _revoked,
    "agent_session_stopped": _stopped,
}
