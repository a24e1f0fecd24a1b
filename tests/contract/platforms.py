"""The platforms that the contract suite drives: one class each, and one line in `PLATFORMS`.

A driver plays the people of a platform, looks at what they see, and breaks what can be broken. It
builds its adapter through the descriptor, as the application does. `Driver` says what a driver has;
what a platform cannot do stands in `cannot`, with the reason, and is skipped by the suite.
"""

import asyncio
import io
import json
import os
import re
import sys
import threading
from collections.abc import Mapping
from typing import Any, Protocol

from adapters.console.descriptor import DESCRIPTOR as CONSOLE
from adapters.console.settings import ConsoleSettings
from adapters.discord.descriptor import DESCRIPTOR as DISCORD
from adapters.discord.settings import DiscordSettings
from adapters.slack.descriptor import DESCRIPTOR as SLACK
from adapters.slack.settings import SlackSettings
from adapters.telegram.descriptor import DESCRIPTOR as TELEGRAM
from adapters.telegram.settings import TelegramSettings
from bot.domain.commands import Catalogue
from bot.domain.conversation import Conversation
from bot.domain.events import (
    CommandGiven,
    Joined,
    Left,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    Moved,
    Pressed,
    Rated,
    StopAsked,
)
from bot.ports.platform import Descriptor
from tests.fakes import discord, slack, slack_api, telegram
from tests.fakes.discord import FakeDiscord
from tests.fakes.script import Refuse
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram


class Driver(Protocol):
    """What the suite asks of a platform; `place` is "private", "group" or "thread"."""

    descriptor: Descriptor
    cannot: Mapping[str, str]  # what this platform cannot do → why
    secrets: Mapping[str, str]  # variable → value
    fake: Any  # an async context manager with `script` and `calls`
    marks: "Marks"
    hello: str  # the method that tells who the bot is, asked before everything else
    refusal: Refuse  # its answer to a wrong token
    post: str  # the method that first shows an answer
    edit: str  # the method that changes it
    markup: tuple[str, int, str]  # method, refusals and error that leave nothing but plain text
    ends: str  # the method that makes a shown text final, where there is one of its own
    placeholder: str  # what may be left behind by a post of unknown fate
    bait: str  # words that would ping somebody if they were not made harmless

    def settings(self) -> Any:
        """Return the settings that lead to the fake."""
        ...

    def connections(self) -> int:
        """Return how often somebody began to listen."""
        ...

    def say(self, text: str, place: str = "private", *, mention: bool = False, answering: str = "",
            bot: bool = False) -> None:  # fmt: skip
        """Let a person write, or another bot; `answering` is the id of a message of ours."""
        ...

    def echo(self, text: str, place: str) -> None:
        """Send our own message back to us, as platforms do."""
        ...

    def redeliver(self) -> None:
        """Send the last message once more."""
        ...

    def acknowledged(self) -> int:
        """Return how many messages the platform will not send again."""
        ...

    def commotion(self) -> set[type]:
        """Let everything happen that the adapter knows; returns the kinds of events."""
        ...

    def command(self, name: str, words: str = "") -> None:
        """Give a command in a group the way the platform offers, in private without groups."""
        ...

    def told(self) -> list[str]:
        """Return what the person who gave the last command was answered."""
        ...

    def published(self, catalogue: Catalogue) -> list[str]:
        """Return the names of the commands that the platform shows."""
        ...

    def visible(self, conversation: Conversation) -> list[str]:
        """Return the texts of our messages in a place, as people see them now."""
        ...

    def below(self, conversation: Conversation) -> list[dict[str, Any]]:
        """Return, for each of our messages in a place, its buttons by their labels."""
        ...

    def press(self, conversation: Conversation, label: str) -> None:
        """Let the person who wrote press the newest button with this label."""
        ...

    def whispered(self) -> list[str]:
        """Return what the person who wrote sees and nobody else does."""
        ...

    def close(self, conversation: Conversation) -> None:
        """Close a place to the bot."""
        ...

    def pings(self) -> list[Any]:
        """Return the recorded calls that would have pinged somebody."""
        ...


def newest(label, messages):
    """Return the newest button with a label: the position of its message, and what it is."""
    found = [(at, buttons[label]) for at, buttons in enumerate(messages) if label in buttons]
    return found[-1]


class Marks:
    """Keeps marks over restarts of an adapter."""

    def __init__(self):
        self.newest = {}

    async def read(self, platform):
        return dict(self.newest)

    def put(self, platform, channel, message):
        self.newest[channel] = message
        return done()


def done():
    """Return something that may be awaited or not, as the ports allow."""
    future = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future


class Telegram:
    """Private chat 42, a supergroup, and topic 12 of a forum."""

    descriptor = TELEGRAM
    hello, refusal = "getMe", Refuse("Unauthorized", 401)
    post, edit, ends = "sendMessage", "editMessageText", ""
    markup = (edit, 2, "Bad Request: can't parse entities: Unexpected end")
    placeholder = "…"
    bait = "@somebody and [you](tg://user?id=42) and tg://user?id=42"

    def __init__(self):
        self.fake, self.marks = FakeTelegram(), Marks()
        self.cannot = {}
        self.secrets = {"TELEGRAM_BOT_TOKEN": telegram.TOKEN}
        self.places = {"private": (42, None), "group": (-1001, None), "thread": (-1002, 12)}

    def settings(self):
        urls = {"base_url": self.fake.base_url, "base_file_url": self.fake.base_file_url}
        return TelegramSettings(**urls, poll_timeout_s=1)

    def connections(self):
        return len(self.fake.called("getUpdates"))

    def say(self, text, place="private", *, mention=False, answering="", bot=False):
        chat, topic = self.places[place]
        text = f"@{self.fake.me['username']} {text}" if mention else text
        other = {"id": 77, "is_bot": True, "first_name": "Other", "username": "other_bot"}
        self.fake.say(text, chat=chat, private=chat > 0, thread=topic,
                      reply_to=int(answering) if answering else None,
                      **({"from": other} if bot else {}))  # fmt: skip
        self.last = self.fake.updates.waiting[max(self.fake.updates.waiting)]

    def echo(self, text, place):
        chat, topic = self.places[place]
        self.fake.say(text, chat=chat, private=chat > 0, thread=topic, **{"from": self.fake.me})

    def redeliver(self):
        self.fake.push(self.last)  # and it is sent when a poll has ended without news

    def acknowledged(self):
        return len(self.fake.updates.acked)

    def commotion(self):
        fake, group = self.fake, self.fake.chat(-1001, "supergroup").plain()
        asked = fake.say("one")
        fake.edit(42, asked, "two")
        fake.react(42, asked, "👍")
        fake.press(42, asked, "why:1")
        fake.say("/help")
        fake.say("in a topic", chat=-1002, private=False, thread=12)
        fake.say("", chat=-5, kind="group", migrate_to_chat_id=-1001)
        out, member = {"status": "left", "user": fake.me}, {"status": "member", "user": fake.me}
        for old, new in ((out, member), (member, out)):
            fake.push({"my_chat_member": {
                "chat": group, "from": fake.person(42), "date": telegram.DATE,
                "old_chat_member": old, "new_chat_member": new,
            }})  # fmt: skip
        fake.push({"stopped_message_generation": {"chat": fake.chat(42).plain()}})
        return {MessageReceived, MessageEdited, Rated, Pressed, CommandGiven, Moved, Joined, Left,
                StopAsked}  # fmt: skip

    def command(self, name, words=""):
        self.fake.say(f"/{name}@{self.fake.me['username']} {words}", chat=-1001, private=False)

    def told(self):
        return [message.text for message in self.fake.shown(-1001)]

    def published(self, catalogue):
        return [command["command"] for command in self.fake.commands.get("default", ())]

    def visible(self, conversation):
        topic = int(conversation.thread) if conversation.thread else None
        shown = self.fake.shown(int(conversation.channel))
        return [message.text for message in shown if message.thread == topic]

    def below(self, conversation):
        shown = self.fake.shown(int(conversation.channel))
        return [{button["text"]: button for button in message.buttons} for message in shown]

    def press(self, conversation, label):
        at, button = newest(label, self.below(conversation))
        chat = int(conversation.channel)
        self.fake.press(chat, self.fake.shown(chat)[at].id, button["callback_data"])

    def whispered(self):
        return []

    def close(self, conversation):
        self.fake.chats.blocked.add(int(conversation.channel))

    def pings(self):
        shown = [call.args for call in self.fake.calls if call.method in (self.post, self.edit)]
        said = [args.get("text") or args["rich_message"]["html"] for args in shown]
        code = re.compile(r"<(pre|code)\b.*?</\1>", re.DOTALL)  # where nothing is a mention
        ping = re.compile(r"(?<![\w@])@[A-Za-z]\w{3}|\btg:(?=//)")
        return [text for text in said if ping.search(code.sub("", text))]


class Slack:
    """Direct message D1, channel C1, and a thread in it; over a socket."""

    descriptor = SLACK
    hello, refusal = "auth.test", Refuse("invalid_auth")
    post, edit, ends = "chat.postMessage", "chat.update", "chat.stopStream"
    markup = (post, 2, "invalid_blocks")
    placeholder = ""
    bait = "<!channel> <!here> <@U7> <!subteam^S1>"

    def __init__(self):
        self.fake, self.marks = FakeSlack(ack_timeout=0.15, retries=30), Marks()
        self.cannot = {
            "replies": "Slack has threads; that the bot speaks in one is the core's to know"
        }
        self.secrets = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
        thread = "1700000000.000100"
        self.places = {"private": ("D1", ""), "group": ("C1", ""), "thread": ("C1", thread)}

    def settings(self):
        return SlackSettings(settle_s=0.3, base_url=self.fake.base_url)

    def connections(self):
        return self.fake.connections

    def say(self, text, place="private", *, mention=False, answering="", bot=False):
        channel, thread = self.places[place]
        text = f"<@{slack.BOT_USER}> {text}" if mention else text
        self.fake.say(text, channel, thread=thread or None, also_mention=mention,
                      **({"bot_id": "B9"} if bot else {}))  # fmt: skip

    def echo(self, text, place):
        channel, thread = self.places[place]
        self.fake.envelope({
            "type": "message", "channel": channel, "user": slack.BOT_USER, "bot_id": slack.BOT,
            "text": text, "ts": self.fake.workspace.ts(), "thread_ts": thread or None,
        })  # fmt: skip

    def redeliver(self):
        channel, said = next(iter(self.fake.workspace.messages.items()))
        kept = {name: said[-1][name] for name in ("type", "user", "text", "ts")}
        self.fake.envelope({**kept, "channel": channel, "event_ts": kept["ts"]})

    def acknowledged(self):
        return len(self.fake.acks)

    def commotion(self):
        fake = self.fake
        ts = fake.say("one", "C1")
        place, stamp = {"channel": "C1", "event_ts": fake.workspace.ts()}, fake.workspace.ts()
        old = {"type": "message", "user": "U7", "text": "one", "ts": ts}
        item = {"type": "message", "channel": "C1", "ts": ts}
        fake.say("in a thread", "C1", thread=ts)
        for event in (
            {"type": "message", "subtype": "message_changed", "previous_message": old,
             "message": {**old, "text": "two", "edited": {"user": "U7", "ts": stamp}}, **place},
            {"type": "message", "subtype": "message_deleted", "previous_message": old,
             "deleted_ts": ts, **place},
            {"type": "reaction_added", "user": "U7", "reaction": "+1", "item": item,
             "item_user": slack.BOT_USER, "event_ts": stamp},
            {"type": "member_joined_channel", "user": slack.BOT_USER, **place},
            {"type": "channel_left", **place},
            {"type": "agent_session_stopped", "user": "U7", "thread_ts": ts, **place},
        ):  # fmt: skip
            fake.envelope(event)
        fake.slash("help")
        fake.press("why", ts, "C1")
        return {MessageReceived, MessageEdited, MessageDeleted, Rated, Joined, Left, StopAsked,
                CommandGiven, Pressed}  # fmt: skip

    def command(self, name, words=""):
        self.fake.slash(f"{name} {words}")

    def told(self):
        return [whisper["text"] for whisper in self.fake.whispers]

    def published(self, catalogue):
        (slash,) = json.loads(SLACK.manifest(catalogue))["features"]["slash_commands"]
        return re.findall(r"\w+", slash["usage_hint"])

    def visible(self, conversation):
        return [message["text"] for message in self._ours(conversation)]

    def _ours(self, conversation):
        kept = self.fake.workspace.messages.get(conversation.channel, [])
        return [message for message in kept if message.get("bot_id") == slack.BOT
                and (message["thread_ts"] or "") == conversation.thread]  # fmt: skip

    def below(self, conversation):
        return [{button["text"]["text"]: button for button in slack_api.buttons(message)}
                for message in self._ours(conversation)]  # fmt: skip

    def press(self, conversation, label):
        at, button = newest(label, self.below(conversation))
        ts = self._ours(conversation)[at]["ts"]
        value = button.get("value", "")
        self.fake.press(button["action_id"], ts, conversation.channel, value=value)

    def whispered(self):
        assert {(w["user"], w["response_type"]) for w in self.fake.whispers} <= {
            ("U7", "ephemeral")
        }
        return self.told()

    def close(self, conversation):
        self.fake.closed[conversation.channel] = "channel_not_found"

    def pings(self):
        ping = re.compile(r"<\\*(!(channel|here|everyone|subteam)|@U7)")
        calls = [call for call in self.fake.calls if call.method.startswith(("chat.", "response"))]
        return [
            call for call in calls
            if ping.search(json.dumps(call.args, ensure_ascii=False))
            or (call.args.keys() & {"text", "blocks"} and call.args.get("link_names") is not False)
        ]  # fmt: skip


class Discord:
    """A direct conversation, a text channel, and a thread in it."""

    descriptor = DISCORD
    hello, refusal = "GET /users/@me", Refuse("401: Unauthorized", 401)
    post, edit, ends = "POST /channels/#/messages", "PATCH /channels/#/messages/#", ""
    markup = (post, 0, "")
    placeholder = ""
    bait = "@everyone @here <@501> <@&9001>"

    def __init__(self):
        self.fake, self.marks, self.token = FakeDiscord(), Marks(), ""
        self.cannot = {"markup": "Discord takes any text as it is, so there is nothing to refuse"}
        self.secrets = {"DISCORD_BOT_TOKEN": discord.TOKEN}
        self.places = {"private": "", "group": discord.TEXT, "thread": discord.THREAD}

    def settings(self):
        return DiscordSettings(
            api_base_url=self.fake.api_base_url, gateway_url=self.fake.gateway_url
        )

    def connections(self):
        return len(self.fake.gateway.identifies)

    def say(self, text, place="private", *, mention=False, answering="", bot=False):
        channel = self.places[place] or self.fake.direct("501")
        if bot:
            other = discord.person("777", bot=True)
            self.fake.keep(self.fake.message(channel, text, other))
        else:
            self.fake.say(text, channel=channel, reply_to=answering, mention=mention)
        self.last = self.fake.history[channel][-1]

    def echo(self, text, place):
        channel = self.places[place] or self.fake.direct("501")
        self.fake.keep(self.fake.message(channel, text, discord.person(discord.ME)))

    def redeliver(self):
        self.fake.dispatch("MESSAGE_CREATE", self.fake.seen_on_gateway(self.last))

    def acknowledged(self):
        read = {Conversation.parse(lane): int(id) for lane, id in self.marks.newest.items()}
        marks = {lane.thread or lane.channel: newest for lane, newest in read.items()}
        return sum(int(message["id"]) <= marks.get(channel, 0)
                   for channel, said in self.fake.history.items() for message in said)  # fmt: skip

    def commotion(self):
        fake = self.fake
        asked = fake.say("one", channel=discord.TEXT)
        fake.say("in a thread", channel=discord.THREAD)
        fake.edit(asked, "two")
        answered = fake.message(discord.TEXT, "an answer", discord.person(discord.ME))
        fake.keep(answered)
        fake.react(discord.TEXT, answered["id"], "👍")
        fake.interact("help", channel=discord.THREAD)
        fake.press("why", answered)
        fake.delete(discord.TEXT, asked)
        fake.dispatch("GUILD_CREATE", {**fake.guild(), "id": "9999"})
        fake.dispatch("GUILD_DELETE", {"id": "9999"})
        return {MessageReceived, MessageEdited, MessageDeleted, Rated, CommandGiven, Pressed,
                Joined, Left}  # fmt: skip

    def command(self, name, words=""):
        self.token = self.fake.interact(name, **({"name": words} if words else {}))

    def told(self):
        return [message["content"] for message in self.fake.whispers[self.token]]

    def published(self, catalogue):
        return [command["name"] for command in self.fake.commands]

    def visible(self, conversation):
        return self.fake.shown(conversation.thread or conversation.channel)

    def _ours(self, conversation):
        said = self.fake.history.get(conversation.thread or conversation.channel, [])
        return [message for message in said if message["author"]["id"] == discord.ME]

    def below(self, conversation):
        return [{button["label"]: button for button in self.fake.buttons(message)}
                for message in self._ours(conversation)]  # fmt: skip

    def press(self, conversation, label):
        at, button = newest(label, self.below(conversation))
        self.token = self.fake.press(button["custom_id"], self._ours(conversation)[at])

    def whispered(self):
        return [message["content"] for said in self.fake.whispers.values() for message in said]

    def close(self, conversation):
        self.fake.forbidden.add(conversation.thread or conversation.channel)

    def pings(self):
        bodies = [call.args["json"] for call in self.fake.calls]
        shown = [body for body in bodies if isinstance(body, dict) and "content" in body]
        silent = {"parse": [], "replied_user": False}
        return [body for body in shown if body.get("allowed_mentions") != silent]


class Terminal:
    """A keyboard and a screen, to be put in the place of those of this process."""

    async def __aenter__(self):
        keyboard, self._keys = os.pipe()
        self._keyboard = Keyboard(os.fdopen(keyboard, "rb"), encoding="utf-8")
        self._screen = io.BytesIO()
        self._own = sys.stdin, sys.stdout
        return self

    async def __aexit__(self, *_):
        os.close(self._keys)
        while any(thread.name == "terminal" for thread in threading.enumerate()):
            await asyncio.sleep(0.001)  # it reads until the end, and tells the loop
        self._keyboard.close()
        sys.stdin, sys.stdout = self._own

    def take_over(self):
        """Replace the streams; pytest has put its own there since the fixture was set up."""
        self._own = sys.stdin, sys.stdout
        sys.stdin = self._keyboard
        sys.stdout = io.TextIOWrapper(self._screen, encoding="utf-8", write_through=True)

    def type(self, line):
        os.write(self._keys, f"{line}\n".encode())

    @property
    def screen(self):
        return self._screen.getvalue().decode()


class Keyboard(io.TextIOWrapper):
    """A pipe that says it is a terminal."""

    def isatty(self):
        return True


class Console:
    """The terminal of one person."""

    descriptor = CONSOLE
    hello = post = edit = ends = placeholder = bait = ""
    markup = ("", 0, "")
    CHOICE = re.compile(r"^\[(/\d+)\] (.*)$", re.MULTILINE)

    def __init__(self):
        self.fake, self.marks, self.secrets = Terminal(), Marks(), {}
        self.cannot = {
            "groups": "one person sits at a terminal",
            "bots": "no other bot types",
            "echoes": "what is printed is not read",
            "acknowledgement": "a line is typed once, and nobody waits for word of it",
            "retractions": "what is printed stays; the sentence says that it is taken back",
            "edits": "what is printed stays",
            "whole": "a terminal always shows words as they come",
            "failures": "there is no call that could fail",
            "closing": "a terminal closes with its process",
            "calls": "a terminal is always there, and needs no token",
            "markup": "text is printed as it is, so there is nothing to refuse",
            "pings": "nobody else is there",
        }

    def settings(self):
        self.fake.take_over()
        return ConsoleSettings(enabled=True, name="Ann")

    def connections(self):
        return sum(thread.name == "terminal" for thread in threading.enumerate())

    def say(self, text, place="private", **_):
        self.fake.type(text)

    def commotion(self):
        self.fake.type("one")
        self.fake.type("/help me")
        return {MessageReceived, CommandGiven}

    def command(self, name, words=""):
        self.fake.type(f"/{name} {words}")

    def told(self):
        return self.visible(None)

    def published(self, catalogue):
        return re.findall(r"/(\w+)", self.fake.screen)

    def visible(self, conversation):
        return [self.CHOICE.sub("", answer).strip() for answer in self._answers()]

    def _answers(self):
        answers = self.fake.screen.split("\nparley>")[1:]
        texts = (answer.partition("\nyou> ")[0].strip() for answer in answers)
        return [text for text in texts if text]

    def below(self, conversation):
        return [{found[2]: found[1] for found in self.CHOICE.finditer(answer)}
                for answer in self._answers()]  # fmt: skip

    def press(self, conversation, label):
        _, key = newest(label, self.below(conversation))
        self.fake.type(key)

    def whispered(self):
        return self.visible(None)


PLATFORMS = (Slack, Discord, Telegram, Console)
