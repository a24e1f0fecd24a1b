"""Posts of unknown fate that Slack carries out late: looked for only once they must have landed."""

import asyncio
import time
from contextlib import suppress

import pytest

from bot.domain.replies import Part
from tests.fakes.script import Delay, Refuse, Reset
from tests.fakes.slack import FakeSlack
from tests.integration.slack_rig import Outbox, address, reply, sending

LATE = 0.3  # seconds after which Slack does what a dead client has asked for
THREAD = "1700000000.000100"
WORDS = [f"word{n} " for n in range(40)]


async def answer(sender, to, *pieces, outbox=None, pause=0.0):
    """Deliver a reply; returns the ids of its messages."""
    receipt = await sender.deliver(to, reply(*pieces, pause=pause), outbox or Outbox())
    return receipt.messages


async def die_while_posting(slack, method, to, *pieces, **settings):
    """Let a process die when its post has left and is not done yet; returns what it journaled."""
    slack.script.on(method, Delay(LATE))
    outbox = Outbox()
    async with sending(slack, **settings) as sender:
        work = asyncio.ensure_future(answer(sender, to, *pieces, outbox=outbox, pause=0.01))
        await slack.until(lambda: slack.called(method))
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
    assert not slack.shown("C1")
    return Outbox(outbox.known)


@pytest.mark.parametrize("settle_s", [LATE + 0.2, 0.0])
@pytest.mark.parametrize("streaming", ["edit", "native"])
async def test_a_post_that_lands_after_the_client_died_is_there_once(streaming, settle_s):
    settings = {"streaming": streaming, "settle_s": settle_s}
    method = "chat.startStream" if streaming == "native" else "chat.postMessage"
    async with FakeSlack() as slack:
        to = address("C1", THREAD, answers=slack.say("?", "C1", thread=THREAD))
        known = await die_while_posting(slack, method, to, *WORDS, **settings)
        async with sending(slack, **settings) as sender:
            await answer(sender, to, "the whole answer", outbox=known)
        await asyncio.sleep(LATE)
        shown = [text for _, text in slack.shown("C1")]
    assert shown.count("the whole answer") == 1
    assert len(shown) == (1 if settle_s else 2), "without the wait this test proves nothing"


@pytest.mark.parametrize(("begun", "least"), [(-0.2, 0.3), (-60, 0.0), (+60, 0.5), (None, 0.0)])
async def test_the_wait_counts_from_the_stored_start_and_is_bounded(begun, least):
    known = {} if begun is None else {0: Part(index=0, at=time.time() + begun)}
    async with FakeSlack() as slack, sending(slack, settle_s=0.5) as sender:
        started = asyncio.get_running_loop().time()
        await answer(sender, address(), "hello", outbox=Outbox(known))
        took = asyncio.get_running_loop().time() - started
        assert least - 0.05 <= took < least + 0.25
        assert len(slack.called("conversations.history")) == (begun is not None)


async def test_a_post_is_announced_durably_before_it_leaves():
    commits = []

    class Slow(Outbox):
        def begin(self, part):
            super().begin(part)
            return self._commit()

        async def _commit(self):
            await asyncio.sleep(0.05)
            commits.append(len(slack.called("chat.postMessage")))

    async with FakeSlack() as slack, sending(slack) as sender:
        await answer(sender, address(), "hello", outbox=Slow())
        assert commits == [0]


async def test_an_unknown_outcome_within_one_attempt_waits_from_its_start_too():
    async with FakeSlack() as slack, sending(slack, settle_s=0.5) as sender:
        slack.script.on("chat.postMessage", Reset())
        started = asyncio.get_running_loop().time()
        await answer(sender, address(), "hello")
        assert 0.5 <= asyncio.get_running_loop().time() - started < 0.8
        assert [text for _, text in slack.shown("D1")] == ["hello"]


async def test_what_replaces_a_deleted_message_is_looked_for_only_when_it_has_landed():
    async with FakeSlack() as slack, sending(slack, settle_s=LATE + 0.2) as sender:
        (old,) = await answer(sender, address(), "half")
        slack.script.on("chat.update", Refuse("message_not_found"), Refuse("message_not_found"))
        slack.script.on("chat.postMessage", Delay(LATE))
        known = {0: Part(index=0, id=old)}
        first = asyncio.ensure_future(answer(sender, address(), "whole", outbox=Outbox(known)))
        await slack.until(lambda: len(slack.called("chat.postMessage")) == 2)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await answer(sender, address(), "whole", outbox=Outbox(known))
        await asyncio.sleep(LATE)
        assert [text for _, text in slack.shown("D1")] == ["whole"]
