"""One person sends files to the bot in private, on each platform: real adapters, real engine."""

import asyncio
import struct
import zlib
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from adapters.discord.settings import DiscordSettings
from adapters.slack.settings import SlackSettings
from adapters.telegram.settings import TelegramSettings
from bot.app.engine import assemble
from bot.backends.sqlite.store import opened
from bot.config import Secrets
from tests.fakes.discord import FakeDiscord
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram
from tests.integration import discord_rig, slack_rig, telegram_rig


@dataclass
class Chat:
    """A private chat on a fake platform."""

    name: str
    fake: Any
    adapter: Any
    settings: Any

    def send(self, text, *files):
        """Write a message; a file is a name, its bytes and its type, or what a platform says."""
        sent = [file if isinstance(file, dict) else self.fake.upload(*file) for file in files]
        match self.name:
            case "slack":
                self.fake.say(text, files=sent)
            case "discord":
                self.fake.say(text, attachments=sent)
            case "telegram":
                (document,) = sent
                self.fake.say("", document=document, caption=text)

    def shown(self):
        match self.name:
            case "slack":
                return [text for _, text in self.fake.shown("D1")]
            case "discord":
                return self.fake.shown(self.fake.direct("501"))
            case _:
                return [message.source for message in self.fake.shown(42)]

    def listening(self):
        match self.name:
            case "slack":
                return bool(self.fake.sockets)
            case "discord":
                return bool(self.fake.gateway.session)
            case _:
                return bool(self.fake.called("getUpdates"))

    def fetched(self):
        """Return what was downloaded, each with the token that was shown for it."""
        calls = ("download", "GET /attachments", "file")
        return [call for call in self.fake.calls if call.method in calls]

    async def answer(self, words):
        await self.fake.until(lambda: any(words in text for text in self.shown()))
        return self.shown()[-1]


@asynccontextmanager
async def chat(name):
    """Start a fake platform with an adapter for it."""
    if name == "slack":
        async with FakeSlack() as fake:
            settings = SlackSettings(base_url=fake.base_url)
            yield Chat(name, fake, slack_rig.built(fake), settings)
    elif name == "discord":
        async with FakeDiscord() as fake:
            urls = {"api_base_url": fake.api_base_url, "gateway_url": fake.gateway_url}
            yield Chat(name, fake, discord_rig.built(fake), DiscordSettings(**urls))
    else:
        async with FakeTelegram() as fake:
            urls = {"base_url": fake.base_url, "base_file_url": fake.base_file_url}
            adapter = telegram_rig.built(fake, poll_timeout_s=0)
            yield Chat(name, fake, adapter, TelegramSettings(**urls))


@asynccontextmanager
async def answering(chat, config):
    """Run the engine for a chat."""
    config = replace(config, adapters={chat.name: chat.settings},
                     turns=replace(config.turns, stale_after_s=0))  # fmt: skip
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(config.data_dir / "parley.db"))
        stack.push_async_callback(chat.adapter.sender.close)
        secrets = Secrets({"OPENAI_API_KEY": "k"})
        engine = await assemble(config, secrets, store, {chat.name: chat.adapter}, stack)
        stop = asyncio.Event()
        task = asyncio.create_task(engine.run(stop))
        try:
            await chat.fake.until(chat.listening)
            yield engine
        finally:
            stop.set()
            await task


def asked(model, call=-1):
    """Return what the model was told last: orders and question."""
    lines = [call for call in model.calls if call.method == "chat.completions"][call].args
    return lines["messages"][0]["content"], lines["messages"][-1]["content"]


def within_fence(system, question):
    """Return the part of a question that stands in a fence, whose mark the orders name."""
    mark = system.rpartition("⟦")[2].split(" ")[0]
    before, _, rest = question.partition(f"⟦{mark} ")
    inside, end, after = rest.rpartition(f"{mark}⟧")
    assert end
    return before, inside, after


def png(width=1, height=1):
    """Return a picture of one colour."""

    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (width + 1) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
