"""Edits, deletions, moves and leaves that come at an awkward moment."""

import asyncio
import time
from dataclasses import replace

from bot.domain.errors import Gone, Unreachable
from bot.domain.events import Left, Moved
from bot.domain.policy import AccessPolicy
from tests.events import PLACE, message
from tests.harness import configuration, running
from tests.integration.conftest import begun, deletion, edit, lines, slow, stored, thread
from tests.integration.test_engine_changes import turns


async def test_deleted_and_sent_again_within_the_debounce(config, platform, model):
    config = turns(config, debounce_ms=300)
    async with running(config, platform):
        one = message("wrnog")
        await platform.inbox.accept(one)
        await asyncio.sleep(0.05)
        await platform.inbox.accept(deletion(one))
        await platform.inbox.accept(message("right"))
        assert await platform.answers(1, timeout=4) == ["You said: right"]


async def test_first_messages_of_a_moved_group_in_the_same_batch(tmp_path, platform, model):
    old, new = replace(PLACE, channel="-100"), replace(PLACE, channel="-1007")
    access = AccessPolicy(group_policy="allowlist", allow=("fake:W:-100",))
    config = replace(configuration(tmp_path, model.base_url), access=access)
    async with running(config, platform):
        took = await asyncio.gather(
            platform.inbox.accept(Moved(id="m", at=1.0, conversation=old, to=new)),
            platform.inbox.accept(message("two", conversation=new, private=False)),
        )
        assert took == [True, True]


async def test_a_fresh_message_is_not_stale_because_an_old_one_waits(config, platform, model):
    config = turns(
        config, while_busy="merge", stale_after_s=600, when_stale="silent", debounce_ms=50
    )
    now = time.time()
    async with running(config, platform):
        await platform.inbox.accept(message("agree", at=now, conversation=thread("x")))
        await platform.answers(1)
        await asyncio.gather(
            platform.inbox.accept(message("an hour old", at=now - 3600)),
            platform.inbox.accept(message("fresh", at=now)),
        )
        texts = await platform.answers(2, timeout=3)
        assert "fresh" in texts[1]


async def test_a_farewell_to_the_old_name_does_not_end_the_new_place(config, platform, tmp_path):
    old, new = replace(PLACE, channel="-100"), replace(PLACE, channel="-1007")
    async with running(config, platform):
        await platform.inbox.accept(message("one", conversation=old))
        await platform.answers(1)
        await platform.inbox.accept(Moved(id="m", at=1.0, conversation=old, to=new))
        await platform.inbox.accept(Left(id="l", at=1.0, conversation=old))
    assert len(lines(tmp_path)) == 2


async def test_an_edit_before_the_platform_fails_is_not_undone(config, platform, model, tmp_path):
    slow(model)
    event = message("waht")
    real = platform.deliver
    state = {"n": 0}

    async def deliver(to, reply, outbox):
        async def watched():
            async for piece in reply:
                from bot.domain.replies import Finished

                if isinstance(piece, Finished) and state["n"] == 0:
                    state["n"] += 1
                    raise Unreachable("gone for a moment")
                yield piece

        return await real(to, watched(), outbox)

    platform.deliver = deliver
    async with running(config, platform):
        await platform.inbox.accept(event)
        await begun(platform)
        model.interval, model.answer = 0, lambda body: f"to {body['messages'][-1]['content']}"
        await platform.inbox.accept(edit(event, "what"))
        await platform.until(lambda: platform.texts() == ["to what"])
        await platform.until(
            lambda: not stored(tmp_path, "select 1 from inbox where closed is null")
        )
    assert platform.finals == ["to what"]
    assert len(model.calls) == 2


async def test_kicked_while_answering_with_forget_keeps_no_words(config, platform, model, tmp_path):
    slow(model)
    real = platform.deliver

    async def deliver(to, reply, outbox):
        await real(to, reply, outbox)
        raise Gone("kicked")

    platform.deliver = deliver
    async with running(config, platform):
        await platform.inbox.accept(message("secret words"))
        await begun(platform)
        await platform.inbox.accept(Left(id="l", at=1.0, conversation=PLACE))
        await platform.until(
            lambda: not stored(tmp_path, "select 1 from inbox where closed is null")
        )
    assert stored(tmp_path, "select payload from letters") == []


async def test_a_thread_that_is_being_joined_while_another_place_is_left_stays_joined(
    config, platform, model, tmp_path
):
    config = replace(config, access=replace(config.access, require_mention=True))
    async with running(config, platform) as engine:
        pol = engine.inbox.policies
        pol.joined.add(str(thread("1")))  # what Answering.take does before the closing commit
        await platform.inbox.accept(Left(id="l", at=1.0, conversation=replace(PLACE, channel="X")))
        assert str(thread("1")) in pol.joined


async def test_a_message_right_before_the_bot_is_removed_is_not_answered(
    config, platform, model, tmp_path
):
    """As Telegram's receiver gives a batch: written and kicked while the bot was away."""
    async with running(config, platform):
        await asyncio.gather(
            platform.inbox.accept(message("words of a place that is gone")),
            platform.inbox.accept(Left(id="l", at=1.0, conversation=PLACE)),
        )
        await platform.until(
            lambda: not stored(tmp_path, "select 1 from inbox where closed is null")
        )
    assert (len(model.calls), stored(tmp_path, "select text from lines")) == (0, [])
