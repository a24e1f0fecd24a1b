"""Budgets in the whole engine: refused before the call, exact under concurrency, never over."""

import asyncio
from dataclasses import replace

import pytest

from bot.backends.openai.settings import OpenAISettings
from bot.config.sections import ChatSettings
from bot.domain.budgets import Allowance, Budgets, Limits
from tests.events import ANN, PLACE, command, message
from tests.fakes.openai import FakeOpenAI
from tests.fakes.script import Refuse, ServerError
from tests.harness import running
from tests.integration.conftest import begun, edit, lines, slow, stored

REQUESTS = 1000
BOB = replace(ANN, user="bob", name="Bob")
ADMIN = replace(ANN, user="boss")


def limited(config, *, rate=0, **scopes):
    """Return a configuration with budgets, whose model costs something."""
    main = replace(config.models["main"], price_input=1.0, price_output=2.0)
    budgets = Budgets(rate_per_minute=rate, **scopes)
    return replace(config, models={**config.models, "main": main}, budgets=budgets)


def ledger(folder):
    return stored(folder, "select input + output, messages, held, purpose from ledger order by id")


def total(folder):
    """Return tokens and messages of today, as the sums have them."""
    sql = "select tokens, messages from spent where account = 'total'"
    return stored(folder, sql)[0]


def author(number):
    return replace(ANN, user=f"user{number}")


def place(number):
    return replace(PLACE, channel=f"C{number}")


async def answered(platform, *texts, **changes):
    """Say one thing after another, each when the one before is answered."""
    for text in texts:
        count = len(platform.texts())
        await platform.inbox.accept(message(text, **changes))
        await platform.answers(count + 1)
    return platform.texts()


# ---- exact under concurrency


async def test_1000_parallel_requests_make_exactly_as_many_calls_as_are_allowed(
    config, platform, model, tmp_path
):
    model.delay = 0.01
    many = limited(config, total=Allowance(messages=77))
    async with running(many, platform):
        await asyncio.gather(*(
            platform.inbox.accept(
                message(f"question {n}", author=author(n), conversation=place(n % 100))
            ) for n in range(REQUESTS)
        ))  # fmt: skip
        texts = await platform.answers(REQUESTS, timeout=60)
    assert len(model.calls) == 77
    assert sum(text.startswith("You said") for text in texts) == 77
    assert total(tmp_path)[1] == 77
    assert len(lines(tmp_path)) == 2 * 77  # what was refused is not remembered


async def test_1000_parallel_requests_never_take_more_tokens_than_are_left(
    config, platform, model, tmp_path
):
    model.delay = 0.01
    many = limited(config, total=Allowance(tokens=10_000))
    async with running(many, platform):
        await asyncio.gather(*(
            platform.inbox.accept(
                message(f"question {n}", author=author(n), conversation=place(n % 100))
            ) for n in range(REQUESTS)
        ))  # fmt: skip
        await platform.answers(REQUESTS, timeout=100)
    used = sum(tokens for tokens, *_ in ledger(tmp_path))
    assert used == total(tmp_path)[0] <= 10_000
    assert used > 8_500  # who found others' reservations in the way has waited for them
    assert len(model.calls) == len(ledger(tmp_path))


async def test_one_persons_budget_leaves_the_others_theirs(config, platform, model):
    own = limited(config, per_person=Allowance(messages=1))
    async with running(own, platform):
        await answered(platform, "one", "two")
        texts = await answered(platform, "three", author=BOB)
    assert [text.startswith("You said") for text in texts] == [True, False, True]


async def test_a_channels_budget_holds_for_its_threads_together(config, platform, model):
    channel = limited(config, per_channel=Allowance(messages=1))
    async with running(channel, platform):
        for thread in "12":
            await answered(platform, "hi", conversation=replace(PLACE, thread=thread))
    assert len(model.calls) == 1


# ---- what people hear


async def test_a_refusal_says_which_budget_and_when_it_begins_anew_and_then_is_short(
    config, platform, model
):
    own = limited(config, per_person=Allowance(messages=1))
    async with running(own, platform):
        _, first, again = await answered(platform, "one", "two", "three")
    assert first == (
        "Your budget for today is used up (1 message a day). It starts anew tomorrow at 00:00 UTC."
    )
    assert again == "The budget starts anew tomorrow at 00:00 UTC."


async def test_what_is_left_is_told_when_a_message_needs_more(config, platform, model):
    own = limited(config, per_person=Allowance(tokens=500, per="month"))
    async with running(own, platform):
        (text,) = await answered(platform, "word " * 600)
    assert "does not leave enough for this message: 500 of 500 tokens a month" in text
    assert not model.calls


async def test_what_all_may_use_together_is_told_without_figures(config, platform, model):
    all_in_all = limited(config, total=Allowance(usd=0.000001))
    async with running(all_in_all, platform):
        (text,) = await answered(platform, "hi")
    assert text.startswith("My budget for everybody together for today is used up. It starts")


async def test_commands_are_free(config, platform, model):
    own = limited(config, per_person=Allowance(messages=1))
    async with running(own, platform):
        await answered(platform, "one", "two")
        await platform.inbox.accept(command("whoami"))
        texts = await platform.answers(3)
    assert "You are" in texts[2]


# ---- what a call may take


async def test_an_answer_is_limited_to_what_is_left(config, platform, model):
    own = limited(config, per_person=Allowance(tokens=600))
    async with running(own, platform):
        await answered(platform, "hi")
    assert 0 < model.calls[0].args["max_tokens"] < 600 - len("hi")


async def test_without_a_limit_on_tokens_an_answer_may_be_of_any_length(config, platform, model):
    own = limited(config, per_person=Allowance(messages=5))
    async with running(own, platform):
        await answered(platform, "hi")
    assert "max_tokens" not in model.calls[0].args


async def test_tokens_are_counted_when_the_bytes_do_not_fit(config, platform, model):
    own = limited(config, per_person=Allowance(tokens=1_000))
    async with running(own, platform):
        (text,) = await answered(platform, "information " * 150)  # 1,800 bytes, 150 tokens
    assert text.startswith("You said")


async def test_money_is_counted_by_the_prices_of_the_model_that_answered(
    config, platform, model, tmp_path
):
    async with FakeOpenAI(answer="from the second") as other:
        second = OpenAISettings(base_url=other.base_url, model="m", price_input=50.0)
        config = replace(
            limited(config, total=Allowance(usd=1.0)),
            models={"main": config.models["main"], "second": second},
            chat=ChatSettings(model="main", fallbacks=("second",)),
        )
        model.script.on("chat.completions", Refuse("model_not_found", 404))
        async with running(config, platform):
            assert await answered(platform, "hi") == ["from the second"]
    ((name, tokens, cost),) = stored(tmp_path, "select model, input, cost from ledger")
    assert (name, cost) == ("second", pytest.approx(tokens * 50 / 1_000_000))


async def test_a_model_that_gives_no_answer_costs_nothing(config, platform, model, tmp_path):
    model.script.on("chat.completions", *[ServerError(500)] * 3)
    own = limited(config, per_person=Allowance(messages=1))
    async with running(own, platform):
        sorry, text = await answered(platform, "one", "two")
    assert "cannot reach" in sorry
    assert text == "You said: two"
    assert len(ledger(tmp_path)) == 1


async def test_a_stopped_answer_is_paid_as_far_as_it_came(config, platform, model, tmp_path):
    slow(model)
    own = limited(config, per_person=Allowance(tokens=5_000))
    async with running(own, platform):
        await platform.inbox.accept(message("go"))
        await begun(platform)
        await platform.inbox.accept(command("stop"))
        await platform.until(platform.texts)
        await platform.until(lambda: not ledger(tmp_path)[0][2])
    ((tokens, messages, *_),) = ledger(tmp_path)
    assert 0 < tokens < 500
    assert messages == 1


async def test_a_model_that_only_thought_is_paid_and_is_no_answer(
    config, platform, model, tmp_path
):
    thought = b'data: {"choices": [{"delta": {"reasoning_content": "hm hm hm hm"}}]}\n\n'
    model.on_raw(thought)
    own = limited(config, per_person=Allowance(messages=1))
    async with running(own, platform):
        sorry, text = await answered(platform, "one", "two")
    assert "cannot reach" in sorry
    assert text == "You said: two"
    (thinking, none, *_), (_, one, *_) = ledger(tmp_path)
    assert (thinking > 0, none, one) == (True, 0, 1)


async def test_what_a_failed_answer_gives_back_is_there_for_the_next(config, platform, model):
    model.on_raw(b"data: {}\n\n")
    model.delay = 0.2
    channel = limited(config, total=Allowance(messages=1))
    async with running(channel, platform):
        await platform.inbox.accept(message("one"))
        await model.until_called(1)
        (refused,) = await answered(platform, "two", conversation=place(2))
        await platform.answers(2)
        texts = await answered(platform, "three", conversation=place(2))
    assert "used up" in refused
    assert texts[-1] == "You said: three"


async def test_metrics_tell_what_the_ledger_tells(config, platform, model, tmp_path):
    priced = limited(config)
    async with running(priced, platform) as engine:
        await answered(platform, "one", "two")
        metrics = engine.dispatcher.metrics
    ((given, said, cost),) = stored(
        tmp_path, "select sum(input), sum(output), sum(cost) from ledger"
    )
    assert metrics.tokens == {("main", "input"): given, ("main", "output"): said}
    assert metrics.cost == pytest.approx(cost)


# ---- over restarts


async def test_what_was_used_counts_after_a_restart(config, platform, model):
    own = limited(config, per_person=Allowance(messages=2))
    async with running(own, platform):
        await answered(platform, "one", "two")
    async with running(own, platform):
        texts = await answered(platform, "three")
    assert texts[2].startswith("Your budget")
    assert len(model.calls) == 2


# ---- how fast


async def test_who_writes_too_fast_is_told_once_and_the_rest_is_left_out(
    config, platform, model, tmp_path
):
    slowly = limited(config, rate=5)
    sent = [message(f"m{n}", conversation=place(n)) for n in range(20)]  # one every second
    async with running(slowly, platform):
        taken = [await platform.inbox.accept(event) for event in sent]
        other = await platform.inbox.accept(message("hi", author=BOB))
        await platform.answers(8)
    assert (taken[:6], other) == ([True] * 6, True)
    assert sum(taken) == 7  # five at once, one a quarter of a minute later, and one notice
    assert len(model.calls) == 7
    assert len([text for text in platform.texts() if text.startswith("You write faster")]) == 1
    assert len(stored(tmp_path, "select 1 from inbox")) == 8


async def test_what_was_written_slowly_and_is_read_back_at_once_is_answered(
    config, platform, model
):
    slowly = limited(config, rate=5)
    async with running(slowly, platform):
        for n in range(10):
            await platform.inbox.accept(message(f"m{n}", at=1000.0 + 20 * n))
        texts = await platform.answers(10)
    assert all(text.startswith("You said") for text in texts)


async def test_retry_is_no_way_around_the_pace(config, platform, model):
    async with running(limited(config, rate=2), platform):
        await answered(platform, "one", at=1000.0)
        await platform.inbox.accept(command("retry", at=1000.0))
        await platform.answers(3)
        await platform.inbox.accept(command("retry", at=1001.0))
        assert (await platform.answers(4))[3].startswith("You write faster")
    assert len(model.calls) == 2


async def test_edits_are_no_way_around_the_pace(config, platform, model):
    first, other = message("one", at=1000.0), message("not for the bot", at=1000.0)
    async with running(limited(config, rate=2), platform):
        for n in range(5):  # what concerns nobody takes nothing
            assert not await platform.inbox.accept(edit(other, f"edit {n}"))
        await platform.inbox.accept(first)
        await platform.until(lambda: "You said: one" in platform.texts())
        assert await platform.inbox.accept(edit(first, "two"))
        await platform.until(lambda: "You said: two" in platform.texts())
        assert not await platform.inbox.accept(edit(first, "three"))
    assert len(model.calls) == 2


# ---- commands


async def test_usage_tells_people_about_themselves_and_their_channel(config, platform, model):
    own = limited(config, per_person=Allowance(messages=Limits(day=5, month=50)))
    async with running(own, platform):
        await answered(platform, "one")
        await platform.inbox.accept(command("usage"))
        text = (await platform.answers(2))[1]
    assert "- **You**: today 1 answer, " in text
    assert "(1 of 5 messages); this month" in text
    assert "- **This channel**: today 1 answer" in text
    assert "Everybody" not in text


async def test_usage_tells_admins_about_all_and_names_nobody(config, platform, model):
    admins = replace(config, bot=replace(config.bot, admins=(str(ADMIN),)))
    async with running(limited(admins), platform):
        await answered(platform, "one")
        await platform.inbox.accept(command("usage", author=ADMIN))
        text = (await platform.answers(2))[1]
    assert "- **Everybody**: today 1 answer" in text
    assert "Places that used most this month:\n\n- `fake:W:C`: 1 answer" in text
    assert "fake::ann" not in text
    assert "People that used most this month:" in text


async def test_an_admin_changes_a_limit_in_chat_and_it_stays(config, platform, model):
    admins = replace(config, bot=replace(config.bot, admins=(str(ADMIN),)))
    own = limited(admins, total=Allowance(messages=1))
    async with running(own, platform):
        await answered(platform, "one", "two")
        order = command("admin", "limits total messages 2 day", author=ADMIN)
        await platform.inbox.accept(order)
        texts = await platform.answers(3)
        assert "- total: 2 messages a day (set in chat)" in texts[2]
        await answered(platform, "three")
    async with running(own, platform):
        texts = await answered(platform, "four")
    assert texts[3] == "You said: three"
    assert "used up" in texts[4]


@pytest.mark.parametrize("words", ["total", "total tokens x day", "all tokens 1 day",
                                   "total tokens 1 year", "total tokens -1 day"])  # fmt: skip
async def test_a_limit_that_cannot_be_understood_changes_nothing(config, platform, model, words):
    admins = replace(config, bot=replace(config.bot, admins=(str(ADMIN),)))
    async with running(limited(admins), platform):
        await platform.inbox.accept(command("admin", f"limits {words}", author=ADMIN))
        await platform.inbox.accept(command("admin", "limits", author=ADMIN))
        first, second = await platform.answers(2)
    assert first.startswith("Write a scope")
    assert second.startswith("There is no limit.")


async def test_a_budget_of_a_changed_file_holds_once_it_is_read_again(config, platform, model):
    admins = replace(config, bot=replace(config.bot, admins=(str(ADMIN),)))
    less = limited(admins, per_person=Allowance(messages=1))
    async with running(limited(admins), platform, reread=lambda: less):
        await answered(platform, "one")
        await platform.inbox.accept(command("admin", "reload", author=ADMIN))
        assert (await platform.answers(2))[1] == "Now in force: budgets."
        texts = await answered(platform, "two")
    assert texts[2].startswith("Your budget")
