"""Chains in the running bot: one answer in the chat, every step metered, journaled and stoppable."""

from dataclasses import replace

import pytest

from bot.config.sections import ChatSettings, ModerationSettings, TurnSettings
from bot.core import sentences
from bot.core.citing import SOURCES
from bot.domain.budgets import Allowance, Budgets
from bot.domain.chains import ChainSettings, StepSettings
from bot.domain.knowledge import CollectionSettings
from bot.domain.policy import ModerationPolicy
from tests.events import PLACE, command, message
from tests.fakes.script import ServerError
from tests.harness import running
from tests.integration.conftest import edit, lines, stored
from tests.integration.test_grounds import HOURS, RETURNS, WAGES, shelve
from tests.integration.test_why import traces

SUPPORT = ChainSettings(
    steps=(
        StepSettings(name="facts", prompt="Facts of {question}"),
        StepSettings(name="answer", prompt="{persona} Say {facts} to {question}"),
    )
)


def chained(config, chain=SUPPORT, **changes):
    return replace(
        config, chains={"c": chain}, chat=ChatSettings(model="main", chain="c"), **changes
    )


def which(body):
    """Tell which step a call is."""
    said = body["messages"][-1]["content"]
    return "facts" if said.startswith("Facts of") else "answer"


def steps_of(model):
    return [which(call.args) for call in model.calls if "messages" in call.args]


async def test_only_the_last_step_reaches_the_person_and_memory(config, platform, model, tmp_path):
    model.answer = lambda body: f"PRIVATE-{which(body)}"
    async with running(chained(config), platform):
        await platform.inbox.accept(message("are you open?"))
        assert await platform.answers(1) == ["PRIVATE-answer"]
    assert steps_of(model) == ["facts", "answer"]
    assert "PRIVATE-facts" in model.calls[1].args["messages"][-1]["content"]
    assert not any("facts" in text for _, text in platform.moments)
    assert [text for *_, text in lines(tmp_path)] == ["are you open?", "PRIVATE-answer"]
    assert stored(tmp_path, "select purpose, messages from ledger order by id") == [
        ("step", 1), ("answer", 0),
    ]  # fmt: skip


async def test_why_a_chain_answered_is_noted_without_its_words(config, platform, model, tmp_path):
    model.answer = "PRIVATE one two"
    async with running(chained(config), platform):
        await platform.inbox.accept(message("PRIVATE"))
        await platform.answers(1)
    (trace,) = traces(tmp_path)
    assert (trace["model"], trace["chain"]) == ("main", "c")
    assert [(step["name"], step["model"], step["out"]) for step in trace["steps"]] == [
        ("facts", "main", 3), ("answer", "main", 3),
    ]  # fmt: skip
    assert "PRIVATE" not in str(trace)
    assert trace["usage"]["output_tokens"] == 6


async def test_a_stop_ends_a_step_that_nobody_sees(config, platform, model):
    model.delay = 30
    async with running(chained(config), platform):
        await platform.inbox.accept(message("are you open?"))
        await model.until_called(1)
        await platform.inbox.accept(command("stop"))
        await model.until_closed(1)
        texts = await platform.answers(2)
    assert sentences.ENDINGS["stopped"] in texts
    assert steps_of(model) == ["facts"]


async def test_all_steps_together_have_the_time_of_one_answer(config, platform, model):
    model.delay = 0.3
    async with running(chained(config, turns=TurnSettings(timeout_s=0.5)), platform):
        await platform.inbox.accept(message("are you open?"))
        (text,) = await platform.answers(1)
    assert text.startswith(sentences.MODEL_DOWN[:20])
    assert steps_of(model) == ["facts", "answer"]


async def test_an_edited_question_takes_all_steps_anew(config, platform, model, tmp_path):
    model.answer = lambda body: f"{which(body)} of " + ("new" if "new" in str(body) else "old")
    event = message("old")
    async with running(chained(config), platform):
        model.interval = 0.3
        await platform.inbox.accept(event)
        await model.until_called(2)
        model.interval = 0
        await platform.inbox.accept(edit(event, "new"))
        assert await platform.answers(1) == ["answer of new"]
    assert steps_of(model) == ["facts", "answer", "facts", "answer"]
    (trace,) = traces(tmp_path)
    assert len(trace["steps"]) == 2


async def test_a_step_that_fails_is_said_in_one_sentence(config, platform, model):
    model.script.on("chat.completions", None, *[ServerError(500)] * 6)
    async with running(chained(config), platform):
        await platform.inbox.accept(message("are you open?"))
        (text,) = await platform.answers(1)
    assert text.startswith(sentences.MODEL_DOWN[:20])


async def test_a_budget_holds_for_every_step(config, platform, model):
    budgets = Budgets(per_person=Allowance(messages=1))
    async with running(chained(config, budgets=budgets), platform):
        await platform.inbox.accept(message("one"))
        await platform.answers(1)
        await platform.inbox.accept(message("two"))
        await platform.answers(2)
    assert steps_of(model) == ["facts", "answer"]


async def test_a_channel_has_a_chain_of_its_own(config, platform, model):
    channels = {str(PLACE).rstrip(":"): {"chain": "c"}}
    config = replace(config, chains={"c": SUPPORT}, channels=channels)
    async with running(config, platform):
        await platform.inbox.accept(message("here"))
        await platform.answers(1)
        there = replace(PLACE, channel="D")
        await platform.inbox.accept(message("there", conversation=there))
        await platform.answers(2)
    assert len(steps_of(model)) == 3


@pytest.mark.parametrize(
    ("order", "says", "calls"),
    [("chain c", "From now on the chain here is c.", 2),
     ("chain none", "From now on the chain here is none.", 1),
     ("chain default", "From now on the chain here is none.", 1),
     ("chain", "The chain here is none. There is c.", 1),
     ("chain x", "There is no chain `x`; there is c, or `none`.", 1)],
)  # fmt: skip
async def test_an_admin_chooses_a_chain(config, platform, model, order, says, calls):
    bot = replace(config.bot, admins=("fake::ann",))
    async with running(replace(config, bot=bot, chains={"c": SUPPORT}), platform):
        await platform.inbox.accept(command("admin", order))
        assert await platform.answers(1) == [says]
        await platform.inbox.accept(message("are you open?"))
        await platform.answers(2)
    assert len(steps_of(model)) == calls


async def test_a_chain_that_was_changed_in_the_file_answers_after_a_reload(config, platform, model):
    short = ChainSettings(steps=(StepSettings(name="one", prompt="One: {question}"),))
    bot = replace(config.bot, admins=("fake::ann",))
    before, after = (chained(config, chain, bot=bot) for chain in (SUPPORT, short))
    async with running(before, platform, reread=lambda: after):
        await platform.inbox.accept(command("admin", "reload"))
        assert await platform.answers(1) == ["Now in force: chains."]
        await platform.inbox.accept(message("are you open?"))
        await platform.answers(2)
    (call,) = [call for call in model.calls if "messages" in call.args]
    assert call.args["messages"][-1]["content"].startswith("One: ⟦")


# ---- whatever holds for an answer holds for its steps

BAD = "vile words"


async def test_no_step_tells_a_server_personal_data(config, platform, model):
    model.answer = lambda body: body["messages"][-1]["content"]
    config = chained(config, privacy=replace(config.privacy, redact="always"))
    async with running(config, platform):
        await platform.inbox.accept(message("write to ann@example.org"))
        (text,) = await platform.answers(1)
    assert len(steps_of(model)) == 2
    assert "ann@example.org" not in str([call.args for call in model.calls])
    assert "ann@example.org" in text


async def test_of_a_chain_only_what_is_shown_is_judged_and_taken_back(
    config, platform, model, tmp_path
):
    model.scores = lambda one: {"hate": 0.9} if BAD in str(one) else {}
    config = chained(
        config,
        moderation=ModerationPolicy(provider="openai", mode="enforce"),
        moderating=ModerationSettings(base_url=model.base_url),
    )
    said = {"facts": BAD, "answer": "all is well"}
    model.answer = lambda body: said[which(body)]
    async with running(config, platform):
        await platform.inbox.accept(message("hello"))
        assert await platform.answers(1) == ["all is well"]
        said |= {"answer": BAD}
        await platform.inbox.accept(message("hello"))
        (_, text) = await platform.answers(2)
    assert text.startswith(sentences.TAKEN_BACK[:20])
    judged = [call.args["input"] for call in model.calls if call.method == "moderations"]
    assert judged == ["hello", "all is well", "hello", BAD]
    fine, taken_back = traces(tmp_path)
    assert fine["moderation"] == [{"part": "words", "action": "allow"}]
    assert taken_back["taken_back"] is True


async def test_no_step_lets_the_system_prompt_leave(config, platform, model):
    secret = "You are the keeper of the seven silver keys and you never say where they are hidden."
    bot = replace(config.bot, system_prompt=secret)
    model.answer = lambda body: (
        f"facts: {secret}" if which(body) == "facts" else f"It says: {secret}"
    )
    async with running(chained(config, bot=bot), platform):
        await platform.inbox.accept(message("who are you?"))
        (text,) = await platform.answers(1)
    assert "seven silver keys" in str(model.calls[1].args["messages"])
    assert "seven silver keys" not in text


async def test_a_fallback_answers_for_a_step(config, platform, model):
    bad = replace(config.models["main"], base_url="http://127.0.0.1:9/v1")
    chain = ChainSettings(
        steps=(
            StepSettings(name="facts", model="bad", prompt="Facts of {question}"),
            StepSettings(name="answer", prompt="{facts}"),
        )
    )
    config = chained(config, chain, models={**config.models, "bad": bad})
    config = replace(config, chat=replace(config.chat, fallbacks=("main",)))
    async with running(config, platform):
        await platform.inbox.accept(message("are you open?"))
        (text,) = await platform.answers(1)
    assert text.startswith("You said: ")
    assert steps_of(model) == ["facts", "answer"]


async def test_what_was_said_before_is_in_a_step_that_asks_for_it(config, platform, model):
    steps = (StepSettings(name="only", prompt="{history} and now {question}"),)
    model.answer = "fine"
    async with running(chained(config, ChainSettings(steps=steps)), platform):
        await platform.inbox.accept(message("first"))
        await platform.answers(1)
        await platform.inbox.accept(message("second"))
        await platform.answers(2)
    said = model.calls[-1].args["messages"][-1]["content"]
    assert said.index("person: first\nbot: fine") < said.index("and now") < said.index("second")


# ---- documents

LEANING = ChainSettings(
    steps=(
        StepSettings(name="facts", prompt="Facts of {question} after {history} in {documents}"),
        StepSettings(name="answer", prompt="Say {facts} to {question}"),
    )
)
BACK = "how long can I send something back?"
BELOW = f"\n\n{SOURCES}\n[1] Handbook › Returns (Handbook.md)"


async def test_a_step_with_the_documents_cites_them_and_the_last_one_lists_them(
    config, platform, model, tmp_path
):
    await shelve(config, RETURNS, HOURS)
    model.answer = "Within 30 days [1]."
    async with running(chained(config, LEANING), platform):
        await platform.inbox.accept(message(BACK))
        assert await platform.answers(1) == [f"Within 30 days [1].{BELOW}"]
    facts, answer = ([line["content"] for line in call.args["messages"]] for call in model.calls)
    assert "put the number behind what you take from one, like [1]" in facts[0]
    assert facts[1].count("[1] Handbook › Returns\nYou can send anything back") == 1
    assert "[1] to [" not in answer[0]
    assert "You can send anything back" not in answer[1]
    assert BACK in answer[1]
    assert lines(tmp_path)[-1][-1] == "Within 30 days."


async def test_the_history_of_a_step_has_no_passages_and_no_sources(config, platform, model):
    await shelve(config, RETURNS, HOURS)
    model.answer = "Within 30 days [1]."
    async with running(chained(config, LEANING), platform):
        for count in (1, 2):
            await platform.inbox.accept(message(BACK))
            await platform.answers(count)
    said = model.calls[2].args["messages"][-1]["content"]
    _, history, documents = (part for part in said.split(" ⟦")[1:4])
    assert history.splitlines()[1:-1] == [f"person: {BACK}", "bot: Within 30 days."]
    assert "You can send anything back" in documents


async def test_a_step_without_a_prompt_leans_on_documents_like_any_answer(config, platform, model):
    await shelve(config, RETURNS, HOURS)
    steps = (StepSettings(name="facts"), StepSettings(name="answer", prompt="Say {facts}"))
    model.answer = "Within 30 days [1]."
    async with running(chained(config, ChainSettings(steps=steps)), platform):
        await platform.inbox.accept(message(BACK))
        assert await platform.answers(1) == [f"Within 30 days [1].{BELOW}"]
    assert "[1] Handbook › Returns\nYou can" in model.calls[0].args["messages"][-1]["content"]


async def test_a_chain_shows_nobody_what_only_staff_may_read(config, platform, model):
    await shelve(config, WAGES, collection="staff", title="House")
    config = replace(config, collections={"staff": CollectionSettings(readers=("moderator",))})
    async with running(chained(config, LEANING), platform):
        await platform.inbox.accept(message("what is the hourly wage of staff?"))
        await platform.answers(1)
    assert len(steps_of(model)) == 2
    assert "SECRET" not in str([call.args for call in model.calls])
