"""Nobody is quoted what they may not read: every passage carries a canary of its collection.

A script of questions and commands runs through the engine, one after another. Whatever the model is
told, whatever is shown and logged meanwhile is searched for canaries that are forbidden by the
table below, which says in plain words who reads what where.
"""

import asyncio
import logging
import re
import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.backends.sqlite.store import at_rest, opened
from bot.config.sections import ChatSettings, DocumentsSettings
from bot.core.grounding import KEPT
from bot.domain.chains import BestOfSettings, ChainSettings
from bot.domain.conversation import Conversation, Person
from bot.domain.knowledge import CollectionSettings
from bot.domain.permissions import Roles
from bot.ports.library import Chunk, Document
from tests.events import command, message
from tests.fakes.openai import FakeOpenAI
from tests.harness import MemoryPlatform, configuration, running

CANARY = re.compile(r"canary(\w+)end")
TENANTS, CHANNELS = ("T1", "T2"), ("C1", "C2", "DM")
PEOPLE = ("ann", "mod", "adm", "gus", "blo", "cru", "bob")
WAYS = ("say", "say", "say", "retry", "sources", "sources 1", "why")
PLACE = "fake:T1:C1"
COLLECTIONS = {
    "open": CollectionSettings(),
    "members": CollectionSettings(readers=("member",)),
    "mods": CollectionSettings(readers=("moderator",)),
    "hers": CollectionSettings(readers=("fake:T1:ann",)),
    "crew": CollectionSettings(readers=("fake:T1:@crew",)),
    "placed": CollectionSettings(places=(PLACE,)),
    "both": CollectionSettings(readers=("fake:T1:ann", "admin"), places=(PLACE,)),
}
ROLES = Roles(
    moderator=("fake:T1:mod", "fake:T2:mod"), admin=("fake:T1:adm",), blocked=("fake:T1:blo",),
    guest=("fake:T1:gus", "fake:T2:gus"),
)  # fmt: skip
ALL = {f"{tenant} {person}" for tenant in TENANTS for person in PEOPLE} - {"T1 blo"}
READERS = {  # in a direct message
    "open": ALL,
    "members": ALL - {"T1 gus", "T2 gus"},
    "mods": {"T1 mod", "T2 mod", "T1 adm"},
    "hers": {"T1 ann"},
    "crew": {"T1 cru"},
    "placed": ALL,
    "both": {"T1 ann", "T1 adm"},
}
GROUPS = {  # where everybody reads the answer: the rest is quoted in none
    "open": {"T1 C1", "T1 C2", "T2 C1", "T2 C2"},
    "placed": {"T1 C1"},
    "both": {"T1 C1"},
}

said = st.tuples(st.sampled_from(TENANTS), st.sampled_from(CHANNELS), st.sampled_from(PEOPLE),
                 st.sampled_from(WAYS), st.sampled_from([*COLLECTIONS]))  # fmt: skip


def may_read(tenant, channel, person, groups=GROUPS, readers=READERS):
    """Return the collections that somebody may be quoted in a place."""
    return {
        name
        for name, people in readers.items()
        if f"{tenant} {person}" in people
        and (channel == "DM" or f"{tenant} {channel}" in groups.get(name, ()))
    }


def place(tenant, channel, person):
    """Return where something is said; a direct message is a channel of its own person."""
    channel = f"DM{person}" if channel == "DM" else channel
    return Conversation(platform="fake", workspace=tenant, channel=channel)


def event(tenant, channel, person, what, about_what):
    roles = ("crew",) if person == "cru" else ()
    about = {
        "conversation": place(tenant, channel, person),
        "author": Person(platform="fake", workspace=tenant, user=person, name=person, roles=roles),
        "private": channel == "DM",
    }
    if what == "say":
        return message(f"what are the wages of staff in summer: {about_what}?", **about)
    name, _, words = what.partition(" ")
    return command(name, words, **about)


async def shelved(folder):
    """Put one passage into every collection; returns the ids of all."""
    async with at_rest(folder / "parley.db") as store:
        for name in COLLECTIONS:
            text = f"The wages of the staff come to canary{name}end in summer: {name}."
            await store.library.put(
                Document(collection=name, source=f"/docs/canary{name}end.md", digest=name,
                         title=f"Wages canary{name}end", link=f"https://a.example/canary{name}end"),
                [Chunk(path=(f"Wages canary{name}end", "Staff"), text=text, tokens=20)],
            )  # fmt: skip
        return [passage.id for passage in await store.library.passages(range(99), [*COLLECTIONS])]


def configured(folder, model, *, quoting=False, **changes):
    config = configuration(folder, model.base_url, collections=COLLECTIONS, roles=ROLES)
    config = replace(config, knowledge=replace(config.knowledge, top_k=9), **changes)
    return replace(config, models={"main": DocumentsSettings()}) if quoting else config


async def settled(engine):
    """Wait until nothing is being said any more."""
    async with asyncio.timeout(20):
        while engine.dispatcher.crowd.count() or engine.dispatcher._beside:
            await asyncio.sleep(0.002)


def seen(model, platform):
    """Return all that the model was told and people were shown, also for a moment."""
    told = [str(call.args) for call in model.calls]
    return [*told, *(text for _, text in platform.moments)]


async def played(events, folder, quoting):
    """Play a script; returns what was forbidden of it, and what was quoted to whom."""
    platform, forbidden, quoted = MemoryPlatform(), [], []
    await shelved(folder)
    async with (
        FakeOpenAI(answer="See [1] [2] [3] [4] [5] [6] [7].") as model,
        running(configured(folder, model, quoting=quoting), platform) as engine,
    ):
        for tenant, channel, person, what, about in events:
            model.calls.clear()
            platform.moments.clear()
            await platform.inbox.accept(event(tenant, channel, person, what, about))
            await settled(engine)
            found = {*CANARY.findall(" ".join(seen(model, platform)))}
            allowed = may_read(tenant, channel, person)
            quoted += [(name, channel == "DM", what) for name in found]
            if found - allowed:
                forbidden.append((tenant, channel, person, what, found - allowed))
    return forbidden, quoted


@pytest.mark.parametrize("quoting", [False, True])
def test_nobody_is_quoted_what_they_may_not_read(quoting, caplog):
    caplog.set_level(logging.DEBUG, logger="bot")
    seen = set()

    @settings(
        max_examples=8, phases=[Phase.generate], deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.lists(said, min_size=20, max_size=40))
    def holds(events):
        with TemporaryDirectory() as folder:
            forbidden, quoted = asyncio.run(played(events, Path(folder), quoting))
        seen.update(quoted)
        assert forbidden == []
        assert CANARY.findall(caplog.text) == []

    holds()
    assert {name for name, private, _ in seen if private} == {*COLLECTIONS}
    assert {name for name, private, _ in seen if not private} == {*GROUPS}
    assert {what for *_, what in seen} == {*WAYS}


async def test_whoever_retries_a_question_is_quoted_what_they_may_read_themselves(tmp_path):
    await shelved(tmp_path)
    platform, ann, bob = MemoryPlatform(), ("T1", "C1", "ann"), ("T1", "C1", "bob")
    async with (
        FakeOpenAI(answer="See [1].") as model,
        running(configured(tmp_path, model), platform) as engine,
    ):
        for whose, what in ((ann, "say"), (bob, "retry"), (ann, "retry")):
            model.calls.clear()
            await platform.inbox.accept(event(*whose, what, "both"))
            await settled(engine)
            assert len(model.calls) == 1
            assert {*CANARY.findall(str(model.calls[0].args))} == may_read(*whose)


async def killed(folder, one, found):
    """Leave a question as a process does that is killed after it has found its passages."""
    async with opened(folder / "parley.db") as store:
        lane = str(one.conversation)
        await store.lanes.ingest(one, lane=lane, memory=lane)
        (turn,) = await asyncio.wait_for(store.lanes.claim(5), 5)
        await store.lanes.save(turn, "admitted", {})
        kept = {"scores": dict.fromkeys(map(str, found), 0.9), "sure": True, "documents": 7}
        await store.lanes.save(turn, KEPT, {"revision": turn.revision, "found": kept})


@pytest.mark.parametrize("whose", [("T1", "DM", "ann"), ("T1", "C1", "ann"), ("T1", "DM", "bob")])
@pytest.mark.parametrize("stricter", [*COLLECTIONS])
async def test_a_resumed_turn_is_told_what_may_be_read_by_now(tmp_path, whose, stricter):
    ids = await shelved(tmp_path)
    await killed(tmp_path, event(*whose, "say", "both"), ids)
    platform = MemoryPlatform()
    collections = {**COLLECTIONS, stricter: CollectionSettings(readers=("owner",))}
    async with FakeOpenAI(answer="See [1] [2] [3] [4] [5] [6] [7].") as model:
        config = configured(tmp_path, model, collections=collections)
        async with running(config, platform) as engine:
            await platform.answers(1)
            told = {*CANARY.findall(str(model.calls))}
            await platform.inbox.accept(event(*whose, "sources", ""))
            await settled(engine)
            shown = {*CANARY.findall(" ".join(text for _, text in platform.moments))}
    assert told == shown == may_read(*whose) - {stricter}


async def test_a_resumed_turn_counts_the_documents_that_may_be_read_by_now(tmp_path):
    await shelved(tmp_path)
    await killed(tmp_path, event("T1", "DM", "ann", "say", "nothing"), [])
    platform = MemoryPlatform()
    collections = {**COLLECTIONS, "hers": CollectionSettings(readers=("owner",))}
    async with FakeOpenAI() as model:
        config = configured(tmp_path, model, quoting=True, collections=collections)
        async with running(config, platform):
            (said,) = await platform.answers(1)
    assert "in the 4 documents" in said  # five before


@pytest.mark.parametrize("stricter", [*COLLECTIONS])
async def test_after_a_stricter_start_sources_and_why_tell_no_more(tmp_path, stricter):
    await shelved(tmp_path)
    whose, platform = ("T1", "DM", "mod"), MemoryPlatform()
    async with FakeOpenAI(answer="See [1] [2] [3] [4] [5] [6] [7].") as model:
        async with running(configured(tmp_path, model), platform):
            await platform.inbox.accept(event(*whose, "say", "both"))
            await platform.answers(1)
        for collections, allowed in (
            (COLLECTIONS, may_read(*whose)),
            ({**COLLECTIONS, stricter: CollectionSettings(readers=("owner",))},
             may_read(*whose) - {stricter}),
        ):  # fmt: skip
            config = configured(tmp_path, model, collections=collections)
            async with running(config, platform) as engine:
                for what in ("sources", "why"):
                    platform.moments.clear()
                    await platform.inbox.accept(event(*whose, what, ""))
                    await settled(engine)
                    shown = " ".join(text for _, text in platform.moments)
                    assert {*CANARY.findall(shown)} == allowed


async def test_no_candidate_is_shown_that_leaned_on_what_may_not_be_read_by_now(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    await shelved(before)
    whose, platform = ("T1", "DM", "ann"), MemoryPlatform()

    def answer(body):
        """Repeat what is told; what is killed while the judge is asked has the candidates."""
        if "compare" not in body["messages"][0]["content"]:
            return f"It is canary{CANARY.findall(str(body['messages']))[0]}end [1]."
        if not after.exists():
            shutil.copytree(before, after)
        return "1"

    best = BestOfSettings(candidates=2, scorer="model")
    changes = {"chains": {"careful": ChainSettings(best_of=best)},
               "chat": ChatSettings(model="main", chain="careful")}  # fmt: skip
    async with FakeOpenAI(answer=answer) as model:
        async with running(configured(before, model, **changes), platform):
            await platform.inbox.accept(event(*whose, "say", "hers"))
            assert CANARY.findall((await platform.answers(1))[0])[0] == "hers"
        model.calls.clear()
        platform.moments.clear()
        changes["collections"] = {**COLLECTIONS, "hers": CollectionSettings(readers=("owner",))}
        async with running(configured(after, model, **changes), platform) as engine:
            await platform.until(lambda: platform.moments)
            await settled(engine)
    shown = {*CANARY.findall(" ".join(seen(model, platform)))}
    assert shown
    assert "hers" not in shown
