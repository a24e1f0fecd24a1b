"""The fake platforms as a stage uses them: rooms by number, and what people see in them.

A room is a private chat unless other kinds are asked for; then rooms take turns: a private chat, a
group, a thread, and so on. In company people name the bot each time.
"""

import time
from collections.abc import Callable, Sequence

from bot.app import platforms
from tests.fakes.discord import TEXT, FakeDiscord
from tests.fakes.script import Delay
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_api import BOT_USER
from tests.fakes.telegram import FakeTelegram

PRIVATE: Sequence[str] = ("private",)
MIXED: Sequence[str] = ("private", "group", "thread")


def taken(kinds: Sequence[str], room: int) -> str:
    """Return the kind of a room."""
    return kinds[room % len(kinds)]


class TelegramStage:
    """Private chats with ids from 1001; groups and forums with ids from -1001 downwards."""

    def __init__(self, kinds: Sequence[str] = PRIVATE) -> None:
        self.fake = FakeTelegram()
        self.kinds = kinds

    def settings(self):
        return f'base_url = "{self.fake.base_url}"\nbase_file_url = "{self.fake.base_file_url}"'

    def open(self, rooms):
        """Telegram's chats need no preparation."""

    def say(self, room, text):
        kind, person, date = taken(self.kinds, room), 1001 + room, int(time.time())
        if kind == "private":
            self.fake.say(text, chat=person, person=person, date=date)
        else:
            topic = 7 if kind == "thread" else None
            self.fake.say(f"@parley_bot {text}", chat=-person, person=person, private=False,
                          thread=topic, date=date)  # fmt: skip

    def connected(self):
        return bool(self.fake.called("getUpdates"))

    def connections(self):
        """How often a bot has begun to listen; on Telegram, every poll."""
        return self.fake.updates._poll

    def shown(self, room):
        kind, person = taken(self.kinds, room), 1001 + room
        chat = person if kind == "private" else -person
        return [message.source for message in self.fake.shown(chat)]

    def heard(self, accepted: Callable[[], None]) -> None:
        """Call `accepted` whenever a new message of the bot has appeared, before it hears so."""
        chats, show = self.fake.chats, self.fake.chats._show

        def watched(place, message):
            new = message.id not in place.shown
            answer = show(place, message)
            if new:
                accepted()
            return answer

        chats._show = watched

    def delay_posts(self, seconds):
        """Let the next post appear late."""
        self.fake.script.on("sendRichMessage", Delay(seconds))


class SlackStage:
    """Direct messages D0, D1, …; threads in channels C0, C1, …"""

    def __init__(self, kinds: Sequence[str] = PRIVATE) -> None:
        self.fake = FakeSlack(ack_timeout=3.0, retries=10, echo=False)
        self.kinds = kinds
        self._roots: dict[int, str] = {}  # of threads, by room

    def settings(self):
        return f'base_url = "{self.fake.base_url}"'

    def open(self, rooms):
        """Slack's channels need no preparation."""

    def say(self, room, text):
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        if taken(self.kinds, room) == "private":
            self.fake.say(text, channel=f"D{room}", user=f"U{room}")
            return
        root = self._roots.get(room)
        ts = self.fake.say(f"<@{BOT_USER}> {text}", f"C{room}", f"U{room}", root)
        self._roots.setdefault(room, ts)

    def connected(self):
        return bool(self.fake.sockets)

    def connections(self):
        """How often a bot has begun to listen."""
        return self.fake.connections

    def shown(self, room):
        private = taken(self.kinds, room) == "private"
        return [text for _, text in self.fake.shown(f"D{room}" if private else f"C{room}")]

    def heard(self, accepted: Callable[[], None]) -> None:
        """Call `accepted` whenever a new message of the bot has appeared, before it hears so."""
        workspace, keep = self.fake.workspace, self.fake.workspace.keep

        def watched(channel, message):
            kept = keep(channel, message)
            if message.get("bot_id"):
                accepted()
            return kept

        workspace.keep = watched

    def delay_posts(self, seconds):
        """Let the next post appear late, even if nobody waits for it any more."""
        self.fake.script.on("chat.postMessage", Delay(seconds))
        self.fake.script.on("chat.startStream", Delay(seconds))


class DiscordStage:
    """Direct messages of users from 600; channels from 93000 and threads from 94000."""

    def __init__(self, kinds: Sequence[str] = PRIVATE) -> None:
        self.fake = FakeDiscord()
        self.kinds = kinds

    def settings(self):
        return f'api_base_url = "{self.fake.api_base_url}"\ngateway_url = "{self.fake.gateway_url}"'

    def open(self, rooms):
        """Make the channels, so that a bot hears of them when it connects."""
        for room in rooms:
            channel, kind = self._channel(room), taken(self.kinds, room)
            place = {"id": channel, "name": f"room{room}"}
            if kind == "group":
                self.fake.channels.setdefault(channel, place | {"type": 0})
            elif kind == "thread":
                self.fake.channels.setdefault(channel, place | {"type": 11, "parent_id": TEXT})

    def say(self, room, text):
        kind, user = taken(self.kinds, room), str(600 + room)
        company = kind != "private"
        self.fake.say(text, channel=self._channel(room), user=user, mention=company)

    def connected(self):
        return bool(self.fake.gateway.session)

    def connections(self):
        """How often a bot has begun to listen."""
        return len(self.fake.gateway.identifies) + self.fake.gateway.resumes

    def shown(self, room):
        return self.fake.shown(self._channel(room))

    def heard(self, accepted: Callable[[], None]) -> None:
        """Call `accepted` whenever a new message of the bot has appeared, before it hears so."""
        keep = self.fake.keep

        def watched(message):
            keep(message)
            if message["author"]["bot"]:
                accepted()

        self.fake.keep = watched

    def delay_posts(self, seconds):
        """Let the next post appear late, even if nobody waits for it any more."""
        self.fake.script.on("POST /channels/#/messages", Delay(seconds))

    def _channel(self, room):
        kind = taken(self.kinds, room)
        if kind == "private":
            return self.fake.direct(str(600 + room))
        return str((93000 if kind == "group" else 94000) + room)


STAGES = {"telegram": TelegramStage, "slack": SlackStage, "discord": DiscordStage}


def text_limit(platform: str) -> int:
    """Return how many characters the platform takes in one message, as its adapter declares."""
    return platforms()[platform].abilities.text_limit
