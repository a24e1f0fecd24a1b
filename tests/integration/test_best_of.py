"""The best of several in the running bot: what is shown, paid, journaled, and never shown."""

from dataclasses import replace

import pytest

from bot.config.sections import ChatSettings, KnowledgeSettings
from bot.core import sentences
from bot.core.citing import SOURCES
from bot.domain.budgets import Allowance, Budgets
from bot.domain.chains import BestOfSettings, ChainSettings
from bot.domain.policy import KnowledgePolicy
from tests.events import message
from tests.fakes.script import ServerError
from tests.harness import running
from tests.integration.conftest import lines, stored
from tests.integration.test_grounds import HOURS, RETURNS, shelve
from tests.integration.test_why import traces


def careful(config, best=None, **changes):
    chain = ChainSettings(best_of=best or BestOfSettings(candidates=3, must=("please",)))
    chat = ChatSettings(model="main", chain="careful")
    return replace(config, chains={"careful": chain}, chat=chat, **changes)


@pytest.fixture
def drawn(model):
    """Let the model say something else each time; the judge chooses the third."""
    said = iter(["no", "yes please", "maybe", "more"])
    model.answer = lambda body: "3" if "compare" in body["messages"][0]["content"] else next(said)
    return model


def purposes(folder):
    return stored(folder, "select purpose, messages from ledger order by purpose, messages")


async def test_the_best_is_shown_and_no_other(config, platform, drawn, tmp_path):
    async with running(careful(config), platform):
        await platform.inbox.accept(message("well?"))
        assert await platform.answers(1) == ["yes please"]
    assert all("yes please".startswith(text) for _, text in platform.moments)
    assert [text for *_, text in lines(tmp_path)] == ["well?", "yes please"]
    assert purposes(tmp_path) == [("candidate", 0), ("candidate", 0), ("candidate", 1)]
    (trace,) = traces(tmp_path)
    assert [one.get("chosen", False) for one in trace["candidates"]].count(True) == 1
    assert trace["scorer"] == [{"name": "rules"}]
    assert "please" not in str(trace)


async def test_a_judge_chooses_and_is_paid(config, platform, drawn, tmp_path):
    best = BestOfSettings(candidates=3, scorer="model")
    async with running(careful(config, best), platform):
        await platform.inbox.accept(message("well?"))
        (text,) = await platform.answers(1)
    shown_to_judge = drawn.calls[-1].args["messages"][-1]["content"]
    assert text in shown_to_judge.partition("answer 3\n")[2]
    assert [purpose for purpose, _ in purposes(tmp_path)] == [*["candidate"] * 3, "judge"]
    (trace,) = traces(tmp_path)
    assert trace["scorer"][0]["name"] == "model"


async def test_one_candidate_that_fails_leaves_the_others(config, platform, drawn, tmp_path):
    config = careful(config, replace(BestOfSettings(), candidates=2, models=("main", "bad")))
    bad = replace(config.models["main"], base_url="http://127.0.0.1:9/v1")
    async with running(replace(config, models={**config.models, "bad": bad}), platform):
        await platform.inbox.accept(message("well?"))
        assert await platform.answers(1) == ["no"]
    assert purposes(tmp_path) == [("candidate", 1)]


async def test_when_all_fail_one_sentence_says_so(config, platform, model):
    model.script.on("chat.completions", *[ServerError(500)] * 9)
    async with running(careful(config), platform):
        await platform.inbox.accept(message("well?"))
        (text,) = await platform.answers(1)
    assert text.startswith(sentences.MODEL_DOWN[:20])


async def test_an_answer_is_one_message_of_a_budget(config, platform, drawn, tmp_path):
    budgets = Budgets(per_person=Allowance(messages=1))
    async with running(careful(config, budgets=budgets), platform):
        for text in ("well?", "and now?"):
            await platform.inbox.accept(message(text))
        first, second = await platform.answers(2)
    assert first == "yes please"
    assert "message" in second


@pytest.mark.parametrize("scorer", ["rules", "model"])
async def test_without_a_message_left_no_candidate_is_drawn(config, platform, model, scorer):
    model.answer, model.delay = "1", 0.05  # so that a call would come to the server
    best = BestOfSettings(candidates=3, scorer=scorer)
    config = careful(config, best, budgets=Budgets(per_person=Allowance(messages=1)))
    async with running(config, platform):
        await platform.inbox.accept(message("well?"))
        await platform.answers(1)
        paid = len(model.calls)
        for count in (2, 3):
            await platform.inbox.accept(message("and now?"))
            assert "budget" in (await platform.answers(count))[-1].lower()
    assert len(model.calls) == paid


async def test_every_candidate_has_to_fit_into_the_budget(config, platform, drawn, tmp_path):
    budgets = Budgets(per_person=Allowance(tokens=700))
    model = replace(config.models["main"], max_output_tokens=200)
    config = careful(config, budgets=budgets, models={"main": model})
    async with running(config, platform):
        await platform.inbox.accept(message("well?"))
        await platform.answers(1)
    spent = stored(tmp_path, "select max(tokens) from spent")[0][0]
    assert 0 < spent <= 700


# ---- documents

BACK = "how long can I send something back?"
LISTED = f"\n\n{SOURCES}\n[1] Handbook › Returns (Handbook.md)"


async def test_the_answer_nearest_to_the_passages_is_shown_with_its_sources(
    config, platform, model, tmp_path
):
    await shelve(config, RETURNS, HOURS)
    said = iter(["Ask the post office.", "Anything back within 30 days, unworn [1].", "Never [2]."])
    model.answer = lambda _: next(said)
    best = BestOfSettings(candidates=3, scorer="sources")
    near = KnowledgePolicy(min_score=0.05)  # found whether its vector is there by now or not
    config = careful(config, best, library=KnowledgeSettings(embedder="main"), knowledge=near)
    async with running(config, platform):
        await platform.inbox.accept(message(BACK))
        assert await platform.answers(1) == [f"Anything back within 30 days, unworn [1].{LISTED}"]
    inputs = [call.args["input"] for call in model.calls if "input" in call.args]
    assert any(RETURNS[1] in texts for texts in inputs)
    (trace,) = traces(tmp_path)
    assert trace["scorer"] == [{"name": "sources"}]
    assert all(
        "put the number behind" in call.args["messages"][0]["content"]
        for call in model.calls
        if "messages" in call.args
    )


async def test_without_documents_rules_decide_though_sources_are_asked_for(
    config, platform, drawn, tmp_path
):
    best = BestOfSettings(candidates=2, scorer="sources", must=("please",))
    config = careful(config, best, library=KnowledgeSettings(embedder="main"))
    async with running(config, platform):
        await platform.inbox.accept(message("well?"))
        assert await platform.answers(1) == ["yes please"]
    assert traces(tmp_path)[0]["scorer"] == [{"name": "rules"}]


async def test_a_judge_reads_the_documents_beside_the_question(config, platform, drawn):
    await shelve(config, RETURNS, HOURS)
    async with running(careful(config, BestOfSettings(scorer="model")), platform):
        await platform.inbox.accept(message(BACK))
        await platform.answers(1)
    system, user = (line["content"] for line in drawn.calls[-1].args["messages"])
    assert "nothing which the sources do not say" in system
    assert user.count(RETURNS[1]) == 1
