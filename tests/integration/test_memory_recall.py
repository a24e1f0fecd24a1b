"""Memory of kind `recall`: older lines come back when a question has rare words in common."""

import asyncio
import sqlite3
from dataclasses import replace

import pytest

from bot.backends.tokens.o200k import O200kCounter
from bot.config.sections import KnowledgeSettings
from bot.core.embedders import resting
from bot.core.knowledge import retrieving
from bot.core.memory import meaning
from bot.domain.conversation import Conversation, Person
from bot.domain.policy import MemoryPolicy
from tests.events import command, message
from tests.fakes.openai import CHAT, EMBEDDINGS
from tests.fakes.script import Delay
from tests.harness import running
from tests.integration.conftest import deletion, prompt, stored
from tests.integration.test_engine_privacy import asked

BUDGET = 300
CHATTER = "we talked about the weather and the garden for quite a while today"
BOB = Person(platform="fake", user="bob", name="Bob")
OTHER = Conversation(platform="fake", workspace="W", channel="other")


@pytest.fixture
def config(config, model):
    model.answer = "ok"
    return replace(config, memory=MemoryPolicy(kind="recall", max_tokens=BUDGET))


async def chatted(platform, count=16):
    for n in range(count):
        await asked(platform, message(f"{CHATTER}, part {n}"))


async def test_an_older_line_comes_back_for_its_question_and_is_marked_as_older(
    config, platform, model
):
    counter = O200kCounter()
    await counter.load()
    async with running(config, platform):
        await asked(platform, message("the wardrobe came from Antwerp"))
        await chatted(platform)
        await asked(platform, message("what about the weather?"))
        assert "Antwerp" not in str(prompt(model.calls[-1]))
        await asked(platform, message("where did the wardrobe come from?"))
    told = prompt(model.calls[-1])
    assert "person: the wardrobe came from Antwerp" in told[0][1]
    assert "lines from longer ago" in told[0][1]
    assert "part 15" in str(told)
    for call in model.calls:
        assert sum(counter.count(text) + 4 for _, text in prompt(call)) <= BUDGET


async def test_it_finds_nothing_of_another_memory_a_former_epoch_or_a_deleted_line(
    config, platform, model
):
    gone = message("the wardrobe stood in Bruges")
    async with running(config, platform):
        await asked(platform, message("the wardrobe is in Ghent", conversation=OTHER))
        await asked(platform, message("the wardrobe came from Antwerp"))
        await asked(platform, command("reset"))
        await asked(platform, gone)
        await chatted(platform)
        await platform.inbox.accept(deletion(gone))
        await platform.until(lambda: any(shown.deleted for shown in platform.shown))
        await asked(platform, message("where is the wardrobe?"))
    told = str(prompt(model.calls[-1]))
    assert not [town for town in ("Antwerp", "Ghent", "Bruges") if town in told]


def vectors(folder):
    return len(stored(folder, "select 1 from line_vectors"))


def by_meaning(config, **changes):
    memory = MemoryPolicy(**{"kind": "recall", "max_tokens": BUDGET, **changes})
    return replace(config, memory=memory, library=KnowledgeSettings(embedder="local"))


async def test_an_older_line_comes_back_by_its_meaning_in_other_words(
    config, platform, model, tmp_path
):
    async with running(by_meaning(config), platform):
        await asked(platform, message("peanuts give me a rash, sadly"))
        await chatted(platform)
        await platform.until(lambda: vectors(tmp_path) == 34, timeout=60)
        await asked(platform, message("which food am I allergic to?"))
    assert "person: peanuts give me a rash" in prompt(model.calls[-1])[0][1]


async def test_a_memory_per_person_is_found_by_meaning_and_by_nobody_else(
    config, platform, model, tmp_path
):
    group = {"conversation": OTHER, "private": False}
    async with running(by_meaning(config, scope="person"), platform):
        await asked(platform, message("peanuts give me a rash, sadly", **group))
        for n in range(16):
            await asked(platform, message(f"{CHATTER}, part {n}", **group))
            await asked(platform, message(f"{CHATTER}, part {n}", author=BOB, **group))
        await platform.until(lambda: vectors(tmp_path) == 66, timeout=60)
        await asked(platform, message("which food is there an allergy to?", author=BOB, **group))
        assert "peanuts" not in str(prompt(model.calls[-1]))
        await asked(platform, message("which food am I allergic to?", **group))
        assert "peanuts" in str(prompt(model.calls[-1]))


async def test_vectors_go_with_lines_that_are_deleted_edited_or_forgotten(
    config, platform, tmp_path
):
    first, second = message("peanuts give me a rash"), message("so do hazelnuts")
    async with running(by_meaning(config), platform):
        await asked(platform, first)
        await asked(platform, second)
        await platform.until(lambda: vectors(tmp_path) == 4, timeout=60)
        await platform.inbox.accept(deletion(first))
        await platform.until(lambda: vectors(tmp_path) == 2 and len(platform.texts()) == 1)
        await asked(platform, command("forget_me", "yes"))
        assert vectors(tmp_path) == 0


async def test_a_store_that_cannot_be_read_for_a_moment_ends_neither_vectors_nor_summaries(
    config, platform, tmp_path
):
    async with running(by_meaning(config), platform) as engine:
        lines = engine.summarising.recall.meaning.lines
        bare, failed = lines.bare, asyncio.Event()

        async def failing(*_, **__):
            lines.bare = bare
            failed.set()
            raise sqlite3.OperationalError("disk I/O error")

        lines.bare = failing
        await asked(platform, message("peanuts give me a rash"))
        await asyncio.wait_for(failed.wait(), 10)
        await asked(platform, message("so do hazelnuts"))
        await platform.until(lambda: vectors(tmp_path) == 4, timeout=20)


async def test_while_its_embedder_is_down_only_one_question_waits_for_it(
    config, platform, model, caplog, monkeypatch
):
    for module in (meaning, retrieving):
        monkeypatch.setattr(module, "SECONDS", 0.3)
    monkeypatch.setattr(resting, "SLOW_S", 0.2)
    models = {**config.models, "vectors": config.models["main"]}
    library = KnowledgeSettings(embedder="vectors")
    async with running(replace(config, models=models, library=library), platform):
        await asked(platform, message("the wardrobe came from Antwerp"))
        await chatted(platform)
        model.script.on(EMBEDDINGS, *[Delay(60)] * 9)
        for _ in range(3):
            await asked(platform, message("where did the wardrobe come from?"))
            *_, last = [call for call in model.calls if call.method == CHAT]
            assert "person: the wardrobe came from Antwerp" in str(prompt(last))
    assert caplog.text.count("too slow") == 1
    assert caplog.text.count("recalled by words alone: ") == 3


async def test_other_kinds_of_memory_embed_nothing(config, platform, tmp_path):
    async with running(by_meaning(config, kind="tokens"), platform):
        await asked(platform, message("peanuts give me a rash"))
        await asked(platform, message("so do hazelnuts"))
    assert vectors(tmp_path) == 0
