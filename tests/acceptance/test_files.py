"""Files that people send to the installed program."""

import asyncio

from tests.acceptance.stage import Stage
from tests.fakes.script import Delay
from tests.integration.conftest import stored


async def test_a_file_is_read_once_even_if_the_program_dies_before_it_answers(tmp_path):
    async with Stage("slack", tmp_path) as stage:
        await stage.begin(1)
        slack, model = stage.place.fake, stage.model
        model.answer = "At nine."
        model.script.on("chat.completions", Delay(600))
        notes = slack.upload("notes.txt", b"The shop opens at nine.", "text/plain")
        slack.say("When do you open?", "D0", "U0", files=[notes])
        await model.until_called(2)
        while not stored(tmp_path / "data", "select 1 from steps where name = 'opened'"):
            await asyncio.sleep(0.01)
        await stage.kill()
        slack.files.clear()
        await stage.start()
        await slack.until(lambda: slack.shown("D0")[-1][1] == "At nine.", 30)
    assert len(slack.called("download")) == 1
    assert "opens at nine" in model.calls[-1].args["messages"][-1]["content"]
