"""What is stored of how an answer came about, and what `/why` says of it."""

import json
from dataclasses import replace

import pytest

from adapters.discord.descriptor import DESCRIPTOR as DISCORD
from adapters.slack.descriptor import DESCRIPTOR as SLACK
from bot.config.sections import ChatSettings
from bot.core.commands.why import NO_ANSWER, NO_SUCH
from bot.domain.chains import (
    BestOfSettings,
    ChainSettings,
    RouterSettings,
    RouteSettings,
    StepSettings,
)
from bot.domain.conversation import Person
from tests.events import PLACE, command, message
from tests.fakes.openai import summing
from tests.harness import running
from tests.integration.conftest import begun, edit, slow, stored
from tests.integration.test_engine_privacy import asked
from tests.integration.test_memory_summary import CHATTER, SUMMARY, answers, idle


def traces(folder):
    return [
        json.loads(trace) for (trace,) in stored(folder, "select trace from traces order by at")
    ]


async def test_each_answer_leaves_a_trace_of_names_and_numbers_only(
    config, platform, model, tmp_path
):
    model.answer = "PRIVATE-answer"
    async with running(config, platform):
        await platform.inbox.accept(message("PRIVATE-question"))
        await platform.answers(1)
    (trace,) = traces(tmp_path)
    assert (trace["reason"], trace["persona"], trace["usage"]["model"]) == (
        "complete", "default", "main",
    )  # fmt: skip
    assert trace["usage"]["output_tokens"] == 1
    assert 0 <= trace["first_s"] <= trace["total_s"]
    assert "PRIVATE" not in json.dumps(trace)
    assert stored(tmp_path, "select lane from traces") == [(str(PLACE),)]


async def test_an_edited_question_leaves_the_trace_of_its_last_answer(
    config, platform, model, tmp_path
):
    slow(model)
    event = message("waht")
    async with running(config, platform):
        await platform.inbox.accept(event)
        await begun(platform)
        model.interval, model.answer = 0, "to what"
        await platform.inbox.accept(edit(event, "what"))
        assert await platform.answers(1) == ["to what"]
    (trace,) = traces(tmp_path)
    assert trace["usage"]["output_tokens"] == 2


# ---- what a moderator is told

BOB = Person(platform="fake", user="bob", name="Bob")
FRONT = ChainSettings(
    router=RouterSettings(
        by="rules", default="main",
        routes=(RouteSettings(name="shop", to="support", words=("open",)),
                RouteSettings(name="care", to="careful", words=("care",))),
    )
)  # fmt: skip
SUPPORT = ChainSettings(
    steps=(
        StepSettings(name="facts", prompt="Facts: {question}"),
        StepSettings(name="answer", prompt="Say {facts}"),
    )
)


def steered(config):
    priced = replace(config.models["main"], price_input=0, price_output=1000)
    return replace(
        config,
        bot=replace(config.bot, admins=("fake::ann",)),
        models={"main": priced},
        chains={
            "front": FRONT, "support": SUPPORT,
            "careful": ChainSettings(best_of=BestOfSettings(candidates=2)),
        },
        chat=ChatSettings(model="main", chain="front"),
    )  # fmt: skip


async def why(platform, words="", **changes):
    before = len(platform.texts())
    await platform.inbox.accept(command("why", words, **changes))
    return (await platform.answers(before + 1))[-1]


async def test_why_tells_way_steps_tokens_cost_and_times(config, platform, model):
    model.answer = "PRIVATE two"
    async with running(steered(config), platform):
        await platform.inbox.accept(message("PRIVATE are you open?"))
        await platform.answers(1)
        text = await why(platform)
    told = dict(line.removeprefix("- ").split(": ", 1) for line in text.splitlines()[2:])
    assert told["Route"] == "front → support (the word 'open')"
    assert told["Chain"] == "support"
    assert told["Steps"].count("main, ") == 2
    assert told["Tokens"].endswith(" in, 4 out; $0.0040")
    assert told["Time"].startswith("first seen after 0.")
    assert (told["Model"], told["Persona"], told["End"]) == ("main", "default", "complete")
    assert "PRIVATE" not in text


async def test_why_tells_which_candidate_was_shown(config, platform, model):
    async with running(steered(config), platform):
        await platform.inbox.accept(message("take care"))
        await platform.answers(1)
        text = await why(platform)
    (line,) = [line for line in text.splitlines() if line.startswith("- Candidates")]
    assert line.count("score 1") == 2
    assert line.index("shown") < line.index("2 (main")
    assert "- Scorer: rules" in text


@pytest.mark.parametrize("link", ["{}", "https://chat.example/C/{}", "https://t.me/c/{}?x=1"])
async def test_why_finds_an_answer_by_its_message_or_by_its_question(config, platform, model, link):
    model.answer = lambda body: "word " * len(body["messages"][-1]["content"])
    async with running(steered(config), platform):
        first = message("a")
        for event in (first, message("bbb")):
            await platform.inbox.accept(event)
        await platform.answers(2)
        by_answer, by_question = [await why(platform, link.format(id))
                                  for id in (1, first.message)]  # fmt: skip
        assert "1 out" in by_answer
        assert by_answer == by_question
        assert "3 out" in await why(platform)
        assert await why(platform, "no such thing") == NO_SUCH


async def test_why_below_an_answer_explains_that_one(config, platform, model):
    model.answer = lambda body: "word " * len(body["messages"][-1]["content"])
    async with running(steered(config), platform):
        for text in ("a", "bbb"):
            await platform.inbox.accept(message(text))
        await platform.answers(2)
        assert "1 out" in await why(platform, answers="1")
        assert "Memory: kind tokens, lines 2" in await why(platform)


async def test_a_summary_is_no_line_of_memory(config, platform, model, tmp_path):
    model.answer = lambda body: summing(body, told=lambda _: "fine")
    async with running(replace(config, memory=SUMMARY), platform) as engine:
        for number in range(12):
            text = "FACT-1 " + CHATTER * (number % 3) if number % 2 else "yes"
            await asked(platform, message(text))
            await idle(platform, engine)
    told = [trace["memory"]["lines"] for trace in traces(tmp_path)]
    before = [[line for line in body["messages"] if line["role"] != "system"][:-1]
              for body in answers(model)]  # fmt: skip
    alone = [[line["role"] for line in lines[:2]] == ["user", "assistant"]
             and lines[0]["content"].endswith("⟧") for lines in before]  # fmt: skip
    assert any(alone)
    assert told == [len(lines) - own for lines, own in zip(before, alone, strict=True)]


async def test_why_is_for_those_who_steer_the_bot(config, platform, model):
    async with running(steered(config), platform):
        await platform.inbox.accept(message("hello", author=BOB))
        await platform.answers(1)
        text = await why(platform, author=BOB)
    assert "moderator" in text
    assert "Model" not in text


async def test_why_sees_no_other_conversation(config, platform, model):
    there = replace(PLACE, channel="D")
    async with running(steered(config), platform):
        await platform.inbox.accept(message("hello", conversation=there))
        await platform.answers(1)
        assert await why(platform) == NO_ANSWER
        assert await why(platform, "1") == NO_SUCH


@pytest.mark.parametrize(("like", "found"), [(SLACK, True), (DISCORD, False)])
async def test_why_in_a_channel_tells_of_its_threads_only_where_commands_cannot_name_one(
    like, found, config, platform, model
):
    thread = replace(PLACE, thread="17.2")
    async with running(steered(config), platform, descriptors={"fake": like}):
        await platform.inbox.accept(message("hello", conversation=thread))
        await platform.answers(1)
        assert ("Model: main" in await why(platform)) == found
        assert ("Model: main" in await why(platform, "1")) == found
        assert "Model: main" in await why(platform, conversation=thread)


async def test_what_a_forgotten_person_was_answered_leaves_no_trace(
    config, platform, model, tmp_path
):
    async with running(steered(config), platform):
        await platform.inbox.accept(message("hello"))
        await platform.answers(1)
        await platform.inbox.accept(command("forget_me", "yes"))
        await platform.until(lambda: not traces(tmp_path))
