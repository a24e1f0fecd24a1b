"""Routers in the running bot: where a question goes, what that costs, what happens when it fails."""

from dataclasses import replace

import pytest

from bot.config.sections import ChatSettings, KnowledgeSettings, PersonaSettings
from bot.core import routing
from bot.domain.budgets import Allowance, Budgets
from bot.domain.chains import ChainSettings, RouterSettings, RouteSettings, StepSettings
from tests.events import command, message
from tests.fakes.script import Delay, ServerError
from tests.harness import running
from tests.integration.conftest import edit, stored
from tests.integration.test_why import traces

ROUTES = (
    RouteSettings(
        name="fun", to="pirate", words=("joke",), about="jokes", examples=("tell me a joke",)
    ),
    RouteSettings(
        name="shop",
        to="support",
        words=("open",),
        about="opening hours",
        examples=("when are you open",),
    ),
    RouteSettings(name="deep", to="big", words=("proof",), about="mathematics"),
    RouteSettings(name="more", to="second", words=("more",), about="anything else"),
)
SUPPORT = ChainSettings(steps=(StepSettings(name="only", prompt="Support: {question}"),))
SECOND = RouterSettings(
    by="rules", default="main", routes=(RouteSettings(name="late", to="support", words=("late",)),)
)


def routed(config, by="rules", **changes):
    router = RouterSettings(by=by, default="main", routes=ROUTES)
    big = replace(config.models["main"], model="big-model")
    return replace(
        config,
        models={**config.models, "big": big},
        personas={"pirate": PersonaSettings(system_prompt="Talk like a pirate.")},
        chains={
            "front": ChainSettings(router=router), "support": SUPPORT,
            "second": ChainSettings(router=SECOND),
        },
        chat=ChatSettings(model="main", chain="front"),
        **changes,
    )  # fmt: skip


def answers(body):
    """Answer a choice by the word in its question, and all else with what was asked how."""
    told, said = body["messages"][0]["content"], body["messages"][-1]["content"]
    if told.startswith("You sort"):
        return next((r.name for r in ROUTES if any(word in said for word in r.words)), "none")
    persona = "pirate" if "pirate" in told else "usual"
    way = "support" if said.startswith("Support:") else persona
    return f"{body['model']} {way}"


@pytest.mark.parametrize("by", ["rules", "model"])
@pytest.mark.parametrize(
    "case",
    [
        ("a joke please", "fake-model pirate", [("fun", "pirate")]),
        ("when are you open", "fake-model support", [("shop", "support")]),
        ("a proof", "big-model usual", [("deep", "big")]),
        ("what else", "fake-model usual", [("", "main")]),
    ],
)
async def test_a_question_goes_where_it_belongs(config, platform, model, tmp_path, by, case):
    question, answer, routes = case
    model.answer = answers
    async with running(routed(config, by), platform):
        await platform.inbox.accept(message(question))
        assert await platform.answers(1) == [answer]
    (trace,) = traces(tmp_path)
    assert [(hop["route"], hop["to"]) for hop in trace["routes"]] == routes
    purposes = stored(tmp_path, "select purpose from ledger order by id")
    assert [purpose for (purpose,) in purposes].count("route") == (by == "model")
    assert question not in str(trace)


async def test_the_nearest_example_shows_the_way(config, platform, model, tmp_path):
    model.answer = answers
    config = routed(config, "embeddings", library=KnowledgeSettings(embedder="main"))
    async with running(config, platform):
        await platform.inbox.accept(message("tell me a joke of pirates"))
        assert await platform.answers(1) == ["fake-model pirate"]
        await platform.inbox.accept(message("zzz"))
        assert await platform.answers(2) == ["fake-model pirate", "fake-model usual"]
    near, far = (trace["routes"][0] for trace in traces(tmp_path))
    assert (near["route"], near["score"] > 0.5) == ("fun", True)
    assert (far["route"], far["score"] < 0.5) == ("", True)
    paid = stored(tmp_path, "select purpose, person <> '' from ledger order by id")
    assert [who for purpose, who in paid if purpose == "embedding"] == [0, 1, 1]


async def test_without_vectors_the_default_is_taken(config, platform, model, tmp_path):
    model.answer = answers
    model.script.on("embeddings", *[ServerError(500)] * 3)
    config = routed(config, "embeddings", library=KnowledgeSettings(embedder="main"))
    async with running(config, platform):
        await platform.inbox.accept(message("tell me a joke"))
        assert await platform.answers(1) == ["fake-model usual"]
    (trace,) = traces(tmp_path)
    assert trace["routes"][0]["why"] == "the choice failed"


async def test_a_router_may_lead_to_another(config, platform, model, tmp_path):
    model.answer = answers
    async with running(routed(config), platform):
        await platform.inbox.accept(message("more, and late"))
        assert await platform.answers(1) == ["fake-model support"]
    (trace,) = traces(tmp_path)
    assert [hop["chain"] for hop in trace["routes"]] == ["front", "second"]
    assert trace["chain"] == "support"


async def test_a_choice_that_fails_takes_the_default(config, platform, model, tmp_path):
    model.answer = answers
    model.script.on("chat.completions", *[ServerError(500)] * 3)
    async with running(routed(config, "model"), platform):
        await platform.inbox.accept(message("a joke"))
        assert await platform.answers(1) == ["fake-model usual"]
    (trace,) = traces(tmp_path)
    assert trace["routes"][0]["why"] == "the choice failed"


async def test_a_choice_that_is_too_slow_takes_the_default_and_operators_are_told_why(
    config, platform, model, caplog, monkeypatch
):
    monkeypatch.setattr(routing, "SECONDS", 0.1)
    model.answer = answers
    model.script.on("chat.completions", Delay(60))
    async with running(routed(config, "model"), platform):
        await platform.inbox.accept(message("a joke"))
        assert await platform.answers(1) == ["fake-model usual"]
    assert "router front takes its default: too slow" in caplog.text


async def test_a_stop_ends_a_choice(config, platform, model):
    model.delay = 30
    async with running(routed(config, "model"), platform):
        await platform.inbox.accept(message("a joke"))
        await model.until_called(1)
        await platform.inbox.accept(command("stop"))
        await model.until_closed(1)
        await platform.answers(2)
    assert len(model.calls) == 1


async def test_an_edited_question_is_routed_anew(config, platform, model, tmp_path):
    model.answer, event = answers, message("a joke")
    async with running(routed(config, "model"), platform):
        model.delay = 0.3
        await platform.inbox.accept(event)
        await model.until_called(2)
        model.delay = 0
        await platform.inbox.accept(edit(event, "are you open"))
        assert await platform.answers(1) == ["fake-model support"]
    (trace,) = traces(tmp_path)
    assert [hop["route"] for hop in trace["routes"]] == ["shop"]


@pytest.mark.parametrize("by", ["model", "embeddings"])
async def test_without_a_message_left_no_choice_is_paid(config, platform, model, by):
    model.answer = answers
    budgets = Budgets(per_person=Allowance(messages=1))
    config = routed(config, by, budgets=budgets, library=KnowledgeSettings(embedder="main"))
    async with running(config, platform):
        await platform.inbox.accept(message("hello"))
        await platform.answers(1)
        paid = len(model.calls)
        for count in (2, 3):
            await platform.inbox.accept(message("hello"))
            assert "budget" in (await platform.answers(count))[-1].lower()
    assert len(model.calls) == paid


async def test_a_choice_that_no_budget_allows_is_told(config, platform, model):
    budgets = Budgets(per_person=Allowance(tokens=50))
    async with running(routed(config, "model", budgets=budgets), platform):
        await platform.inbox.accept(message("a joke"))
        (text,) = await platform.answers(1)
    assert "budget" in text.lower() or "tokens" in text
    assert model.calls == []
