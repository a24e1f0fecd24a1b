"""The program as it is installed: nothing lost, nothing twice, in order, whatever happens to it."""

import pytest

from tests.acceptance.proof.kills import kills
from tests.acceptance.replay import conversations, replay
from tests.acceptance.stage import STAGES, Stage

FINE = {"lost": 0, "doubled": 0, "swapped": 0, "crossed": 0, "partial": 0}


def faults(count):
    return {name: getattr(count, name) for name in FINE}


@pytest.mark.parametrize("platform", STAGES)
async def test_real_conversations_are_answered_once_and_in_order(platform, tmp_path):
    count, _ = await replay(platform, conversations(6, longest=12), tmp_path)
    assert count.messages > 50
    assert faults(count) == FINE


@pytest.mark.parametrize("platform", STAGES)
async def test_kill_9_loses_nothing_and_answers_nothing_twice(platform, tmp_path):
    count = (await kills(platform, 8, 7, tmp_path)).count
    assert count.messages > 40
    assert faults(count) == FINE


@pytest.mark.parametrize("platform", STAGES)
async def test_sigterm_lets_running_answers_end_and_exits_0(platform, tmp_path):
    async with Stage(platform, tmp_path) as stage:
        await stage.begin(1)
        stage.model.interval = 0.05
        stage.say(0)
        await stage.model.until_called(2)
        assert await stage.stop() == 0
        assert stage.answered() == 2


async def test_a_second_process_on_the_same_data_is_refused_in_one_sentence(tmp_path):
    async with Stage("telegram", tmp_path) as stage:
        await stage.begin(1)
        first = stage.process
        await stage.start()
        assert await stage.process.wait() == 1
        stage.process = first
        stage.say(0)
        await stage.all_answered(within=10)
        assert faults(stage.count()) == FINE
    log = (tmp_path / "log").read_text()
    assert f"another Parley (process {first.pid})" in log
    assert "Traceback" not in log
