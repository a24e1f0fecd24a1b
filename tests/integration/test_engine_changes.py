"""What people do while the bot answers: edit, delete, write more, write too much, move, leave."""

import asyncio
import time
from dataclasses import replace

import pytest

from bot.config.sections import TurnSettings
from bot.core import sentences
from bot.domain.conversation import Person
from bot.domain.events import Left, Moved
from bot.domain.policy import AccessPolicy
from tests.events import ANN, PLACE, command, message
from tests.harness import configuration, running
from tests.integration.conftest import begun, deletion, edit, lines, prompt, slow, stored

BOB = Person(platform="fake", user="bob", name="Bob")


def turns(config, **changes):
    return replace(config, turns=replace(TurnSettings(), **changes))


def remembered(folder):
    return [(role, text) for role, _, text in lines(folder)]


# ---- edits


async def test_an_edit_of_a_running_question_is_answered_in_the_same_message(
    config, platform, model, tmp_path
):
    slow(model)
    event = message("waht")
    async with running(config, platform):
        await platform.inbox.accept(event)
        await begun(platform)
        model.interval, model.answer = 0, "to what"
        assert await platform.inbox.accept(edit(event, "what"))
        assert await platform.answers(1) == ["to what"]
    assert platform.finals == ["to what"]
    assert remembered(tmp_path) == [("user", "what"), ("assistant", "to what")]
    assert len(stored(tmp_path, "select * from ledger")) == 2  # the call that was cut is paid too


async def test_an_edit_that_comes_while_the_answer_becomes_final_is_answered_too(
    config, platform, model, tmp_path
):
    model.answer = lambda body: f"to {body['messages'][-1]['content']}"
    platform.hold = asyncio.Event()
    event = message("waht")
    async with running(config, platform):
        await platform.inbox.accept(event)
        await begun(platform, "to waht")
        await platform.until(lambda: stored(tmp_path, "select 1 from steps where name='answered'"))
        await platform.inbox.accept(edit(event, "what"))
        platform.hold.set()
        await platform.until(lambda: platform.texts() == ["to what"])
    assert len(platform.shown) == 1
    assert remembered(tmp_path) == [("user", "what"), ("assistant", "to what")]


async def test_an_edit_of_an_answered_question_changes_the_answer_in_place(
    config, platform, model, tmp_path
):
    model.answer = lambda body: f"to {body['messages'][-1]['content']}"
    event = message("waht")
    async with running(config, platform):
        for each in (event, message("more")):
            await platform.inbox.accept(each)
        await platform.answers(2)
        for text in ("what", "what?"):
            await platform.inbox.accept(edit(event, text))
            await platform.until(lambda text=text: platform.texts()[0] == f"to {text}")
    assert platform.texts() == ["to what?", "to more"]
    assert ("user", "what?") in remembered(tmp_path)
    assert ("user", "waht") not in remembered(tmp_path)


async def test_a_late_edit_changes_nothing(config, platform):
    config = turns(config, edits_within_s=0.0)
    event = message("one")
    async with running(config, platform):
        await platform.inbox.accept(event)
        await platform.answers(1)
        assert not await platform.inbox.accept(edit(event, "two"))


async def test_an_edit_by_somebody_who_was_blocked_meanwhile_is_ignored(config, platform):
    event = message("one")
    async with running(config, platform):
        await platform.inbox.accept(event)
        await platform.answers(1)
    blocked = replace(config, access=AccessPolicy(dm_policy="open", block=(str(ANN),)))
    async with running(blocked, platform):
        assert not await platform.inbox.accept(edit(event, "two"))
    assert platform.texts() == ["You said: one"]


# ---- deletions


async def test_a_deleted_question_takes_its_answer_away_also_when_it_was_answered_long_ago(
    config, platform, tmp_path
):
    event = message("secret")
    async with running(config, platform):
        await platform.inbox.accept(event)
        await platform.answers(1)
    async with running(config, platform):
        assert await platform.inbox.accept(deletion(event))
        await platform.until(lambda: platform.shown[0].deleted)
    assert remembered(tmp_path) == []
    assert b"secret" not in (tmp_path / "parley.db").read_bytes()


async def test_a_deletion_while_the_answer_becomes_final_takes_it_away(config, platform, tmp_path):
    platform.hold = asyncio.Event()
    event = message("secret")
    async with running(config, platform):
        await platform.inbox.accept(event)
        await platform.until(lambda: stored(tmp_path, "select 1 from steps where name='answered'"))
        await platform.inbox.accept(deletion(event))
        platform.hold.set()
        await platform.until(lambda: platform.shown[0].deleted)
    assert remembered(tmp_path) == []


async def test_a_deletion_that_overtakes_its_message_is_obeyed(config, platform, model):
    event = message("sent twice, seen late")
    async with running(config, platform):
        assert not await platform.inbox.accept(deletion(event))
        assert not await platform.inbox.accept(event)
        await platform.inbox.accept(message("other"))
        await platform.answers(1)
    assert len(model.calls) == 1


# ---- more messages than answers


async def test_messages_of_one_person_during_an_answer_are_merged(config, platform, model):
    slow(model, words=8)
    config = turns(config, while_busy="merge")
    async with running(config, platform):
        await platform.inbox.accept(message("first"))
        await begun(platform)
        model.interval, model.answer = 0, "all of it"
        for text in ("second", "third"):
            await platform.inbox.accept(message(text))
        assert (await platform.answers(2))[1] == "all of it"
    assert prompt(model.calls[-1])[-1] == ("user", "second\nthird")
    assert len(model.calls) == 2


async def test_quick_messages_are_one_turn_when_they_are_waited_for(config, platform, model):
    config = turns(config, debounce_ms=150)
    async with running(config, platform):
        for text in ("one", "two", "three"):
            await platform.inbox.accept(message(text))
        assert await platform.answers(1) == ["You said: one\ntwo\nthree"]
        await platform.inbox.accept(message("four"))
        assert (await platform.answers(2))[1] == "You said: four"


async def test_who_writes_again_interrupts_only_the_own_answer(config, platform, model):
    slow(model)
    config = turns(config, while_busy="interrupt")
    async with running(config, platform):
        await platform.inbox.accept(message("first"))
        await begun(platform)
        await platform.inbox.accept(message("from bob", author=BOB))
        await begun(platform, "word6")
        assert not platform.texts()
        model.answer = "next"  # the first one goes on as slowly
        renamed = replace(ANN, name="Ann B.", roles=("7",))
        await platform.inbox.accept(message("again", author=renamed))
        first, *others = await platform.answers(3)
    assert first.endswith(sentences.STOPPED)
    assert others == ["next", "next"]


async def test_a_flooded_conversation_hears_once_that_the_bot_is_busy_and_others_are_served(
    config, platform, model
):
    slow(model, words=20)
    config = turns(config, waiting=3)
    async with running(config, platform) as engine:
        for n in range(8):
            await platform.inbox.accept(message(str(n)))
        await platform.until(lambda: sentences.BUSY in platform.texts())
        model.interval, model.answer = 0, "ok"
        elsewhere = replace(PLACE, channel="C2")
        assert await platform.inbox.accept(message("hello", conversation=elsewhere))
        await platform.answers(5)
        metrics = engine.dispatcher.metrics
    assert platform.texts().count(sentences.BUSY) == 1
    assert metrics.refused == 5
    assert len(platform.texts()) == 5  # three of the flood, the one elsewhere, the sentence


# ---- messages that are too old


@pytest.mark.parametrize("mode", ["say", "silent"])
async def test_after_an_outage_old_messages_are_left_with_one_sentence_or_none(
    config, platform, model, mode
):
    config = turns(config, stale_after_s=3600.0, when_stale=mode)
    async with running(config, platform):
        await platform.inbox.accept(message("fresh", at=time.time()))
        await platform.answers(1)
        for n in range(3):
            await platform.inbox.accept(message(f"old {n}", at=time.time() - 7200))
        await platform.inbox.accept(message("fresh again", at=time.time()))
        await platform.until(lambda: "You said: fresh again" in platform.texts())
    told = [sentences.STALE] if mode == "say" else []
    assert platform.texts() == ["You said: fresh", *told, "You said: fresh again"]
    assert len(model.calls) == 2


async def test_a_clock_that_never_agreed_with_the_platform_silences_nobody(config, platform):
    async with running(config, platform):
        await platform.inbox.accept(message("from long ago", at=1000.0))
        assert await platform.answers(1) == ["You said: from long ago"]


# ---- places


async def test_a_group_that_moves_keeps_memory_model_and_access(tmp_path, platform, model):
    old = replace(PLACE, channel="-100")
    new = replace(PLACE, channel="-1007")
    access = AccessPolicy(group_policy="allowlist", allow=("fake:W:-100",))
    config = replace(configuration(tmp_path, model.base_url), access=access)
    public = {"private": False}
    async with running(config, platform):
        await platform.inbox.accept(message("one", conversation=old, **public))
        await platform.answers(1)
        await platform.inbox.accept(Moved(id="m", at=1.0, conversation=old, to=new))
        await platform.inbox.accept(message("two", conversation=new, **public))
        await platform.answers(2)
        await platform.inbox.accept(message("three", conversation=old, **public))
        await platform.answers(3)
        assert platform.shown[2].to.conversation == new
    assert [text for _, text in prompt(model.calls[-1])][::2] == [
        "Ann: one", "Ann: two", "Ann: three"]  # fmt: skip
    async with running(config, platform):
        assert await platform.inbox.accept(message("four", conversation=new, **public))
        await platform.answers(4)


@pytest.mark.parametrize("when_left", ["forget", "keep"])
async def test_a_place_that_is_left_ends_its_answers_and_its_memory(
    config, platform, model, tmp_path, when_left
):
    config = replace(config, memory=replace(config.memory, when_left=when_left))
    async with running(config, platform):
        await platform.inbox.accept(message("before"))
        await platform.answers(1)
        slow(model)
        await platform.inbox.accept(message("running"))
        await begun(platform)
        await platform.inbox.accept(message("waiting"))
        await platform.inbox.accept(Left(id="l", at=1.0, conversation=replace(PLACE, channel="")))
        await platform.until(
            lambda: not stored(tmp_path, "select 1 from inbox where closed is null")
        )
    kept = [("user", "before"), ("assistant", "You said: before")]
    assert remembered(tmp_path) == ([] if when_left == "forget" else kept)
    assert len(model.calls) == 2


async def test_a_stranger_place_that_is_left_leaves_no_trace(config, platform, tmp_path):
    async with running(config, platform):
        await platform.inbox.accept(Left(id="l", at=1.0, conversation=replace(PLACE, channel="X")))
    assert stored(tmp_path, "select * from inbox") == []


# ---- what was given up


async def test_what_is_given_up_is_kept_as_a_letter_for_the_operator(config, platform, tmp_path):
    config = turns(config, attempts=1)
    platform.failures += [ValueError("a defect")]
    async with running(config, platform):
        await platform.inbox.accept(message("poison"))
        await platform.answers(1)
    ((payload, reason),) = stored(tmp_path, "select payload, reason from letters")
    assert "poison" in payload
    assert reason == "gave up after 1 attempts"


async def test_commands_pass_a_flooded_lane(config, platform, model):
    slow(model)
    config = turns(config, waiting=1)
    async with running(config, platform):
        await platform.inbox.accept(message("one"))
        await begun(platform)
        await platform.inbox.accept(command("stop"))
        first = (await platform.answers(2))[0]
    assert sentences.STOPPED in first
