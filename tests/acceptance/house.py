"""A house in which people answer: one bot on three fake platforms, its customers, its staff.

Customers are rooms of `places.py`, named by platform and number; the staff is in one channel or
group. `House.running` runs the bot here; `House.start` as the installed program, to be killed.
"""

import asyncio
import html
import os
import re
import signal
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.app import platforms, serve
from bot.config import Secrets, load
from tests.acceptance.places import PRIVATE, STAGES, taken
from tests.acceptance.stage import PARLEY, SECRETS, surroundings
from tests.fakes.discord import GUILD, OTHER
from tests.fakes.openai import FakeOpenAI
from tests.fakes.slack_api import BOT, TEAM
from tests.fakes.slack_api import buttons as below

# A bot that is killed within a second has not written how far it had read: it reads all of it again.
MORE = {"slack": "settle_s = 0.6\nbackfill_messages = 5000\n",
        "discord": "backfill_messages = 5000\n"}  # fmt: skip
ROOT = Path(__file__).parents[2]  # where the sources of these tests are
DONE = "Done: the bot answers again"


@dataclass(frozen=True)
class Seen:
    """A message of the bot as the staff sees it."""

    id: str
    text: str
    within: str  # the message in whose thread it stands, or that it replies to
    buttons: dict  # label → what a press sends


class TelegramStaff:
    """A group, or one topic of it."""

    place, chat = "telegram::-5000", -5000

    def __init__(self, fake):
        self.fake = fake
        fake.chat(self.chat, "supergroup")

    def seen(self):
        return [
            Seen(str(m.id), read(m.source), str(m.reply_to or ""),
                 {b["text"]: b["callback_data"] for b in m.buttons})
            for m in self.fake.shown(self.chat)
        ]  # fmt: skip

    def answer(self, text, to, person=9001, **more):
        return self.fake.say(text, chat=self.chat, person=person, private=False,
                             reply_to=int(to.id), **more)  # fmt: skip

    def press(self, seen, label=DONE, person=9001):
        self.fake.press(self.chat, int(seen.id), seen.buttons[label], person=person)

    def edit(self, message, text):
        self.fake.edit(self.chat, message, text)


class SlackStaff:
    """A channel; what is said in the thread of a message answers it."""

    place, channel = f"slack:{TEAM}:C900", "C900"

    def __init__(self, fake):
        self.fake = fake

    def seen(self):
        messages = self.fake.workspace.messages.get(self.channel, [])
        return [
            Seen(m["ts"], m["text"], m.get("thread_ts") or "",
                 {b["text"]["text"]: (b["action_id"], b["value"]) for b in below(m)})
            for m in messages if m.get("bot_id") == BOT
        ]  # fmt: skip

    def answer(self, text, to, person="U900", **more):
        return self.fake.say(text, self.channel, person, to.within or to.id, **more)

    def press(self, seen, label=DONE, person="U900"):
        action, value = seen.buttons[label]
        self.fake.press(action, seen.id, self.channel, person, value=value)

    def edit(self, message, text):
        before = self.fake.workspace.find(self.channel, message)
        after = before | {"text": text, "edited": {"ts": self.fake.workspace.ts()}}
        self.fake.envelope({"type": "message", "subtype": "message_changed", "team": TEAM,
                            "channel": self.channel, "channel_type": "channel", "message": after,
                            "previous_message": before, "event_ts": self.fake.workspace.ts(),
                            })  # fmt: skip


class DiscordStaff:
    """A channel of a server."""

    place, channel = f"discord:{GUILD}:{OTHER}", OTHER

    def __init__(self, fake):
        self.fake = fake

    def seen(self):
        return [
            Seen(m["id"], m["content"], (m.get("message_reference") or {}).get("message_id", ""),
                 {b["label"]: b["custom_id"] for b in self.fake.buttons(m)})
            for m in self.fake.history.get(self.channel, []) if m["author"]["bot"]
        ]  # fmt: skip

    def answer(self, text, to, person="9001", **more):
        return self.fake.say(text, channel=self.channel, user=person, reply_to=to.id, **more)

    def press(self, seen, label=DONE, person="9001"):
        message = self.fake.find(self.channel, seen.id)
        self.fake.press(seen.buttons[label], message, user=person)

    def edit(self, message, text):
        self.fake.edit(message, text)


STAFF = {"telegram": TelegramStaff, "slack": SlackStaff, "discord": DiscordStaff}


class House:
    """Three platforms, one model, one bot; an async context manager."""

    def __init__(self, folder, staff="slack", *, kinds=PRIVATE, handover="", sections=""):
        self.folder, self.home, self.kinds = Path(folder), staff, kinds
        self.handover, self.sections = handover, sections
        self.process = None

    async def __aenter__(self):
        self._stack = AsyncExitStack()
        self.model = await self._stack.enter_async_context(FakeOpenAI())
        self.stages = {name: stage(self.kinds) for name, stage in STAGES.items()}
        for stage in self.stages.values():
            await self._stack.enter_async_context(stage.fake)
        self.staff = STAFF[self.home](self.stages[self.home].fake)
        self.config = self.folder / "config.toml"
        adapters = "\n".join(
            f"[adapters.{name}]\nenabled = true\n{stage.settings()}\n" + MORE.get(name, "")
            for name, stage in self.stages.items()
        )
        self.config.write_text(f"""
config_version = 1
data_dir = "{self.folder}/data"
[models.main]
kind = "openai"
base_url = "{self.model.base_url}"
model = "fake-model"
[access]
dm_policy = "open"
group_policy = "open"
[privacy]
notice = false
[handover]
channel = "{self.staff.place}"
{self.handover}
{self.sections}
{adapters}
""")
        return self

    async def __aexit__(self, *_):
        if self.process and self.process.returncode is None:
            await self.kill()
        await self._stack.aclose()

    # The bot ------------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self):
        """Run the bot in this process until the block ends."""
        before, stop = self._connections(), asyncio.Event()
        config = load(self.config, platforms=platforms(), environment={})
        secrets = Secrets({**SECRETS, "OPENAI_API_KEY": "k"})
        task = asyncio.create_task(serve(config, secrets, stop, drain_s=1.0))
        try:
            await self.until(lambda: task.done() or self._connected(before))
            yield self
            assert not task.done()
        finally:
            stop.set()
            await task

    async def start(self):
        """Start the installed program and wait until it listens everywhere."""
        before = self._connections()
        with (self.folder / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                PARLEY, "run", "--config", str(self.config), cwd=self.folder,
                env={**surroundings(), "PYTHONPATH": str(ROOT)},
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        await self.until(
            lambda: self.process.returncode is not None or self._connected(before), within=60
        )
        assert self.process.returncode is None, (self.folder / "log").read_text()[-500:]

    async def kill(self):
        """Kill -9."""
        os.kill(self.process.pid, signal.SIGKILL)
        await self.process.wait()

    def _connections(self):
        return {name: stage.connections() for name, stage in self.stages.items()}

    def _connected(self, before):
        return all(count > before[name] for name, count in self._connections().items())

    # People -------------------------------------------------------------------------------------

    def say(self, platform, room, text):
        """Let a customer write to the bot."""
        self.stages[platform].say(room, text)

    def wants(self, platform, room, words=""):
        """Let a customer ask for a person."""
        stage, private = self.stages[platform], taken(self.kinds, room) == "private"
        if platform == "telegram":
            chat, person = (1 if private else -1) * (1001 + room), 1001 + room
            stage.fake.say(f"/handover {words}", chat=chat, person=person, private=private)
        elif platform == "slack":
            stage.fake.slash(f"handover {words}", f"{'D' if private else 'C'}{room}", f"U{room}")
        else:
            channel = stage._channel(room)
            stage.fake.interact("handover", channel=channel, user=str(600 + room), question=words)

    def shown(self, platform, room):
        """Return what a customer sees of the bot."""
        shown = self.stages[platform].shown(room)
        return [read(text).strip() for text in shown] if platform == "telegram" else shown

    async def told(self, platform, room, words):
        """Wait until a customer sees a message with these words; returns it."""
        return await self._found(lambda: self.shown(platform, room), words)

    async def told_or_whispered(self, platform, room, words):
        """Wait until a customer is told something, by a message or as the answer to a command."""
        fake = self.stages[platform].fake
        await self.until(lambda: words in f"{self.shown(platform, room)}{_whispers(fake)}")

    async def asked(self, words):
        """Wait until the staff sees a message with these words; returns it."""
        return await self._found(self.staff.seen, words, lambda seen: seen.text)

    async def _found(self, look, words, text=lambda shown: shown):
        found = []

        def there():
            found[:] = [one for one in look() if words in text(one)]
            return bool(found)

        try:
            await self.until(there)
        except TimeoutError:
            raise AssertionError(f"{words!r} is not among {look()}") from None
        return found[-1]

    async def until(self, condition, within=30):
        """Wait for something."""
        async with asyncio.timeout(within):
            while not condition():
                await asyncio.sleep(0.01)


def read(source):
    """Return what is written in Telegram's HTML, with quotes as in Markdown."""
    whole = re.sub(r"<br>|</p><p>|</p>(?=<)|(?=<blockquote>|<pre>)", "\n", source)
    quotes = re.sub(
        r"(?s)<blockquote>(.*?)</blockquote>",
        lambda found: "\n".join(f"> {line}" for line in found[1].splitlines()) + "\n", whole,
    )  # fmt: skip
    return html.unescape(re.sub(r"<[^<>]*>", "", quotes))


def _whispers(fake):
    """Return what commands were answered, where that is no message."""
    return getattr(fake, "whispers", "")
