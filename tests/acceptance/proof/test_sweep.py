"""A kill at any commit or step costs no message; without the protections, it does."""

import asyncio

import pytest

from tests.acceptance.proof.sweep import Armed, swept
from tests.acceptance.stage import Stage


@pytest.mark.long
async def test_kills_at_chosen_moments_break_nothing():
    last, found = await swept("discord", {"before": [4], "after": [9], "step": [150]})

    assert last == {"before": 4, "after": 9, "step": 150}
    assert (found["kills"], found["violations"]) == (3, 0)


@pytest.mark.long
@pytest.mark.parametrize("blind", [False, True])
async def test_a_bot_that_forgets_what_it_sent_is_seen(tmp_path, blind):
    async with (
        Stage("discord", tmp_path) as stage,
        Armed("discord", stage.config, tmp_path / "log", blind=blind) as forks,
    ):
        stage.spawn = forks.start
        await stage.begin(1)
        stage.model.chunk, stage.model.interval = 24, 1.0  # nine seconds for an answer
        token = stage.say(0)
        async with asyncio.timeout(30):
            while not any(f"#{token} " in text for text in stage.place.shown(0)):
                await asyncio.sleep(0.01)
        await stage.kill()
        stage.model.interval = 0.0
        await stage.start()
        await stage.all_answered()
        await stage.kill()

        assert (stage.count().broken() > 0) == blind
