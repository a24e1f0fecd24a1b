"""What the tests of the engine share: a model, a configuration, a platform, and short words."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from bot.domain.conversation import Conversation
from bot.domain.events import MessageDeleted, MessageEdited
from tests.fakes.openai import FakeOpenAI
from tests.harness import MemoryPlatform, configuration


@pytest.fixture
async def model():
    async with FakeOpenAI() as fake:
        yield fake


@pytest.fixture
def config(tmp_path, model):
    return configuration(tmp_path, model.base_url)


@pytest.fixture
def platform():
    return MemoryPlatform()


def slow(model, words=40, interval=0.05):
    """Let the model speak word by word."""
    model.answer = " ".join(f"word{n}" for n in range(words))
    model.interval = interval


async def begun(platform, words="word2"):
    """Wait until an answer shows its first words."""
    await platform.until(lambda: any(words in shown.text for shown in platform.shown))


class HeldSummaries:
    """Holds the calls of a running engine that sum up until `release` is set."""

    def __init__(self, engine):
        self.begun, self.release = asyncio.Event(), asyncio.Event()
        summariser = engine.summarising.models["main"].model
        self._stream, summariser.stream = summariser.stream, self._held

    async def _held(self, prompt):
        if prompt.purpose == "summary":
            self.begun.set()
            await self.release.wait()
        async for delta in self._stream(prompt):
            yield delta


def prompt(call):
    """Return what the model was told, without the system prompt."""
    return [(line["role"], line["content"]) for line in call.args["messages"][1:]]


def stored(folder, sql):
    """Read the database, as an operator could."""
    with closing(sqlite3.connect(folder / "parley.db")) as db:
        return db.execute(sql).fetchall()


def lines(folder):
    """Return what is remembered: role, person and text."""
    return stored(folder, "select role, person, text from lines order by id")


def edit(event, text):
    """Let the author of a message change it."""
    return MessageEdited(id=f"{event.id}:edit:{text}", at=event.at, text=text, author=event.author,
                         conversation=event.conversation, message=event.message,
                         private=event.private)  # fmt: skip


def deletion(event):
    """Let somebody delete a message."""
    return MessageDeleted(id=f"{event.id}:deletion", at=event.at, conversation=event.conversation,
                          messages=(event.message,))  # fmt: skip


def thread(name, platform="fake"):
    """Name one thread of the channel in which the tests take place."""
    return Conversation(platform=platform, workspace="W", channel="C", thread=str(name))
