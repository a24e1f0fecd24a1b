"""What a fake Discord holds: places, people, messages, and what people do with them."""

import time
from collections.abc import Callable
from typing import Any

TOKEN = "NDI0Mg.fake.token"
ME = "4242"
GUILD, ROLE = "9000", "9001"  # the server and the bot's own role there
TEXT, OTHER, FORUM, POST, THREAD = "9100", "9101", "9200", "9210", "9110"
EPOCH_MS = 1_420_070_400_000

Payload = dict[str, Any]
IN_THREAD: Payload = {  # what every thread says of itself
    "owner_id": "501", "message_count": 0, "member_count": 1,
    "thread_metadata": {"archived": False, "auto_archive_duration": 4320, "locked": False,
                        "archive_timestamp": "2026-11-22T00:00:00+00:00"},
}  # fmt: skip


def person(user: str, *, bot: bool = False) -> Payload:
    """Return a user object; the bot's own for `ME`."""
    name = "parley" if user == ME else f"user{user}"
    return {"id": user, "username": name, "discriminator": "0", "global_name": name.title(),
            "avatar": None, "bot": bot or user == ME}  # fmt: skip


class World:
    """One server with a text channel, a thread in it, a forum with a post; and direct messages."""

    def __init__(self) -> None:
        self.history: dict[str, list[Payload]] = {}  # messages by channel, oldest first
        self.channels: dict[str, Payload] = {
            TEXT: {"id": TEXT, "type": 0, "name": "general"},
            OTHER: {"id": OTHER, "type": 0, "name": "other"},
            FORUM: {"id": FORUM, "type": 15, "name": "questions"},
            POST: {"id": POST, "type": 11, "name": "a post", "parent_id": FORUM},
            THREAD: {"id": THREAD, "type": 11, "name": "a thread", "parent_id": TEXT},
        }
        self.members: dict[str, Payload] = {}  # by user id: `roles`, `nick`
        self.archived: list[Payload] = []  # threads that GUILD_CREATE does not list
        self.forbidden: set[str] = set()  # channels that the bot may not see
        self.failing: set[str] = set()  # channels whose calls are answered by 503
        self.overwrites: dict[str, list[Payload]] = {}  # permissions, by channel
        self.everyone = 1 << 10  # what everybody may do: see channels
        self.commands: list[Payload] = []
        self.whispers: dict[str, list[Payload]] = {}  # answers to an interaction, by its token
        self.nonce_window = 300.0  # seconds
        self.in_guild = True
        self.joined_at = "2026-01-01T00:00:00+00:00"
        self.in_order = True  # False: an outage, and GUILD_CREATE does not follow READY
        self.content_intent = True  # as switched on in the developer portal
        self.silent = False  # during an outage the gateway tells nothing of the server
        self.port = 0
        self.dispatch: Callable[[str, Payload], None] = lambda name, data: None
        self._last_id = 0

    @property
    def api_base_url(self) -> str:
        """What `adapters.discord.api_base_url` is set to."""
        return f"http://127.0.0.1:{self.port}/api/v10"

    @property
    def gateway_url(self) -> str:
        """What `adapters.discord.gateway_url` is set to."""
        return f"ws://127.0.0.1:{self.port}/gateway"

    # What people do

    def say(self, text: str, *, channel: str = "", user: str = "501", reply_to: str = "",
            mention: bool = False, **more: Any) -> str:  # fmt: skip
        """Let somebody write; without a channel it is a direct message. Returns the message id."""
        place = channel or self.direct(user)
        mentions = [person(ME)] if mention else []
        message = self.message(place, f"<@{ME}> {text}" if mention else text, person(user),
                               mentions=mentions, **more)  # fmt: skip
        if reply_to:
            message["type"] = 19
            message["message_reference"] = {"message_id": reply_to, "channel_id": place}
            message["referenced_message"] = self.find(place, reply_to)
        self.keep(message)
        return str(message["id"])

    def open_channel(self, channel: str, **more: Any) -> None:
        """Make a channel, or with `type` 11 and `parent_id` a thread."""
        self.channels[channel] = {"id": channel, "type": 0, "name": channel, **more}
        kind = "THREAD" if self.channels[channel]["type"] == 11 else "CHANNEL"
        self.dispatch(f"{kind}_CREATE", {**self.channels[channel], "guild_id": GUILD})

    def close_channel(self, channel: str) -> None:
        """Delete a channel or a thread."""
        gone = self.channels.pop(channel)
        kind = "THREAD" if gone["type"] == 11 else "CHANNEL"
        self.dispatch(f"{kind}_DELETE", {**gone, "guild_id": GUILD})

    def edit(self, message_id: str, text: str) -> None:
        """Let the author change a message."""
        message = next(m for ms in self.history.values() for m in ms if m["id"] == message_id)
        message.update(content=text, edited_timestamp="2026-11-22T12:00:00.5+00:00")
        self.dispatch("MESSAGE_UPDATE", self.seen_on_gateway(message))

    def unfurl(self, message_id: str) -> None:
        """Update a message as Discord does when it has looked at a link in it."""
        message = next(m for ms in self.history.values() for m in ms if m["id"] == message_id)
        self.dispatch("MESSAGE_UPDATE", self.seen_on_gateway(message))

    def delete(self, channel: str, *message_ids: str) -> None:
        """Take messages away, several at once as a moderator's bulk deletion."""
        kept = [m for m in self.history.get(channel, []) if m["id"] not in message_ids]
        self.history[channel] = kept
        payload: Payload = {"channel_id": channel, **self._server(channel)}
        if len(message_ids) == 1:
            self.dispatch("MESSAGE_DELETE", {"id": message_ids[0], **payload})
        else:
            self.dispatch("MESSAGE_DELETE_BULK", {"ids": list(message_ids), **payload})

    def react(self, channel: str, message_id: str, emoji: str, *, user: str = "501",
              remove: bool = False) -> None:  # fmt: skip
        """Add a reaction, or take it back."""
        payload = {"user_id": user, "channel_id": channel, "message_id": message_id,
                   "emoji": {"id": None, "name": emoji}, "burst": False, "type": 0,
                   **self._server(channel)}  # fmt: skip
        if not remove:
            payload["message_author_id"] = ME
        kind = "REMOVE" if remove else "ADD"
        self.dispatch(f"MESSAGE_REACTION_{kind}", payload)

    def interact(self, name: str, /, *, channel: str = TEXT, user: str = "501",
                 **options: str) -> str:  # fmt: skip
        """Give an application command; returns the interaction's token."""
        chosen = [{"name": n, "type": 3, "value": value} for n, value in options.items()]
        return self._interaction(2, {"id": "1", "name": name, "type": 1, "options": chosen},
                                 channel, user)  # fmt: skip

    def press(self, custom_id: str, message: Payload, *, user: str = "501") -> str:
        """Press a button of a message; returns the interaction's token."""
        data = {"custom_id": custom_id, "component_type": 2}
        return self._interaction(3, data, message["channel_id"], user, message=message)

    # What can be looked at

    def shown(self, channel: str) -> list[str]:
        """Return the texts of the bot's messages that are visible in a channel now."""
        messages = self.history.get(channel, [])
        return [m["content"] for m in messages if m["author"]["id"] == ME]

    def buttons(self, message: Payload) -> list[Payload]:
        """Return the buttons below a message."""
        return [button for row in message["components"] for button in row["components"]]

    # The bookkeeping, which the two halves of the server use

    def new_id(self) -> str:
        """Return a fresh snowflake of the present."""
        now = (int(time.time() * 1000) - EPOCH_MS) << 22
        self._last_id = max(now, self._last_id + 1)
        return str(self._last_id)

    def direct(self, user: str) -> str:
        """Return the channel of somebody's direct messages."""
        channel = f"7{user}"
        self.channels.setdefault(channel, {"id": channel, "type": 1})
        return channel

    def message(self, channel: str, text: str, author: Payload, **more: Any) -> Payload:
        """Make a message object as REST returns it."""
        return {"id": self.new_id(), "channel_id": channel, "author": author, "content": text,
                "timestamp": "2026-11-22T00:00:00+00:00", "edited_timestamp": None, "tts": False,
                "mention_everyone": False, "mentions": [], "mention_roles": [], "attachments": [],
                "embeds": [], "pinned": False, "type": 0, "flags": 0, "components": [],
                **more}  # fmt: skip

    def keep(self, message: Payload) -> None:
        """Add a message to its channel and tell the gateway, unless the server has an outage."""
        self.history.setdefault(message["channel_id"], []).append(message)
        channel = self.channels[message["channel_id"]]
        parent = self.channels.get(channel.get("parent_id", ""), channel)
        if parent["type"] == 15:  # it tells the newest post, whose id is that of its first message
            parent["last_message_id"] = message["id"]
        channel["last_message_id"] = message["id"]
        if self.silent and self._server(message["channel_id"]):
            return
        self.dispatch("MESSAGE_CREATE", self.seen_on_gateway(message))

    def seen_on_gateway(self, message: Payload) -> Payload:
        """Add what only the gateway sends: server, member, channel type."""
        channel = message["channel_id"]
        server = self._server(channel)
        if not server:
            return {**message, "channel_type": 1}
        member = {"roles": [], "nick": None, **self.members.get(message["author"]["id"], {})}
        return {**message, **server, "member": member}

    def find(self, channel: str, message_id: str) -> Payload | None:
        """Return a message that is there."""
        messages = self.history.get(channel, [])
        return next((m for m in messages if m["id"] == message_id), None)

    def guild(self) -> Payload:
        """Return the server as GUILD_CREATE shows it."""
        places = [
            {**c, "permission_overwrites": self.overwrites.get(c["id"], [])}
            for c in self.channels.values() if c["type"] != 1 and c not in self.archived
        ]  # fmt: skip
        everyone = {"id": GUILD, "name": "@everyone", "permissions": str(self.everyone)}
        role = {"id": ROLE, "name": "parley", "permissions": "0", "tags": {"bot_id": ME}}
        member = {"user": person(ME), "roles": [ROLE], "flags": 0, "joined_at": self.joined_at}
        return {"id": GUILD, "name": "a server", "owner_id": "1", "member_count": 3,
                "roles": [everyone, role],
                "emojis": [], "features": [], "members": [member],
                "joined_at": self.joined_at, "system_channel_id": TEXT,
                "channels": [{"position": n, **c} for n, c in enumerate(places)
                             if c["type"] != 11],
                "threads": [{**IN_THREAD, **c} for c in places if c["type"] == 11],
                }  # fmt: skip

    def _server(self, channel: str) -> Payload:
        return {} if self.channels[channel]["type"] == 1 else {"guild_id": GUILD}

    def _interaction(self, kind: int, data: Payload, channel: str, user: str,
                     **more: Any) -> str:  # fmt: skip
        id_ = self.new_id()
        token = f"itoken-{id_}"
        self.whispers[token] = []
        who: Payload = {"user": person(user)}
        if self._server(channel):
            who = {"member": {"user": person(user), "permissions": "0", "roles": [],
                              **self.members.get(user, {})}}  # fmt: skip
        self.dispatch("INTERACTION_CREATE", {
            "id": id_, "application_id": ME, "type": kind, "data": data, "token": token,
            "version": 1, "channel_id": channel, "channel": self.channels[channel],
            **self._server(channel), **who, **more})  # fmt: skip
        return token
