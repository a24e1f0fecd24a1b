"""Memory of kind `summary` loses no line, however long a summary takes."""

import re
from dataclasses import replace

from bot.domain.policy import MemoryPolicy
from tests.events import message
from tests.harness import configuration, running
from tests.integration.conftest import HeldSummaries, stored
from tests.integration.test_engine_privacy import asked
from tests.integration.test_memory_summary import CHATTER, answers, idle, shown, sums

BUDGET = 300
NUMBER = re.compile(r"line no(\d+):")


def numbers(text):
    return [int(number) for number in NUMBER.findall(text)]


async def test_lines_that_fell_out_while_a_summary_was_made_are_in_the_next_one(
    tmp_path, platform, model
):
    memory = MemoryPolicy(kind="summary", max_tokens=BUDGET)
    config = replace(configuration(tmp_path, model.base_url), memory=memory)
    model.answer = "ok"
    async with running(config, platform) as engine:
        held = HeldSummaries(engine)
        for n in range(40):
            await asked(platform, message(f"line no{n}: {CHATTER}"))
            seen = numbers(str(shown(answers(model)[-1])))
            assert seen == list(range(seen[0], n + 1)), "the newest lines have a hole"
        assert held.begun.is_set()
        assert seen[0] > 20, "nothing fell out, so that nothing is tried here"
        held.release.set()
        await idle(platform, engine)
        await asked(platform, message(f"line no40: {CHATTER}"))
        await idle(platform, engine)
        last = shown(answers(model)[-1])
    covered = {n for body in sums(model) for n in numbers(str(shown(body)[1:]))}
    assert covered | set(numbers(str(last))) == set(range(41))
    ((end,),) = stored(tmp_path, "select last from summaries")
    behind = stored(tmp_path, f"select text from lines where id > {end} and role = 'user'")
    assert {n for (text,) in behind for n in numbers(text)} <= set(numbers(str(last)))
    assert any("notes on what was said here before" in text for text in last)
