"""Stop, retry, reset, deletions, access and privacy, where an earlier engine went wrong."""

import asyncio
import logging
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from bot.config.sections import TurnSettings
from bot.core.pace import COMMANDS
from bot.domain.budgets import Allowance, Budgets
from bot.domain.conversation import Conversation
from bot.domain.errors import Unreachable
from bot.domain.events import StopAsked
from bot.domain.policy import AccessPolicy, MemoryPolicy
from bot.ops import logs
from tests.events import ANN, PLACE, command, message
from tests.fakes.script import Refuse
from tests.harness import MemoryPlatform, running
from tests.integration.conftest import begun, deletion, edit, lines, prompt, slow, stored, thread

BOB = replace(ANN, user="bob", name="Bob")


@dataclass
class Forgetful(MemoryPlatform):
    """A platform that fails to show the first answer to a command."""

    failed: bool = False

    async def deliver(self, to, reply, outbox):
        if to.hidden and not self.failed:
            self.failed = True
            raise Unreachable("down")
        return await super().deliver(to, reply, outbox)


@contextmanager
def debugging():
    """Log to stderr as with `parley --debug`; afterwards as before."""
    loggers = [logging.getLogger(name) for name in (None, *logs.CHATTY)]
    levels, handlers = [logger.level for logger in loggers], loggers[0].handlers[:]
    logs.configure("debug", "json")
    try:
        yield
    finally:
        loggers[0].handlers[:] = handlers
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


async def test_a_message_deleted_while_it_is_answered_is_not_remembered(
    config, platform, model, tmp_path
):
    slow(model, words=8)
    event = message("my secret")
    async with running(config, platform) as engine:
        await platform.inbox.accept(event)
        await begun(platform)
        await platform.inbox.accept(deletion(event))
        await platform.until(lambda: platform.shown[0].deleted)
    assert lines(tmp_path) == []
    assert engine.dispatcher.metrics.turns == {"declined": 1}
    assert engine.dispatcher.metrics.resumed == 0


async def test_a_message_deleted_while_it_waits_for_its_next_attempt_is_not_answered(
    config, platform, model
):
    platform.failures = [Unreachable("down")]
    event = message("my secret")
    async with running(config, platform):
        await platform.inbox.accept(event)
        await platform.until(lambda: not platform.failures)
        await platform.inbox.accept(message("elsewhere", conversation=thread("elsewhere")))
        await platform.answers(1)
        await platform.inbox.accept(deletion(event))
        await platform.inbox.accept(message("next"))
        assert await platform.answers(2) == ["You said: elsewhere", "You said: next"]
    assert "my secret" not in str([prompt(call) for call in model.calls])


async def test_a_deletion_right_behind_its_message_is_obeyed(config, platform, model):
    slow(model, words=4)
    event = message("my secret")
    async with running(config, platform):
        await platform.inbox.accept(message("first"))
        await begun(platform, "word0")
        await asyncio.gather(*map(platform.inbox.accept, (event, deletion(event))))
        await platform.inbox.accept(message("last"))
        await platform.answers(2)
    assert "my secret" not in str([prompt(call) for call in model.calls])
    assert len(model.calls) == 2


async def test_an_edit_that_comes_together_with_its_message_is_obeyed(config, platform, model):
    event = message("typo")
    async with running(config, platform):
        await asyncio.gather(*map(platform.inbox.accept, (event, edit(event, "fixed"))))
        await platform.answers(1)
    assert prompt(model.calls[0]) == [("user", "fixed")]


async def test_a_reset_whose_answer_could_not_be_sent_is_not_done_again(config, platform, tmp_path):
    async with running(config, platform):
        await platform.inbox.accept(message("old"))
        await platform.answers(1)
        platform.failures = [Unreachable("down")]
        await platform.inbox.accept(command("reset"))
        await platform.until(lambda: not platform.failures)
        await platform.inbox.accept(message("new"))
        await platform.answers(3)
    assert "Forgotten. We begin anew." in platform.texts()
    assert [text for _, _, text in lines(tmp_path)] == ["new", "You said: new"]


async def test_a_reset_during_an_answer_spares_what_came_after_it_also_when_its_answer_failed(
    config, model, tmp_path
):
    platform = Forgetful()
    slow(model, words=20)
    async with running(config, platform):
        await platform.inbox.accept(message("old"))
        await begun(platform)
        await platform.inbox.accept(command("reset"))
        await platform.until(lambda: platform.failed)
        await platform.inbox.accept(message("new"))
        model.interval = 0
        await platform.answers(3)
    assert [text for role, _, text in lines(tmp_path) if role == "user"] == ["new"]


async def test_a_question_that_somebody_else_retries_stays_its_authors(
    config, platform, model, tmp_path
):
    async with running(config, platform):
        await platform.inbox.accept(message("words of ann", private=False))
        await platform.answers(1)
        await platform.inbox.accept(command("retry", author=BOB, private=False))
        await platform.answers(3)
    assert [person for role, person, _ in lines(tmp_path) if role == "user"] == ["fake::ann"]
    assert prompt(model.calls[-1]) == [("user", "Ann: words of ann")]


async def test_who_retries_a_question_pays_for_it(config, platform, model, tmp_path):
    async with running(config, platform):
        await platform.inbox.accept(message("words of ann", private=False))
        await platform.answers(1)
        await platform.inbox.accept(command("retry", author=BOB, private=False))
        await platform.answers(3)
    paid = stored(tmp_path, "select count(distinct person), count(*) from ledger")
    assert paid == [(2, 2)]


async def test_who_has_nothing_left_cannot_spend_what_others_have(config, platform, model):
    budgets = Budgets(per_person=Allowance(messages=1))
    async with running(replace(config, budgets=budgets), platform):
        for text, author in (("one", ANN), ("two", BOB)):
            await platform.inbox.accept(message(text, author=author, private=False))
        await platform.answers(2)
        for author in (BOB, ANN):
            await platform.inbox.accept(command("retry", author=author, private=False))
        await platform.answers(6)
    assert len(model.calls) == 2


@pytest.mark.parametrize(("admins", "refused"), [((), 3), ((str(ANN),), 0)])
async def test_nobody_but_an_admin_gives_any_number_of_commands(
    config, platform, model, admins, refused
):
    busy = replace(config, bot=replace(config.bot, admins=admins))
    async with running(busy, platform):
        for _ in range(COMMANDS + 3):
            await platform.inbox.accept(command("whoami"))
        said = await platform.answers(COMMANDS + 3)
        await platform.inbox.accept(command("stop"))
        await platform.inbox.accept(command("whoami", author=BOB))
        *_, stop, bob = await platform.answers(COMMANDS + 5)
    assert sum("many commands" in text for text in said) == refused
    assert "many commands" not in stop + bob


async def test_a_retry_in_a_thread_answers_in_that_thread(config, platform):
    config = replace(config, memory=MemoryPolicy(scope="channel"))
    here = {"conversation": thread(9), "private": False}
    async with running(config, platform):
        await platform.inbox.accept(message("q", **here))
        await platform.answers(1)
        await platform.inbox.accept(command("retry", **here))
        await platform.answers(3)
    assert {shown.to.conversation for shown in platform.shown} == {thread(9)}


async def test_two_quick_retries_leave_one_exchange(config, platform, model, tmp_path):
    slow(model, words=5)
    async with running(config, platform):
        await platform.inbox.accept(message("q"))
        await platform.answers(1)
        await platform.inbox.accept(command("retry"))
        await platform.inbox.accept(command("retry"))
        await platform.answers(5)
    assert [text for role, _, text in lines(tmp_path) if role == "user"] == ["q"]


async def test_a_retry_in_a_slack_channel_takes_the_newest_question_of_its_threads(
    config, platform, model
):
    channel = Conversation(platform="slack", workspace="W", channel="C")
    async with running(config, platform, name="slack"):
        for n in range(12):
            place = thread(n, platform="slack")
            await platform.inbox.accept(message(f"q{n}", conversation=place, private=False))
            await platform.answers(n + 1)
        await platform.inbox.accept(command("retry", conversation=channel, private=False))
        await platform.answers(14)
    assert prompt(model.calls[-1])[-1] == ("user", "Ann: q11")


async def test_a_stop_in_the_group_itself_leaves_its_topics_alone(config, platform, model):
    slow(model, words=10)
    async with running(config, platform):
        await platform.inbox.accept(message("q", conversation=thread(7), private=False))
        await begun(platform)
        await platform.inbox.accept(command("stop", private=False))
        assert "There is no answer to stop." in await platform.answers(2)
    assert platform.shown[0].finished.reason == "complete"


async def test_a_stranger_cannot_stop_an_answer(config, platform, model):
    slow(model, words=10)
    config = replace(config, access=AccessPolicy(allow=("fake::ann",)))
    async with running(config, platform):
        await platform.inbox.accept(message("q"))
        await begun(platform)
        await platform.inbox.accept(StopAsked(id="s", at=1.0, conversation=PLACE, author=BOB))
        await platform.answers(1)
    assert platform.shown[0].finished.reason == "complete"


async def test_a_model_chosen_in_chat_and_then_taken_out_of_the_configuration_is_replaced(
    config, platform
):
    two = replace(config, models={**config.models, "second": config.models["main"]},
                  chat=replace(config.chat, model="main"))  # fmt: skip
    async with running(two, platform):
        await platform.inbox.accept(command("model", "second"))
        await platform.answers(1)
    async with running(replace(config, turns=TurnSettings(attempts=2)), platform):
        await platform.inbox.accept(message("hi"))
        assert (await platform.answers(2))[1] == "You said: hi"


async def test_a_question_that_is_cut_only_at_the_second_try_is_announced(config, platform, model):
    model.script.on("chat.completions", Refuse("context_length_exceeded"))
    model.answer = "fine"
    async with running(config, platform):
        await platform.inbox.accept(message("BEGIN " + "lorem ipsum " * 800 + " END"))
        (text,) = await platform.answers(1, timeout=20)
    assert "left out here" in prompt(model.calls[1])[-1][1]
    assert "longer than I can take in" in text


async def test_the_words_of_a_stranger_are_not_remembered(config, platform, tmp_path):
    async with running(replace(config, access=AccessPolicy()), platform):
        await platform.inbox.accept(message("words of a stranger"))
        await platform.answers(1)
    assert lines(tmp_path) == []


async def test_a_blocked_place_is_blocked(config, platform):
    access = replace(config.access, block=("fake:W",))
    async with running(replace(config, access=access), platform):
        assert not await platform.inbox.accept(message("hi", private=False))


async def test_an_error_that_quotes_an_answer_is_logged_without_it(config, platform, caplog):
    caplog.set_level(logging.WARNING)
    quoting = UnicodeEncodeError("utf-8", "the whole answer \ud800", 17, 18, "surrogates")
    platform.failures = [quoting]
    async with running(config, platform):
        await platform.inbox.accept(message("hi"))
        await platform.answers(1)
    assert "UnicodeEncodeError" in caplog.text
    assert "the whole answer" not in caplog.text


async def test_logs_for_debugging_quote_no_message(config, platform, capsys):
    with debugging():
        async with running(config, platform):
            await platform.inbox.accept(message("extraordinary"))
            await platform.answers(1)
    logged = capsys.readouterr().err
    assert '"level": "debug"' in logged
    assert "extraordinary" not in logged
