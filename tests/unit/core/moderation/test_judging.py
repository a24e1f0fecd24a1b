"""Several guards and one decision."""

import asyncio

from bot.core.moderation.judging import Judging
from bot.domain.errors import GuardError
from bot.domain.moderation import Finding, Sample
from bot.domain.policy import ModerationPolicy
from bot.ports.guard import Judgement


class Scripted:
    """A guard that finds what it is told to, when it is told to."""

    def __init__(self, name, score=0.0, *, fails=False, waits=None):
        self.name, self.score, self.fails, self.waits = name, score, fails, waits
        self.asked = 0
        self.cancelled = False

    async def judge(self, sample):
        self.asked += 1
        try:
            if self.waits:
                await self.waits.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.fails:
            raise GuardError("out of order")
        return Judgement(findings=(Finding(category="hate", score=self.score, guard=self.name),))


async def ruling(*guards, **policy):
    judging = Judging(guards={guard.name: guard for guard in guards})
    names = policy.pop("provider", tuple(guard.name for guard in guards))
    return await judging.rule(Sample(text="words"), ModerationPolicy(provider=names, **policy))


async def test_guards_are_asked_at_once():
    gate = asyncio.Event()
    first, second = Scripted("local", waits=gate), Scripted("openai", waits=gate)
    asking = asyncio.create_task(ruling(first, second))
    while not (first.asked and second.asked):
        await asyncio.sleep(0)
    gate.set()

    assert (await asking).decision.action == "allow"


async def test_the_first_reason_to_block_ends_the_asking():
    slow = Scripted("openai", waits=asyncio.Event())

    result = await asyncio.wait_for(ruling(Scripted("local", 0.9), slow), 1)

    assert (result.decision.action, slow.cancelled, result.failed) == ("block", True, ())


async def test_the_judge_is_asked_only_where_the_others_do_not_block():
    judge = Scripted("judge", 0.9)

    assert (await ruling(Scripted("openai", 0.9), judge)).decision.action == "block"
    assert judge.asked == 0
    assert (await ruling(Scripted("openai", 0.1), judge)).decision.action == "block"
    assert judge.asked == 1


async def test_a_guard_that_fails_leaves_the_decision_to_the_others():
    result = await ruling(Scripted("local", 0.9), Scripted("openai", fails=True), on_flag="flag")

    assert (result.decision.action, result.failed) == ("flag", ("openai",))


async def test_a_guard_that_nobody_has_configured_cannot_tell():
    result = await ruling(Scripted("local"), provider=("local", "openai"))

    assert result.failed == ("openai",)


async def test_a_cancelled_turn_leaves_no_guard_running():
    slow = [Scripted(name, waits=asyncio.Event()) for name in ("local", "openai")]
    asking = asyncio.create_task(ruling(*slow))
    while not all(guard.asked for guard in slow):
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    assert all(guard.cancelled for guard in slow)
